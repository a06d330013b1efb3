"""Knowledge bases to test with: small ones made on the spot, and one of the bundled documents for the whole session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from curio_rag.assembly import Assembly
from curio_rag.config import Config, load_config
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.ports import Embedder
from tests.fakes import NOON, WordEmbedder

if TYPE_CHECKING:
    from tests.desk import Bench

ROOT = Path(__file__).parent.parent

settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("explore", database=None)
# The same texts on every machine, so that a run there says what a run here does; EXPLORE=1 tries others.
settings.load_profile("explore" if os.environ.get("EXPLORE") else "same")

FRONT_MATTER = "---\ntitle: {title}\nstatus: sample\nreview_due: 2027-05-23\nas_of: 2026-11-23\n---\n"


def sample(title: str, body: str) -> str:
    """A Markdown document that calls itself a sample."""
    return FRONT_MATTER.format(title=title) + body


class SmallAssembly(Assembly):
    """An assembly with word vectors, so that a test costs no model."""

    def __init__(self, config: Config, *, embedder: Embedder | None = None) -> None:
        super().__init__(config, clock=lambda: NOON)
        self.fake_embedder = embedder or WordEmbedder()

    def embedder(self) -> Embedder:
        return self.fake_embedder


SmallBase = Callable[..., KnowledgeBase]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with settings that admit samples, and a knowledge folder with three documents."""
    return furnished(tmp_path)


def furnished(tmp_path: Path) -> Path:
    """Fills an empty folder with settings and three documents."""
    (tmp_path / "curio.toml").write_text('admit = ["vetted", "sample"]\nsearch = "exact"\n', encoding="utf-8")
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    texts = {
        "aspirin.md": sample(
            "Aspirin", "# Aspirin\n\n## What aspirin is\n\nAspirin is a medicine. Aspirin lowers fever.\n"
        ),
        "gout.md": sample("Gout", "# Gout\n\n## What gout is\n\nGout is a painful swelling of a joint.\n"),
        "asthma.md": sample("Asthma", "# Asthma\n\n## What asthma is\n\nAsthma makes the airways narrow.\n"),
    }
    for name, text in texts.items():
        (knowledge / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def open_base(folder: Path) -> Iterator[SmallBase]:
    """Opens the folder's knowledge base, with word vectors or another embedder; closed after the test."""
    opened: list[KnowledgeBase] = []

    def open_it(*, embedder: Embedder | None = None, **settings: object) -> KnowledgeBase:
        environment = {f"CURIO_{name.upper()}": str(value) for name, value in settings.items()}
        base = KnowledgeBase(SmallAssembly(load_config(folder, environment=environment), embedder=embedder))
        opened.append(base)
        return base

    yield open_it
    for base in opened:
        base.close()


GOUT = """# Gout

## What gout is

Gout is a painful swelling of a joint. Gout often begins in the big toe.

## What helps

Rest and cold packs help during an attack of gout.
"""


@pytest.fixture
def bench(folder: Path) -> Iterator[Bench]:
    """A small knowledge base whose documents are filed and unsigned, with its review desk."""
    from tests.desk import Bench

    opened = Bench(with_gout(folder))
    opened.base.ingest()
    yield opened
    opened.base.close()


def with_gout(folder: Path) -> Path:
    """The same folder with a longer document about gout."""
    (folder / "knowledge" / "gout.md").write_text(sample("Gout", GOUT), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def bundled_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the bundled documents, built once through the real model."""
    index = tmp_path_factory.mktemp("bundled") / "index"
    with KnowledgeBase.open(ROOT, config=load_config(ROOT, environment={"CURIO_INDEX": str(index)})) as base:
        report = base.ingest()
    assert report.complete, [receipt for receipt in report.receipts if receipt.reason]
    return index


@pytest.fixture(scope="session")
def bundled(bundled_index: Path) -> Iterator[KnowledgeBase]:
    """The knowledge base of the bundled documents."""
    with KnowledgeBase.open(ROOT, config=load_config(ROOT, environment={"CURIO_INDEX": str(bundled_index)})) as base:
        yield base

"""curio_rag plugs into LlamaIndex as a retriever and as a query engine."""

from __future__ import annotations

import asyncio
import warnings

from tests.conftest import SmallBase

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # llama_index and what it imports warn of their own deprecations
    from curio_rag.faces.llama_index import CurioQueryEngine, CurioRetriever


def test_the_retriever_gives_passages_with_their_places(open_base: SmallBase) -> None:
    """A node is a passage: its id, its exact text and where it stands."""
    base = open_base()
    base.ingest()
    (best,) = CurioRetriever(base, limit=1).retrieve("Gout: a painful swelling of a joint?")
    hit = base.search("Gout: a painful swelling of a joint?", limit=1)[0]
    assert (best.node.node_id, best.node.get_content(), best.score) == (hit.passage.id, hit.passage.text, hit.score)
    assert best.node.metadata["document_id"] == "gout.md"


def test_the_query_engine_answers_with_quotes_and_status(open_base: SmallBase) -> None:
    """The response is the draft, its source nodes are the exact quotes, and its metadata says that it waits."""
    base = open_base()
    base.ingest()
    engine = CurioQueryEngine(base)
    response = engine.query("Gout: a painful swelling of a joint?")
    assert "Gout is a painful swelling of a joint." in str(response)
    assert [node.node.get_content() for node in response.source_nodes] == ["Gout is a painful swelling of a joint."]
    assert response.metadata is not None
    assert response.metadata["status"] == "awaiting_review"
    assert "painful swelling" in str(asyncio.run(engine.aquery("Gout: a painful swelling of a joint?")))

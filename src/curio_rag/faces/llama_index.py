"""curio_rag inside LlamaIndex: a retriever and a query engine that its users can plug in.

Importing this module imports llama_index, which takes about two CPU seconds; nothing else here does.
"""

from __future__ import annotations

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from curio_rag.domain.answers import Answer
from curio_rag.domain.reviews import Audience
from curio_rag.domain.sources import Passage
from curio_rag.knowledge_base import KnowledgeBase


class CurioRetriever(BaseRetriever):
    """Retrieves passages of admitted documents as scored text nodes; the node's id is the passage's."""

    def __init__(self, base: KnowledgeBase, *, limit: int = 10) -> None:
        super().__init__(callback_manager=CallbackManager())
        self._base = base
        self._limit = limit

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._base.search(query_bundle.query_str, limit=self._limit)
        return [NodeWithScore(node=_node(hit.passage), score=hit.score) for hit in hits]


class CurioQueryEngine(BaseQueryEngine):
    """Answers with the whole record of `KnowledgeBase.ask`: the draft as text, its quotes as source nodes.

    `response.metadata` is the public JSON of the answer for `audience`, with its status; a
    response is a draft until that status says `approved`.
    """

    def __init__(self, base: KnowledgeBase, *, audience: Audience = Audience.REVIEWER) -> None:
        super().__init__(callback_manager=CallbackManager())
        self._base = base
        self._audience = audience

    def _query(self, query_bundle: QueryBundle) -> Response:
        record = self._base.ask(query_bundle.query_str)
        return Response(
            response=record.text,
            source_nodes=_quotes(record.answer),
            metadata=record.to_dict(audience=self._audience),
        )

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        import asyncio

        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _node(passage: Passage) -> TextNode:
    return TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.span.start,
        end_char_idx=passage.span.end,
        metadata={
            "document_id": passage.document_id,
            "title": passage.title,
            "heading_path": list(passage.heading_path),
            "page": passage.page,
        },
    )


def _quotes(answer: Answer) -> list[NodeWithScore]:
    """Each cited quote once, in order of the answer."""
    nodes: dict[tuple[str, int, int], NodeWithScore] = {}
    for citation in answer.citations:
        place = (citation.document_id, citation.span.start, citation.span.end)
        node = TextNode(
            id_=f"{citation.passage_id}:{citation.span.start}-{citation.span.end}",
            text=citation.quote,
            start_char_idx=citation.span.start,
            end_char_idx=citation.span.end,
            metadata={"document_id": citation.document_id, "page": citation.page},
        )
        nodes.setdefault(place, NodeWithScore(node=node, score=None))
    return list(nodes.values())

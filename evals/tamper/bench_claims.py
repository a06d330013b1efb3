"""Side by side: `python evals/tamper/bench_claims.py`, or `make bench-claims`.

The same scripted drafts, as a model might write them, go through LlamaIndex's CitationQueryEngine (with a
mock language model that writes the script, and no network) and through the claim gate of this package;
printed is what each would show a patient. The source is one sentence of the bundled documents.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from curio_rag.domain.claims import ClaimRow, QuotedWords
from curio_rag.knowledge_base import KnowledgeBase

QUESTION = "What do I have to know about fever and vaccines after CAR-T therapy?"
FEVER = (
    "car-t-infections-and-low-counts.md",
    "Call the treatment team at once, day or night, for a temperature of 38 °C (100.4 °F) or higher, "
    "or the limit on your card.",
)
VACCINES = ("car-t-vaccines.txt", "The immune system must have recovered as well before a live vaccine.")
SOURCES = (FEVER, VACCINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a model writes: one sentence, and the number of the source that it cites."""

    kind: str
    text: str
    marker: int
    quote: str | None = None
    """The words that it claims to cite, where they are not the source's own."""


SCRIPTS = (
    Script(
        kind="faithful", text="Call your team right away if your temperature is 38 °C (100.4 °F) or higher.", marker=1
    ),
    Script(
        kind="wrong number", text="Call the treatment team for a temperature of 40 °C (104 °F) or higher.", marker=1
    ),
    Script(
        kind="invented citation",
        text="Fever is fine in the first month.",
        marker=7,
        quote="Fever in the first month is fine.",
    ),
    Script(kind="contradiction", text="The immune system need not have recovered before a live vaccine.", marker=2),
    Script(
        kind="unsupported addition",
        text="Call the treatment team at once for a temperature of 38 °C (100.4 °F) or higher, "
        "and take two tablets of paracetamol first.",
        marker=1,
    ),
)


class ScriptedModel(CustomLLM):
    """A language model that says what it is told to, whatever the prompt."""

    script: str

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="scripted")

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=self.script)

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        yield CompletionResponse(text=self.script, delta=self.script)


class TwoSources(BaseRetriever):
    """Finds the two source sentences for every question."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text=quote), score=1.0) for _, quote in SOURCES]


def shown_by_llama_index(script: Script) -> str:
    """The response of a CitationQueryEngine over the two sources, and the source that its marker leads to."""
    model = ScriptedModel(script=f"{script.text} [{script.marker}]")
    engine = CitationQueryEngine(
        retriever=TwoSources(callback_manager=CallbackManager()),
        llm=model,
        response_synthesizer=get_response_synthesizer(llm=model),
    )
    response = engine.query(QUESTION)
    (number,) = re.findall(r"\[(\d+)\]", str(response))
    nodes = response.source_nodes
    target = nodes[int(number) - 1].node.get_content() if int(number) <= len(nodes) else "no such source"
    return f"shown: {response}\n                [{number}] leads to: {' '.join(target.split())}"


def shown_by_the_gate(base: KnowledgeBase, script: Script) -> str:
    """The sentence, or why it is withheld."""
    if script.marker <= len(SOURCES):
        document_id, quote = SOURCES[script.marker - 1]
    else:
        document_id, quote = FEVER[0], script.quote or ""
    row = ClaimRow(
        id=script.kind,
        text=script.text,
        citations=(QuotedWords(document_id=document_id, quote=script.quote or quote),),
    )
    (checked,) = base.check_claims([row])
    found = checked.judgement
    if found.supported:
        return f"shown: {script.text} [{script.marker}]"
    return "withheld: " + "; ".join(f"{reason.code}: {reason.text}" for reason in found.reasons)


def main() -> int:
    """Prints both for each script; 1 when the gate shows a faulty draft or withholds the faithful one."""
    wrong = 0
    with KnowledgeBase.open(Path(__file__).parent.parent.parent) as base:
        for script in SCRIPTS:
            ours = shown_by_the_gate(base, script)
            print(
                f"{script.kind}\n  CitationQueryEngine  {shown_by_llama_index(script)}\n  curio_rag            {ours}\n"
            )
            wrong += ours.startswith("shown") is not (script.kind == "faithful")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Any cross-encoder of sentence-transformers as a reranker, by name or folder; nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from curio_rag.adapters.local_models import find_model
from curio_rag.adapters.per_process import PerProcess
from curio_rag.adapters.valid_unicode import valid_unicode
from curio_rag.domain.search_plan import SearchPlan
from curio_rag.domain.sources import Hit
from curio_rag.errors import ConfigError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

DEFAULT_ORGANISATION = "cross-encoder"
"""Where a model's name without an organisation is looked for."""

READ = 30
"""How many hits the model reads; one pair costs some ten times as much as a question's vector."""


class CrossEncoderReranker:
    """Keeps the contract of `Reranker` with one cross-encoder, a folder or a name in the local Hugging Face cache.

    The first `READ` hits are ordered by the model and stay before all others. Code that a model brings
    along is never run. Constructing costs nothing; `ConfigError` is raised on first use.
    """

    def __init__(self, model: str) -> None:
        self._name = model
        self._model = PerProcess(self._load)

    def rerank(self, plan: SearchPlan, hits: Sequence[Hit]) -> tuple[float, ...]:
        """From 1 to 2 for the hits that the model read, from 0 to 1 for the others, in the order they had."""
        if not hits:
            return ()
        pairs = [(valid_unicode(plan.whole), valid_unicode(hit.passage.in_context)) for hit in hits[:READ]]
        logits = self._model.get().predict(pairs, show_progress_bar=False, convert_to_numpy=True)
        if logits.ndim != 1:
            raise ConfigError(
                f"The reranker {self._name} gives {logits.shape[1]} scores for a pair; it must give one.",
                hint="Set `reranker` to a cross-encoder that was trained for ranking, or remove the setting.",
            )
        places = {place: rank for rank, place in enumerate(sorted(range(len(pairs)), key=lambda at: -logits[at]))}
        read = (2 - places[place] / len(pairs) for place in range(len(pairs)))
        rest = (1 - (place + 1) / (len(hits) + 1) for place in range(len(pairs), len(hits)))
        return (*read, *rest)

    def _load(self) -> CrossEncoder:
        found = find_model(self._name, organisation=DEFAULT_ORGANISATION)
        from sentence_transformers import CrossEncoder

        try:
            model: CrossEncoder = CrossEncoder(str(found.folder), local_files_only=True, trust_remote_code=False)
            return model
        except Exception as error:  # a damaged or foreign folder fails in any way the loaders know
            raise ConfigError(
                f"The reranker {self._name} cannot be loaded from {found.folder}: {error}",
                hint="The folder must hold a complete cross-encoder; put the model there anew.",
            ) from error

"""Which sentences of a section are for somebody else: for other countries or products than the question names.

A sentence of a vetted document that holds in one country or for one product says so itself. Where a section is too
long to be shown whole, those that are for others make room for those that are for the asker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curio_rag.adapters.passage_choice import DEPENDENT
from curio_rag.adapters.section_extracts import CELL
from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.question_types import mentions_whole
from curio_rag.domain.sources import Document, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedScope:
    """What a question is limited to: countries, with those whose rules hold there, and products, in lower case."""

    words: ClaimWords
    countries: frozenset[str]
    products: frozenset[str]

    @classmethod
    def of(cls, question: str, documents: Sequence[Document], words: ClaimWords) -> AskedScope:
        """The countries that a question names, and those of the documents' products."""
        declared = {name.lower() for document in documents for name in document.products}
        return cls(
            words=words,
            countries=words.ruled_with(words.countries_in(question, regions=True)),
            products=frozenset(name for name in declared if mentions_whole(question, name)),
        )

    def for_the_asker(self, document: Document, spans: Sequence[Span]) -> tuple[Span, ...]:
        """The spans without those that name countries or products, and none that is asked about.

        What cannot be read without such a sentence goes with it: one that opens with "These" or the like, and
        after a sentence on another product all that name none. All of the spans where none is left.
        """
        kept: list[Span] = []
        left_out = other_product = False
        for span in spans:
            text = span.of(document.text)
            products = self._products_in(document, text)
            if products:
                other_product = not products & self.products
            depends = left_out and DEPENDENT.match(text) is not None
            left_out = other_product or self.is_elsewhere(text) or depends
            if not left_out:
                kept.append(span)
        return tuple(kept or spans)

    def bears_on(self, text: str) -> bool:
        """Whether a text names one of the countries that are asked about."""
        return bool(self.countries) and bool(self.words.countries_in(text) & self.countries)

    def is_elsewhere(self, text: str) -> bool:
        """Whether a text that is no row of a table names countries, and none that is asked about."""
        countries = self.words.countries_in(text) if self.countries and CELL not in text else frozenset()
        return bool(countries) and not countries & self.countries

    def _products_in(self, document: Document, text: str) -> frozenset[str]:
        """Those that a text names, where the question names one too."""
        if not self.products:
            return frozenset()
        return frozenset(name.lower() for name in document.products if mentions_whole(text, name))

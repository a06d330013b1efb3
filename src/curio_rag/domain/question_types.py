"""What kind of thing a question asks for, and the words by which a section of that kind is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*", re.UNICODE)


def mentions(text: str, term: str) -> bool:
    """Whether a text has a word of the same beginning as a term ("treated", "treatments"), in any spelling of "ae"."""
    folded = _one_spelling(term)
    stem = folded[: max(4, len(folded) - 3)]
    return re.search(rf"(?<![^\W_]){re.escape(stem)}", _one_spelling(text)) is not None


def mentions_whole(text: str, name: str) -> bool:
    """Whether a name stands in a text as it is, in any case, and not as a part of a longer word."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def _one_spelling(text: str) -> str:
    """Lower case, with British "ae" and "oe" as American "e", so that leukaemia is leukemia."""
    return text.lower().replace("ae", "e").replace("oe", "e")


@dataclass(frozen=True, kw_only=True)
class QuestionType:
    """One kind of question; `patterns` recognise it in a question, `headings` in a heading (any case)."""

    name: str
    patterns: tuple[str, ...]
    headings: tuple[str, ...]

    @cached_property
    def _question(self) -> re.Pattern[str]:
        return re.compile("|".join(self.patterns), re.IGNORECASE)

    @cached_property
    def _heading(self) -> re.Pattern[str]:
        return re.compile("|".join(self.headings), re.IGNORECASE)

    def asks(self, question: str) -> bool:
        """Whether a question asks for this."""
        return self._question.search(question) is not None

    def heads(self, heading: str) -> bool:
        """Whether a heading announces this."""
        return self._heading.search(heading) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One thing that a full answer should also say, and the words to search it with."""

    type: str
    search: str


@dataclass(frozen=True, kw_only=True)
class QuestionTypes:
    """All that is known of questions, read once from the package's data."""

    stopwords: frozenset[str]
    types: tuple[QuestionType, ...]
    facets: tuple[tuple[str, tuple[Facet, ...]], ...]
    gaps: tuple[tuple[str, str], ...]
    answered: tuple[tuple[str, str], ...]
    """For each type a pattern of what an answer to it says, such as a time span for "how long"."""
    boilerplate: tuple[str, ...]
    diseases: frozenset[str]
    """The kinds of disease by which a name is recognised: "leukemia", "syndrome"."""
    loose_diseases: frozenset[str]
    """Those that stand for each other once it is said which: a renal cell cancer is a renal cell carcinoma."""
    general_headings: frozenset[str]
    questions_to_ask: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]

    def types_of(self, question: str) -> tuple[QuestionType, ...]:
        """The kinds of question that this is, the most telling first; none where it is not recognised.

        A plain "what is" is a definition only when it asks for nothing more specific.
        """
        found = tuple(kind for kind in self.types if kind.asks(question))
        return tuple(kind for kind in found if kind.name != "definition") or found

    def named(self, name: str) -> QuestionType:
        """The type of that name. Raises `KeyError`."""
        for kind in self.types:
            if kind.name == name:
                return kind
        raise KeyError(name)

    def facets_of(self, question: str) -> tuple[Facet, ...]:
        """What a full answer to a question of that kind should also say."""
        known = dict(self.facets)
        return next((known[kind.name] for kind in self.types_of(question) if kind.name in known), ())

    def answers(self, kind: QuestionType, text: str) -> bool:
        """Whether a text says a thing of the kind that is asked for."""
        pattern = dict(self.answered).get(kind.name)
        return kind.asks(text) or (pattern is not None and re.search(pattern, text, re.IGNORECASE) is not None)

    def content_terms(self, question: str) -> tuple[str, ...]:
        """The words of a question that carry its meaning, lower case, each once, in order."""
        return tuple(dict.fromkeys(self._content(question)))

    def _content(self, question: str) -> Iterable[str]:
        for match in WORD.finditer(question.lower().replace("’", "'")):
            word = match.group().removesuffix("'s")
            if word not in self.stopwords and word.replace("'", "") not in self.stopwords:
                yield word

    def diseases_in(self, text: str) -> tuple[tuple[str, ...], ...]:
        """The diseases that a text names: each the kind ("leukemia") with the words before it that say which.

        "How is adult acute leukemia treated?" names ("adult", "acute", "leukemia"). Up to three
        words before the kind count, back to a stop word or a word that asks ("treated", "causes").
        """
        words = [match.group().lower() for match in WORD.finditer(text.replace("’", "'"))]
        named: list[tuple[str, ...]] = []
        for place, word in enumerate(words):
            if word not in self.diseases:
                continue
            start = place
            while start > max(0, place - 3) and self._qualifies(words[start - 1]):
                start -= 1
            named.append(tuple(words[start : place + 1]))
        return tuple(named)

    def _qualifies(self, word: str) -> bool:
        asks = any(kind.asks(word) for kind in self.types)
        return word not in self.stopwords and word not in self.diseases and not asks

    def is_boilerplate(self, sentence: str) -> bool:
        """Whether a sentence leads elsewhere instead of saying something."""
        return self._boilerplate.search(sentence.strip()) is not None

    @cached_property
    def _boilerplate(self) -> re.Pattern[str]:
        return re.compile("|".join(self.boilerplate), re.IGNORECASE)

    def asking(self, titles: Iterable[str]) -> tuple[str, ...]:
        """The standard questions for the care team on documents with these titles, the one that says most first.

        The first list that fits the first title for which there is one; the last list fits anything.
        """
        return next(
            (
                questions
                for title in (*titles, "")
                for about, questions in self.questions_to_ask
                if any(word in title.lower() for word in about) or not (about or title)
            ),
            (),
        )

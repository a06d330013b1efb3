"""From a patient's message to what is searched: courtesies and biography go, typing errors are mended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curio_rag.domain.glossary import Glossary, GlossaryEntry
from curio_rag.domain.question_types import WORD, QuestionTypes
from curio_rag.domain.search_plan import Correction, Expansion, SearchPlan
from curio_rag.ports import Vocabulary, WordList

MOST_PARTS = 3
MOST_CORRECTIONS = 12
"""So that a text that is no language costs no more than a long question."""

SHORTEST_MENDED, LONGEST_MENDED = 4, 30
LONG_WORD = 7
"""From this length on two typing errors are mended, below it one."""

RARE_SHARE = 0.1
"""A word tells something when it stands in at most this share of the passages."""

RARE_WORDS = 2
"""A sentence that neither asks nor holds a medical term stays when it has this many words that tell something."""

SHORT = 2
"""A part with fewer telling words is searched together with what was said around it."""

_SENTENCE_END = re.compile(r"(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bvs)(?<!\be\.g)(?<=[.!?…])[\"”')]*\s+|\n+")
_SECOND_QUESTION = re.compile(
    r"[,;]? (?:and|or) (?=(?:what|how|when|where|which|who|whom|why|can|does|do|should|will|is)\b)", re.IGNORECASE
)
_WORDS = re.compile(r"\w+")
_PRODUCT_NUMBER = re.compile(r"[a-z]{2,4}-\d{2,5}[a-z]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionReader:
    """Reads questions by rules and tables alone: the same question and index give the same plan."""

    types: QuestionTypes
    glossary: Glossary
    words: WordList

    def plan(self, question: str, index: Vocabulary) -> SearchPlan:
        """What to search for a question; never raises for any text. The whole text where nothing tells more."""
        mended, corrections = self._mended(question, index)
        sentences = [left for sentence in _sentences(mended) if (left := self._without_courtesy(sentence))]
        asking = list(filter(self.glossary.asks.search, sentences))
        kept = frozenset(asking or sentences) | frozenset(each for each in sentences if self._tells(each, index))
        said = kept - frozenset(asking)
        around = " ".join(each for each in sentences if each in said)
        whole = " ".join(each for each in sentences if each in kept) or mended
        asked = [part for sentence in asking for part in _questions(sentence)]
        expansions = self._expansions(whole)
        # "ALL" is a stop word as it is written, so its meaning is the term.
        unspoken = [each.meaning.lower() for each in expansions if not self.types.content_terms(each.written)]
        terms = tuple(dict.fromkeys((*self.types.content_terms(whole), *unspoken)))
        return SearchPlan(
            whole=whole,
            parts=tuple(self._parts(asked, around)) or (whole,),
            terms=terms,
            drugs=tuple(term for term in terms if self._names_a_drug(term, index)),
            corrections=corrections,
            expansions=expansions,
        )

    def _names_a_drug(self, term: str, index: Vocabulary) -> bool:
        """A word that ends as drugs do and is no English word, or a number like those of trial products."""
        if _PRODUCT_NUMBER.fullmatch(term):
            return index.document_frequencies([term]) == (0,)
        return self.glossary.is_a_drug(term) and not self.words.knows(term)

    def _mended(self, question: str, index: Vocabulary) -> tuple[str, tuple[Correction, ...]]:
        """The question with its typing errors mended, and which they were."""
        text = question
        for pattern, new in self.glossary.rewrite_patterns:
            text = pattern.sub(new, text)
        corrections: dict[str, Correction] = {}
        shouted = text.isupper()
        tried = 0

        def mend(match: re.Match[str]) -> str:
            nonlocal tried
            word = match.group()
            known = self.glossary.spellings.get(word.lower()) if word.islower() or len(word) > 2 else None
            if known is None and self._may_be_mended(text, match, shouted=shouted) and tried < MOST_CORRECTIONS:
                if index.document_frequencies([word]) != (0,) or self.words.knows(word.lower()):
                    return word
                tried += 1
                known = self._nearest(word.lower(), index)
            if known is None:
                return word
            corrections[word.lower()] = Correction(written=word.lower(), mended=known)
            return known

        return WORD.sub(mend, text), tuple(corrections.values())

    def _may_be_mended(self, text: str, match: re.Match[str], *, shouted: bool) -> bool:
        """Letters alone, long enough, neither a drug nor a name."""
        word = match.group()
        if not SHORTEST_MENDED <= len(word) <= LONGEST_MENDED or not word.isascii() or not word.isalpha():
            return False
        if (
            word.lower() in self.types.stopwords
            or self.glossary.knows(word.lower())
            or self.glossary.may_be_a_drug(word)
        ):
            return False
        before = text[max(0, match.start() - 4) : match.start()].rstrip()[-1:]
        return word.islower() or shouted or (word.istitle() and before in ("", ".", "!", "?"))

    def _nearest(self, word: str, index: Vocabulary) -> str | None:
        """The one word of the index that is fewest typing errors away, the most frequent of them; else None."""
        most = 2 if len(word) >= LONG_WORD else 1
        best: list[tuple[int, int, str]] = []
        for known, frequency in index.words(word[0]):
            if abs(len(known) - len(word)) > most or len(known) < SHORTEST_MENDED or not known.isalpha():
                continue
            distance = typing_errors(word, known, most=most)
            if distance <= most and not self._is_taboo(known, distance=distance):
                best.append((distance, -frequency, known))
        best.sort()
        if not best or (len(best) > 1 and best[0][:2] == best[1][:2]):
            return None
        return best[0][2]

    def _is_taboo(self, known: str, *, distance: int) -> bool:
        """Whether a mended word could be the name of another drug than was meant."""
        return self.glossary.is_a_drug(known) or (distance > 1 and self.glossary.may_be_a_drug(known))

    def _without_courtesy(self, sentence: str) -> str:
        """The sentence without its greeting; nothing when it only greets or thanks."""
        opening = self.glossary.greeting.match(sentence)
        if opening and not self.glossary.tells.search(opening.group()):
            sentence = sentence[opening.end() :]
        if "?" not in sentence and not self.glossary.tells.search(sentence) and self.glossary.courtesy.search(sentence):
            return ""
        return sentence if _WORDS.search(sentence) else ""

    def _tells(self, sentence: str, index: Vocabulary) -> bool:
        if self.glossary.tells.search(sentence):
            return True
        frequencies = index.document_frequencies(self.types.content_terms(sentence))
        return sum(0 < frequency <= RARE_SHARE * index.size for frequency in frequencies) >= RARE_WORDS

    def _expansions(self, text: str) -> tuple[Expansion, ...]:
        """What the text's lay words and abbreviations stand for, and the abbreviations of what it spells out.

        Documents that explain "cytokine release syndrome (CRS)" once write CRS from then on.
        """
        found: dict[str, Expansion] = {}
        lower = text.lower()
        for entry in self.glossary.entries:
            match = entry.pattern.search(text)
            # In a text that is all capitals, ALL may be "all".
            if match and entry.meaning.lower() not in lower and not (entry.exact and text.isupper()):
                found.setdefault(entry.meaning, _expansion(entry, match.group()))
            spelt_out = entry.spelt_out.search(text) if entry.abbreviation else None
            if spelt_out and not match:
                found.setdefault(entry.abbreviation, Expansion(written=spelt_out.group(), meaning=entry.abbreviation))
        return tuple(found.values())

    def _parts(self, asked: Sequence[str], around: str) -> Iterable[str]:
        """Each thing that is asked, with what was said around it where alone it says too little."""
        for part in (*asked[: MOST_PARTS - 1], " ".join(asked[MOST_PARTS - 1 :])):
            if part:
                yield part if len(self.types.content_terms(part)) >= SHORT else f"{around} {part}".strip()


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def _questions(sentence: str) -> list[str]:
    """The questions that are joined by "and" in one sentence."""
    return [part.strip() for part in _SECOND_QUESTION.split(sentence) if part.strip()]


def _expansion(entry: GlossaryEntry, written: str) -> Expansion:
    return Expansion(written=written, meaning=entry.meaning, keyword_only=entry.keyword_only)


def typing_errors(written: str, meant: str, *, most: int) -> int:
    """How many letters were left out, put in, mistaken or swapped with a neighbour; above `most` just that it is more.

    Optimal string alignment, the restricted Damerau-Levenshtein distance.
    """
    before: list[int] = []
    last = list(range(len(meant) + 1))
    for row, letter in enumerate(written, start=1):
        line = [row]
        for column, other in enumerate(meant, start=1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == meant[column - 2] and written[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        if min(line) > most and min(last) > most:
            return most + 1
        before, last = last, line
    return last[-1]

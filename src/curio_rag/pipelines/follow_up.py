"""Follow-up questions: what "it" is, and what "and children?" asks, is taken from the questions before.

By rules and tables alone, so the same thread gives the same search. What is taken over are single
words of earlier questions, never their statements: a false premise of an earlier turn is not carried on,
and one in this turn is searched for and answered by what the documents say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from curio_rag.domain.follow_up_words import FollowUpWords
from curio_rag.domain.question_types import WORD, QuestionTypes
from curio_rag.domain.questions import Turn

MOST_TURNS = 6
"""What was said longer ago is not what "it" means."""

MOST_CHARACTERS = 2000
"""Of an earlier question; what comes after so many is not what it was about."""

MOST_CARRIED = 8
OWN_SUBJECT, OWN_WORDS = 3, 4
"""With so many words that name something, or with two of them among so many words that tell something, a question
without a word that points back stands for itself."""

_END = re.compile(r"[\s?!.]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What to search for a question, and the phrases that were carried into it; none where it stands for itself.

    `points_back` says that a word such as "it" stands for them.
    """

    text: str
    carried: tuple[str, ...] = ()
    points_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """What a turn was about: the phrases that name something, as they were written, and the words that ask."""

    subject: tuple[str, ...] = ()
    frame: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """Reads a question in the light of those before it in its thread."""

    words: FollowUpWords
    types: QuestionTypes

    def resolve(self, question: str, previous: Sequence[Turn]) -> Resolution:
        """The text to search; the question itself when it follows nothing. Never raises for any text."""
        before = _Spoken()
        for turn in previous[-MOST_TURNS:]:
            before = self._after(turn, before)
        carried = self._carried(question, before)
        if not carried:
            return Resolution(text=question)
        asked = _END.sub("", self._opened(question)[0])
        return Resolution(
            text=f"{asked}, about {' and '.join(carried)}?",
            carried=carried,
            points_back=bool(self._points_back(asked)),
        )

    def _after(self, turn: Turn, before: _Spoken) -> _Spoken:
        """What is spoken of once this turn was asked and answered."""
        asked = turn.question[:MOST_CHARACTERS]
        own = self._spoken(asked)
        carried = self._carried(asked, before)
        kept = tuple(phrase for phrase in before.subject if phrase in carried)
        subject = _once(own.subject, kept)[:MOST_CARRIED]
        if not subject and turn.titles:
            subject = self._spoken(turn.titles[0]).subject
        if not subject:
            return before
        return _Spoken(subject=subject, frame=own.frame or (before.frame if carried else ()))

    def _carried(self, question: str, before: _Spoken) -> tuple[str, ...]:
        """The words of earlier turns that this question needs to be understood."""
        text, opened, instead = self._opened(question)
        if not before.subject or WORD.search(text) is None:
            return ()
        own = self._spoken(text)
        named = _count(own.subject)
        new = named >= OWN_SUBJECT or (named > 1 and named + len(own.frame) >= OWN_WORDS)
        pointing = self._points_back(text)
        fragment = self.words.verb.search(text) is None
        everything = _once(before.subject, before.frame)
        if instead and (new or (named > 1 and own.frame)):
            carried: tuple[str, ...] = () if own.frame else before.frame
        elif instead:
            carried = before.subject if own.frame else everything
        elif pointing:
            carried = everything if self.words.whole.search(pointing) else before.subject
        elif fragment and (opened or not new):
            carried = before.subject if own.frame or new else everything
        elif (opened and not new) or not own.subject or (named == 1 and self.words.person.search(text)):
            carried = before.subject
        else:
            return ()
        left = self._without_replaced(carried, text, own, instead=instead or fragment)
        if pointing and not left:  # "Is it better than Abecma?" means the other product beside this one
            left = _once(before.subject)
        return left[:MOST_CARRIED]

    def _opened(self, question: str) -> tuple[str, bool, bool]:
        """The question without courtesies and openers, and whether it had an opener, and one that replaces."""
        courtesy = self.words.courtesy.match(question)
        text = question[courtesy.end() :] if courtesy else question
        opener = self.words.opener.match(text)
        text = text[opener.end() :] if opener else text
        replacing = self.words.replacing.match(text)
        text = text[replacing.end() :] if replacing else text
        return text.strip(), opener is not None, replacing is not None

    def _points_back(self, text: str) -> str:
        """The first word that points out of the question; empty where it points to something in it."""
        clear = self.words.expletive.sub(lambda match: " " * len(match.group()), text)
        match = self.words.anaphor.search(clear)
        if match is None:
            return ""
        # Where the first has something before it to point to, each later one has too.
        said = text[: match.start()]
        named = _count(self._spoken(said).subject)
        return match.group() if named < (1 if "," in said else OWN_SUBJECT) else ""

    def _spoken(self, text: str) -> _Spoken:
        """The phrases of a text that name something, apart from the words that ask.

        Words that stand side by side stay one phrase: "acute leukemia" is a disease, "Yescarta" and "lymphoma",
        which did not stand together, are none.
        """
        subject: list[str] = []
        frame: list[str] = []
        end = -1
        for match in WORD.finditer(text):
            word = match.group()
            if not self.types.content_terms(word):
                continue
            if word.lower() in self.words.frame or any(kind.asks(word) for kind in self.types.types):
                frame.append(word)
                continue
            if subject and end >= 0 and not text[end : match.start()].strip():
                subject[-1] += f" {word}"
            else:
                subject.append(word)
            end = match.end()
        return _Spoken(subject=_once(subject), frame=_once(frame))

    def _without_replaced(self, carried: Sequence[str], text: str, own: _Spoken, *, instead: bool) -> tuple[str, ...]:
        """The phrases without what the question says itself, and without that in whose place it puts something else.

        Another country or product of the same class, and another disease; where it says only which kind of
        disease it means, the disease is carried without its own kind: "mantle cell" after "large B-cell lymphoma".
        """
        said = {word.lower() for phrase in (*own.subject, *own.frame) for word in phrase.split()}
        replaced = frozenset[str]().union(*(each for each in self.words.classes if each & said))
        another = bool(self.types.diseases_in(text))
        left: list[str] = []
        for phrase in carried:
            words = [word for word in phrase.split() if word.lower() not in replaced]
            diseases = [word for word in words if word.lower() in self.types.diseases]
            if diseases and (another or instead):
                words = [] if another else diseases
            if not {word.lower() for word in words} <= said:
                left.append(" ".join(words))
        return tuple(left)


def _once(*lists: Sequence[str]) -> tuple[str, ...]:
    """The phrases of all lists in order, each once in whatever case."""
    phrases: dict[str, str] = {}
    for each in lists:
        for phrase in each:
            phrases.setdefault(phrase.lower(), phrase)
    return tuple(phrases.values())


def _count(phrases: Sequence[str]) -> int:
    return sum(len(phrase.split()) for phrase in phrases)

"""Reads what lies in the package's `data` folder into the domain's values."""

from __future__ import annotations

import json
from importlib import resources

import msgspec

from curio_rag.domain.claim_words import ClaimWords
from curio_rag.domain.follow_up_words import FollowUpWords
from curio_rag.domain.glossary import Glossary
from curio_rag.domain.question_types import Facet, QuestionType, QuestionTypes
from curio_rag.domain.ranking_weights import RankingWeights


class _TypesFile(msgspec.Struct, frozen=True):
    """The shape of `question_types.json`."""

    stopwords: str
    types: tuple[QuestionType, ...]
    facets: dict[str, tuple[Facet, ...]]
    gaps: dict[str, str]
    answered: dict[str, str]
    boilerplate: tuple[str, ...]
    diseases: str
    loose_diseases: str
    general_headings: tuple[str, ...]
    questions_to_ask: tuple[_Asking, ...]


class _FollowUpFile(msgspec.Struct, frozen=True):
    """The shape of `follow_up.json`."""

    courtesies: str
    openers: str
    instead: str
    expletives: tuple[str, ...]
    anaphors: str
    persons: str
    event: str
    verbs: str
    frame: str
    classes: tuple[str, ...]


class _Asking(msgspec.Struct, frozen=True):
    about: tuple[str, ...]
    questions: tuple[str, ...]


def read_data(name: str) -> bytes:
    """The bytes of one file of the package's data."""
    return resources.files("curio_rag").joinpath("data", name).read_bytes()


def load_question_types() -> QuestionTypes:
    """The kinds of question, their headings, and the words that carry no meaning."""
    file = msgspec.convert(json.loads(read_data("question_types.json")), type=_TypesFile)
    return QuestionTypes(
        stopwords=frozenset(file.stopwords.split()),
        types=file.types,
        facets=tuple(file.facets.items()),
        gaps=tuple(file.gaps.items()),
        answered=tuple(file.answered.items()),
        boilerplate=file.boilerplate,
        diseases=frozenset(file.diseases.split()),
        loose_diseases=frozenset(file.loose_diseases.split()),
        general_headings=frozenset(file.general_headings),
        questions_to_ask=tuple((each.about, each.questions) for each in file.questions_to_ask),
    )


def load_glossary() -> Glossary:
    """What lay words stand for, common misspellings, and what is courtesy in a message."""
    return msgspec.json.decode(read_data("glossary.json"), type=Glossary)


def load_ranking_weights() -> RankingWeights:
    """How much each signal of a search counts."""
    return msgspec.convert(json.loads(read_data("ranking.json"))["weights"], type=RankingWeights)


def load_follow_up_words() -> FollowUpWords:
    """The words by which a question is known to follow another."""
    file = msgspec.json.decode(read_data("follow_up.json"), type=_FollowUpFile)
    words = {"frame": frozenset(file.frame.split()), "classes": tuple(frozenset(each.split()) for each in file.classes)}
    return FollowUpWords(**(msgspec.structs.asdict(file) | words))


def load_claim_words() -> ClaimWords:
    """The words by which the claim gate reads a sentence."""
    return msgspec.json.decode(read_data("claim_words.json"), type=ClaimWords)

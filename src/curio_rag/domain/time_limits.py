"""Tells a rule with a time limit from a duration that only describes, and whether it says where, when and for what.

A rule that is true for one product in one country is dangerous for another, so a sentence that holds one has to carry
its scope: it may be quoted alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from curio_rag.domain.sources import Document


class Limit(StrEnum):
    """What a time limit is about; the first two need a product or product group beside country and year."""

    DRIVING = "driving"
    NEARNESS = "staying near"
    OTHER = "other"


PRODUCTS = (
    *("Abecma", "Aucatzyl", "Breyanzi", "Carvykti", "Kymriah", "Tecartus", "Yescarta"),
    *("idecabtagene", "obecabtagene", "lisocabtagene", "ciltacabtagene", "tisagenlecleucel", "brexucabtagene"),
    *("axicabtagene", "ide-cel", "obe-cel", "liso-cel", "cilta-cel", "tisa-cel", "brexu-cel", "axi-cel"),
)
"""Approved CAR-T products by trade name, generic name and short name; what documents declare is added to them."""

_NUMBER = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen"
    r"|twenty|thirty|sixty|ninety)"
)
_UNIT = r"(?:days?|weeks?|fortnights?|months?|years?)"
_SPAN = rf"{_NUMBER}(?:\s*(?:to|or|and|[-–])\s*{_NUMBER})?[\s-]+(?:full\s+|whole\s+|more\s+)?{_UNIT}"
_DURATION = re.compile(rf"\b(?:{_SPAN}|an?\s+(?:full\s+|whole\s+)?(?:week|fortnight|month|year))\b", re.IGNORECASE)
_VAGUE = re.compile(rf"\b(?:(?:a\s+few|several|some|a\s+couple\s+of|many)\s+{_UNIT}|for\s+{_UNIT})\b", re.IGNORECASE)

_NO_LIMIT = re.compile(
    rf"\b(?:once|twice|{_NUMBER}|times|visits?|more)\s+(?:an?|each|every|per)\s+(?:day|week|month|year)\b"
    rf"|\bevery\s+(?:{_NUMBER}\s+)?{_UNIT}\b"
    rf"|\b(?:aged?|up\s+to|over|under|from|least|than)\s+{_NUMBER}(?:\s+to\s+{_NUMBER})?\s+years?\s+(?:old|of\s+age|and\s+older)\b"
    rf"|\baged?\s+(?:{_NUMBER}\s+to\s+)?{_NUMBER}\s+years?\b|\b{_NUMBER}\s+years?\s+(?:old|of\s+age|and\s+older)\b",
    re.IGNORECASE,
)
"""How often and how old: "twice a week", "every 30 days", "up to 25 years old"."""

_DRIVING = re.compile(r"\bdriv(?:e|es|ing|er|ers)\b|\bbehind\s+the\s+wheel\b|\bmachines\b|\bmachinery\b", re.IGNORECASE)
_NEARNESS = re.compile(
    r"\b(?:stay|stays|staying|live|living|lodge|lodging|remain|remaining|be)\s+(?:\w+\s+){0,2}(?:near|nearby|close)\b"
    r"|\bnear\s+(?:an?|the|your|their)\s+(?:[\w-]+\s+){0,3}(?:centre|center|hospital|clinic|facility)\b"
    r"|\bwithin\s+(?:[\w-]+\s+){1,4}(?:of|from)\s+(?:an?|the|your|their)\s+(?:[\w-]+\s+){0,3}(?:centre|center|hospital|clinic|facility)\b",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(
    r"\b(?:must|should|shall|ha(?:s|ve|d)\s+to|need(?:s|ed)?\s+to|not\s+to|no\s+sooner|not\s+before|is\s+not\s+safe|are\s+not\s+safe)\b"
    r"|(?:^|[:;,]\s|\b(?:and|so|but|that)\s)(?:please\s+)?(?:do\s+not|don['’]t|never)\b"
    r"|\b(?:say|says|said|tell|tells|told)\s+(?:\w+\s+)?to\b"
    r"|\b(?:advis|recommend|requir|permit|forbid)\w*\b|\b(?:ask|asks|asked|want|wants|allow|allows|allowed)\b"
    r"|\byou\s+(?:can|may)\s+(?:have|go|start|stop|return|travel|fly|swim|work|eat)\b"
    r"|\bavoid(?:s|ing)?\b|\bhold\s+off\b|\bkeep\s+(?:away|out)\b|\bbest\s+given\b"
    r"|\bwait(?:s|ing)?\s+(?:at\s+least|about|for|until|\d)|\bto\s+wait\b"
    r"|(?:^|:\s)(?:Stay|Wait|Avoid|Keep|Use|Take|Live|Remain|Have|Eat|Drink|Rest|Get|Continue|Go)\b",
    re.IGNORECASE,
)
"""Words that tell people, or makers, what to do."""

_LIMITING = re.compile(
    rf"\bat\s+least\b|\buntil\b|\bno\s+longer\s+than\b|\bwithin\s+(?:{_SPAN})|\b(?:{_SPAN})\s+(?:after|before|from)\b"
    rf"|\b(?:for|after)\s+(?:the\s+first\s+)?(?:{_SPAN})\b",
    re.IGNORECASE,
)
"""Words that set a limit, unless the sentence tells what was seen or how long something takes."""

_GOVERNED = re.compile(
    r"\bvaccin\w+|\bbirth\s+control\b|\bcontracepti\w+|\bpregnan\w+|\birradiated\b|\bblood\s+donor", re.IGNORECASE
)
"""What rules differ on by product and country, so that even a description of it sets a limit."""

_RESEARCH = re.compile(
    r"\b(?:stud(?:y|ies)|trials?|review|survey|of\s+every\s+\d+|half\s+of|people\s+in)\b|\b[A-Z]{3,}[\w-]*-\d"
)
_DESCRIBED = re.compile(
    r"\b(?:most|some|many|other|half|about|people|they|often|mostly|usually|mean|means|takes?|took|lasts?|lasting|goes|"
    r"went|came|comes?|can|may|could|might|was|were|had|has|have|is|are|saw|found|alive|remission|begun|begins?|starts?)\b",
    re.IGNORECASE,
)

_PLACE = re.compile(
    r"\b(?:United States|US|USA|U\.S\.|America|American|United Kingdom|UK|Britain|British|England|English|Scotland|"
    r"Scottish|Wales|Welsh|Northern Ireland|Ireland|Irish|European Union|EU|Europe|European|Canada|Canadian|Australia|"
    r"Australian|New Zealand|Switzerland|Swiss|Philippines|Germany|German|France|French|Italy|Italian|Spain|Spanish|"
    r"Portugal|Netherlands|Dutch|Belgium|Belgian|Austria|Austrian|Denmark|Danish|Sweden|Swedish|Norway|Norwegian|Finland|"
    r"Finnish|Poland|Polish|Czech|Greece|Greek|Turkey|Israel|Israeli|India|Indian|China|Chinese|Japan|Japanese|Korea|"
    r"Korean|Singapore|Thailand|Brazil|Brazilian|Mexico|Argentina|South Africa|Saudi Arabia|Egypt|"
    r"FDA|CDC|ASCO|IDSA|NCCN|ASTCT|EMA|EBMT|EHA|ESMO|MHRA|NICE|NHS|BSH|DVLA|TGA|Health Canada|Swissmedic|PMDA|NMPA)\b"
)
"""Countries, regions and organisations of which it is known whom they speak for."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_GROUP = re.compile(
    r"\b(?:all|any|every|both|one|two|three|four|five|six|seven|these|CD19|BCMA)\s+(?:approved\s+)?CAR[- ]T\b"
    r"|\bpeople\s+who\s+(?:have\s+)?had\s+CAR[- ]T\b|\bCAR[- ]T\s+(?:products|therapies)\b",
    re.IGNORECASE,
)


def limit_of(sentence: str) -> Limit | None:
    """What the time limit in a sentence is about; None where there is no time limit that anybody should keep."""
    told = _NO_LIMIT.sub(" ", sentence)
    bound = _DURATION.search(told)
    directive = _DIRECTIVE.search(told)
    subject = matter_of(told)
    if subject is not Limit.OTHER:
        # the reader acts on it however it is put: "most people drive again after a month" is a limit too
        seen = _RESEARCH.search(told) and not directive
        return subject if (bound or (directive and _VAGUE.search(told))) and not seen else None
    if not bound:
        return None
    limiting = (
        _LIMITING.search(told)
        and not _RESEARCH.search(told)
        and (_GOVERNED.search(told) or not _DESCRIBED.search(told))
    )
    return subject if directive or limiting else None


def matter_of(sentence: str) -> Limit:
    """What a sentence is about, whether it holds a time limit or not."""
    return Limit.DRIVING if _DRIVING.search(sentence) else Limit.NEARNESS if _NEARNESS.search(sentence) else Limit.OTHER


def missing_scope(sentence: str, limit: Limit, products: Iterable[str]) -> tuple[str, ...]:
    """What a sentence with a time limit does not say: `country`, `year`, `product`."""
    missing = []
    if not _PLACE.search(sentence):
        missing.append("country")
    if not _YEAR.search(sentence):
        missing.append("year")
    named = any(re.search(rf"\b{re.escape(name)}\b", sentence, re.IGNORECASE) for name in products)
    if limit is not Limit.OTHER and not named and not _GROUP.search(sentence):
        missing.append("product")
    return tuple(missing)


def known_products(documents: Iterable[Document]) -> frozenset[str]:
    """The products that a time limit may name: the approved ones and those that the documents are about."""
    return frozenset(PRODUCTS) | {name for document in documents for name in document.products}

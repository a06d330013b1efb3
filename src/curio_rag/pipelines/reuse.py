"""Which questions are general enough to be given an answer that was approved for somebody else.

Only the same words count, after case, accents, punctuation and spacing. A question that is merely
similar is no equivalent (the area under the curve of question entailment is .63 on its adversarial
test) and is offered to the clinician as a precedent, never to the asker as an answer.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = """
i im ive id ill me my mine myself we us our ours ourselves you your he him his she her hers they them their
wife husband partner mother mom mum mommy mama father dad daddy papa parent parents son daughter child children
kid kids baby toddler brother sister sibling aunt uncle nephew niece cousin grandmother grandfather grandma grandpa
granny friend neighbour neighbor boyfriend girlfriend fiance fiancee teenager teen pregnant pregnancy breastfeeding
year years yr yrs old aged age ages month months week weeks day days hour hours today yesterday tomorrow tonight
now currently since ago morning
"""
PERSONAL = frozenset(_WORDS.split())
"""Words by which a question may be about one person or one moment; a general question has none of them."""


def plain_words(question: str) -> str | None:
    """The question's words in order, or None when it may hold a personal fact, an age, a number or a moment.

    Strict on purpose: a general question that is turned away here only waits for a clinician.
    """
    folded = unicodedata.normalize("NFKD", question).casefold()
    letters = "".join(character for character in folded if not unicodedata.combining(character))
    words = re.findall(r"[^\W_]+", letters.replace("'", "").replace("’", ""))
    if not words or len(words) < 3 or any(word in PERSONAL or any(map(str.isdigit, word)) for word in words):
        return None
    return " ".join(words)

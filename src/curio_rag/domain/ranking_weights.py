"""How much each signal of a search counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingWeights:
    """Fitted on development sets by `evals/fit_ranking.py`, kept in `data/ranking.json` with their provenance.

    `text`, `title` and `heading` weigh the cosines of the three vectors of a passage, `part` (0 to 1) how
    much of a cosine is that to the nearest part of the question instead of the whole. Their sum,
    brought to 0 to 1 among the candidates, counts `dense`, or as much of it as lies on vectors in which
    they differ. The words of the question count `keyword` by BM25, `coverage` by the share of its terms
    that a passage holds, and `phrase` by the share of its neighbouring terms that stand there as
    neighbours; all three fade in a question of more than `telling_terms` terms, of which more and more
    are by the way. `section` is added where a heading announces what is asked for, `off_subject` taken
    away where the names are of another disease. `sentence` weighs, among the best by all of these, how near
    the nearest sentence of each is, brought to 0 to 1.
    """

    text: float
    title: float
    heading: float
    part: float
    dense: float
    keyword: float
    coverage: float
    phrase: float
    telling_terms: float
    section: float
    off_subject: float
    sentence: float

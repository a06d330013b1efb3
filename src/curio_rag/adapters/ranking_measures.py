"""Standard measures of rankings by ir-measures, with the gain, ties and denominators of our own benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from curio_rag.errors import EvalError


class IrMeasures:
    """Scores rankings topic by topic through ir-measures, which runs trec_eval; imported by the first call.

    trec_eval's own nDCG has a linear gain, breaks ties by name and skips topics that a run lacks. Here
    the gain is 2^grade - 1, entries stand in the order of the run, and a topic without results scores 0.
    """

    def by_topic(
        self,
        run: Mapping[str, Sequence[str]],
        judgements: Mapping[str, Mapping[str, int]],
        *,
        names: Sequence[str],
        relevant_from: int = 1,
    ) -> dict[str, dict[str, float]]:
        """For each judged topic the measures of these names (`Recall@5`, `nDCG@10`, `MRR@10`, `P@1`, any depth).

        `run` gives the entries of each topic, best first, none twice. Raises `EvalError` where
        ir-measures is not installed or has no such measure.
        """
        try:
            import ir_measures
        except ImportError as error:
            raise EvalError(
                "The measures of retrieval need ir-measures.", hint="Install it: pip install 'curio_rag[eval]'."
            ) from error
        highest = max((grade for grades in judgements.values() for grade in grades.values()), default=0)
        gains = {grade: 2**grade - 1 for grade in range(highest + 1)}
        kinds = {
            "Recall": lambda depth: ir_measures.R(rel=relevant_from) @ depth,
            "nDCG": lambda depth: ir_measures.nDCG(gains=gains) @ depth,
            "MRR": lambda depth: ir_measures.RR(rel=relevant_from) @ depth,
            "P": lambda depth: ir_measures.P(rel=relevant_from) @ depth,
        }
        measures = {}
        for name in names:
            kind, _, depth = name.partition("@")
            if kind not in kinds or not depth.isdigit() or depth == "0":
                raise EvalError(f"There is no measure {name!r}.", hint="Choose from Recall@5, nDCG@10, MRR@10, P@1.")
            measures[str(kinds[kind](int(depth)))] = name
        # whole numbers that fall with the rank leave trec_eval no tie to break in its own way
        scored = {
            topic: {entry: float(len(entries) - place) for place, entry in enumerate(entries)}
            for topic, entries in run.items()
        }
        found: dict[str, dict[str, float]] = {topic: dict.fromkeys(names, 0.0) for topic in judgements}
        parsed = [ir_measures.parse_measure(text) for text in measures]
        for each in ir_measures.iter_calc(parsed, judgements, scored):
            found[each.query_id][measures[str(each.measure)]] = each.value
        return found

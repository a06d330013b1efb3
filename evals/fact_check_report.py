"""How far plain facts are judged as their wordings judge them: `python evals/fact_check_report.py [SPLIT]`.

Every gold fact has wordings that show it. Each is judged once by these and once, as the fact of a plain gold
answer would be, by its words, figures and negation alone. SPLIT is `development` where none is given.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from curio_rag.domain.eval_reports import FactStatus
from curio_rag.domain.evals import Split
from curio_rag.errors import CurioError
from curio_rag.knowledge_base import KnowledgeBase
from curio_rag.pipelines.fact_check import judge_fact

ROOT = Path(__file__).resolve().parent.parent
THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8)


def main(arguments: Sequence[str]) -> int:
    """Print the agreement at each threshold; 2 when something cannot be read."""
    try:
        split = Split(arguments[0] if arguments else Split.DEVELOPMENT)
    except ValueError:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        with KnowledgeBase.open(ROOT) as base:
            report = base.evaluate(splits=(split,)).split(split.value)
    except CurioError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    answered = [case for case in report.cases if case.sentences]
    for threshold in THRESHOLDS:
        judged = Counter(
            (fact.status, judge_fact(fact.fact, [each.text for each in case.sentences], covered_from=threshold))
            for case in answered
            for fact in case.facts
        )
        total = judged.total()
        agree = sum(
            count
            for (shown, plain), count in judged.items()
            if (shown == plain) or FactStatus.COVERED not in (shown, plain)
        )
        print(f"{threshold:.1f}: {agree} of {total} facts alike ({agree / total:.3f})")
        for (shown, plain), count in sorted(judged.items()):
            print(f"  by wordings {shown.value}, by words {plain.value}: {count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

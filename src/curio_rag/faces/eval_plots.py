"""The plots of an evaluation report as inline SVG; every text is escaped, no colour is the only sign of anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape

from curio_rag.domain.eval_reports import AbstentionResult, CaseResult, TimeResult
from curio_rag.domain.measures import Measure

WIDTH = 720
DOT = 4.5
STRIP_BINS = 50
FEW_CASES = 5


def interval_bar(measure: Measure, *, lower_is_better: bool = False) -> str:
    """A share from 0 to 1 as a bar, its interval as a line over it; too few cases have none that means anything."""
    kind = "bar lower" if lower_is_better else "bar"
    low, high, value = (100 * max(0.0, min(1.0, each)) for each in (measure.low, measure.high, measure.value))
    label = f"{measure.name}: {measure.value:.3f}, 95 % interval {measure.low:.3f} to {measure.high:.3f}"
    return (
        f'<svg class="interval" viewBox="0 0 104 14" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>'
        f'<rect class="track" x="2" y="3" width="100" height="8" rx="1"/>'
        f'<rect class="{kind}" x="2" y="3" width="{value:.1f}" height="8" rx="1"/>'
        f"{_whisker(2 + low, 2 + high) if measure.count >= FEW_CASES else ''}</svg>"
    )


def _whisker(low: float, high: float) -> str:
    lines = ((low, high, 7, 7), (low, low, 4, 10), (high, high, 4, 10))
    return "".join(
        f'<line class="whisker" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1}" y2="{y2}"/>' for x1, x2, y1, y2 in lines
    )


def strength_strip(cases: Sequence[CaseResult], threshold: float) -> str:
    """Each searched question as a dot at the strength of its evidence, in the row of its kind; hollow: unanswered."""
    left, right, top, row_height = 130, 20, 30, 92
    rows = [
        (kind, [case for case in cases if case.kind == kind and case.strength is not None])
        for kind in ("answerable", "unanswerable", "decision")
    ]
    rows = [(kind, found) for kind, found in rows if found]
    height = top + row_height * len(rows) + 34
    scale = WIDTH - left - right
    parts = [_opening(WIDTH, height, "Strength of evidence of every question that was searched, by kind")]
    for number, (kind, found) in enumerate(rows):
        base = top + row_height * (number + 1) - 8
        parts.append(f'<line class="axis" x1="{left}" x2="{WIDTH - right}" y1="{base + 6}" y2="{base + 6}"/>')
        parts.append(f'<text x="{left - 12}" y="{base - 22}" class="end strong">{escape(kind)}</text>')
        answered = sum(bool(case.score("Words")) for case in found)
        parts.append(
            f'<text x="{left - 12}" y="{base - 6}" class="end soft">{answered} of {len(found)} answered</text>'
        )
        parts.extend(_strip_dots(found, left=left, base=base, scale=scale, room=row_height - 16))
    at = left + threshold * scale
    bottom = top + row_height * len(rows)
    parts.append(f'<line class="threshold" x1="{at:.1f}" x2="{at:.1f}" y1="{top - 8}" y2="{bottom}"/>')
    parts.append(f'<text x="{at:.1f}" y="{top - 13}" class="middle strong">answers from {threshold:.2f}</text>')
    parts.extend(_ticks(left=left, scale=scale, y=bottom + 18))
    parts.append("</svg>")
    return "".join(parts)


def _strip_dots(found: Sequence[CaseResult], *, left: int, base: int, scale: int, room: int) -> list[str]:
    """Dots that would cover each other are stacked, as close as the fullest place needs."""
    stacks: dict[int, list[CaseResult]] = defaultdict(list)
    for case in sorted(found, key=lambda each: (each.strength or 0.0, each.id)):
        stacks[min(STRIP_BINS - 1, int((case.strength or 0.0) * STRIP_BINS))].append(case)
    step = min(2 * DOT + 1, room / max(map(len, stacks.values())))
    dots = []
    for place, stack in stacks.items():
        x = left + (place + 0.5) / STRIP_BINS * scale
        for level, case in enumerate(stack):
            answered = bool(case.score("Words"))
            right = case.kind == "decision" or answered == (case.kind == "answerable")
            kind = f"{'full' if answered else 'hollow'} {'right' if right else 'wrong'}"
            said = f"{case.id}: {case.strength or 0.0:.2f}, {'answered' if answered else 'not answered'}"
            dots.append(
                f'<a href="#{escape(anchor(case.id))}"><circle class="{kind}" cx="{x:.1f}" '
                f'cy="{base - level * step:.1f}" r="{DOT}"><title>{escape(said)}</title></circle></a>'
            )
    return dots


def anchor(case_id: str) -> str:
    """The name of a case's place in the page, of letters, digits and dashes."""
    return "case-" + "".join(character if character.isascii() and character.isalnum() else "-" for character in case_id)


def reliability_diagram(abstention: AbstentionResult) -> str:
    """The share of answerable questions against the strength, read as a probability; on the diagonal it is honest."""
    side, margin = 300, 46
    size = side - margin - 14
    parts = [_opening(side + 60, side, "Reliability of the strength of evidence read as a probability")]
    bottom = 14 + size

    def place(x: float, y: float) -> tuple[float, float]:
        return margin + x * size, bottom - y * size

    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = place(value, value)
        parts.append(f'<line class="grid" x1="{margin}" x2="{margin + size}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{margin - 6}" y="{y + 4:.1f}" class="end soft">{value:g}</text>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" class="middle soft">{value:g}</text>')
    (x1, y1), (x2, y2) = place(0, 0), place(1, 1)
    parts.append(f'<line class="diagonal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')
    points = [place(each.strength, each.answerable) for each in abstention.reliability]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(f'<polyline class="curve" points="{path}"/>')
    for each, (x, y) in zip(abstention.reliability, points, strict=True):
        said = f"{each.count} questions of strength {each.low:g} to {each.high:g}: {each.answerable:.0%} answerable"
        parts.append(
            f'<circle class="full right" cx="{x:.1f}" cy="{y:.1f}" r="{3 + each.count**0.5:.1f}">'
            f"<title>{escape(said)}</title></circle>"
            f'<text x="{x + 6 + each.count**0.5:.1f}" y="{y + 13:.1f}" class="soft">{each.count}</text>'
        )
    parts.append(f'<text x="{margin + size / 2}" y="{side - 2}" class="middle soft">strength of evidence</text>')
    parts.append(f'<text x="{margin}" y="9" class="soft">share that is answerable</text></svg>')
    return "".join(parts)


def time_bars(times: Sequence[TimeResult]) -> str:
    """The median of each stage as a bar, and a line to the time that 95 of 100 questions keep within."""
    left, row, top = 150, 28, 8
    most = max(each.p95 for each in times) or 1.0
    scale = WIDTH - left - 150
    height = top + row * len(times) + 6
    parts = [_opening(WIDTH, height, "Milliseconds of each stage")]
    for number, each in enumerate(times):
        y = top + row * number
        median, late = (scale * value / most for value in (each.median, each.p95))
        parts.append(f'<text x="{left - 12}" y="{y + 15}" class="end">{escape(each.stage)}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y + 4}" width="{max(1.0, median):.1f}" height="14" rx="1"/>')
        parts.append(
            f'<line class="whisker" x1="{left + median:.1f}" x2="{left + late:.1f}" y1="{y + 11}" y2="{y + 11}"/>'
            f'<line class="whisker" x1="{left + late:.1f}" x2="{left + late:.1f}" y1="{y + 6}" y2="{y + 16}"/>'
        )
        parts.append(
            f'<text x="{left + late + 10:.1f}" y="{y + 15}" class="soft">{each.median:.0f} ms, '
            f"95 of 100 within {each.p95:.0f}</text>"
        )
    parts.append("</svg>")
    return "".join(parts)


def _ticks(*, left: int, scale: int, y: float) -> list[str]:
    return [
        f'<text x="{left + value * scale:.1f}" y="{y:.1f}" class="middle soft">{value:g}</text>'
        for value in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]


def _opening(width: int, height: float, label: str) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width} {height:.0f}" style="max-width:{width}px" role="img" '
        f'aria-label="{escape(label)}">'
    )

"""An answer laid out as plain text: the notice first, `[n]` markers, sources, the status last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from curio_rag.domain.answers import Answer, Citation, Outcome, Section, SectionKind, Source
from curio_rag.domain.questions import Urgency
from curio_rag.domain.sources import VettingStatus

WIDTH = 78

STANDINGS = {
    "awaiting_review": "awaiting a clinician",
    "approved": "approved by a clinician",
    "rejected": "rejected by a clinician",
    "lapsed": "the sign-off has lapsed",
    "withdrawn": "withdrawn",
    "unsaved": "not saved (the store is read-only), so no clinician will see it",
}


def notice_of(answer: Answer, *, status: str, badge: str = "") -> str:
    """One sentence or two that must stand with the answer wherever it is shown; `badge` is what a review says of it."""
    if badge:
        return badge
    if answer.outcome is Outcome.REFERRED and not answer.sections:
        return f"Fixed advice, the same for everybody. {_whom_it_reached(status)}"
    if answer.outcome is Outcome.ABSTAINED:
        return f"No answer was drafted. {_whom_it_reached(status)}"
    if status == "unsaved":
        return f"AI draft{_basis(answer)}. Not saved, not reviewed by a clinician."
    return f"AI draft{_basis(answer)}. Not reviewed by a clinician."


def plain_text(answer: Answer, *, status: str, assistant: str, quotes: bool = False, badge: str = "") -> str:
    """The whole answer, wrapped at 78 columns; with `quotes`, the cited words stand under each sentence.

    `badge` is what a review says of the answer; it takes the place of the notice of a draft.
    """
    advice = "\n".join(_wrapped_lines(answer.advice)) if answer.advice else ""
    below = answer.urgency is Urgency.ROUTINE and answer.outcome is Outcome.DRAFTED
    parts = ["" if below else advice]
    if answer.sections:
        parts.append(_banner(answer, assistant, badge=badge))
        parts.append(_wrap(answer.reason.text) if answer.reason else "")
        parts.extend(_sections(answer, quotes=quotes))
        parts.append(_disagreements(answer))
        parts.append(advice if below else "")
        parts.append(_gaps(answer))
        parts.append(_asking(answer))
        parts.append(_source_list(answer))
    else:
        parts.append(_refusal(answer, status=status, badge=badge))
    parts.append(_closing(answer, status=status, quotes=quotes))
    return "\n\n".join(part for part in parts if part) + "\n"


def _basis(answer: Answer) -> str:
    standings = {source.vetting.status for source in answer.sources}
    if VettingStatus.SAMPLE in standings:
        return " from sample documents"
    return " from documents that nobody has vetted" if standings - {VettingStatus.VETTED} else ""


def _banner(answer: Answer, assistant: str, *, badge: str) -> str:
    basis = _basis(answer).replace("sample", "SAMPLE")
    draft = f"DRAFT{basis}, by {assistant} (AI first responder). No clinician has checked it."
    lines = [f"{badge or draft} It is general information, not advice about you or your family."]
    if not answer.advice or answer.urgency is Urgency.ROUTINE:
        lines.append("Very unwell now? Call your local emergency number. Do not wait for a reply.")
    return "\n".join(_wrap(line) for line in lines)


def _sections(answer: Answer, *, quotes: bool) -> Iterator[str]:
    block: list[str] = []
    indent = ""
    for number, section in enumerate(answer.sections):
        if section.heading and block:
            yield "\n".join(block)
            block = []
        if section.heading:
            block.append(_wrap(section.heading))
            indent = "" if number == 0 else "  "
        block.extend(_body(answer, section, indent=indent, quotes=quotes))
    if block:
        yield "\n".join(block)


def _body(answer: Answer, section: Section, *, indent: str, quotes: bool) -> Iterator[str]:
    cited = [
        (f"{each.text} {''.join(f'[{answer.marker_of(c)}]' for c in each.citations)}", each)
        for each in section.sentences
    ]
    if section.kind is SectionKind.PARAGRAPH and not quotes:
        yield _wrap(" ".join(text for text, _ in cited), indent=indent)
        return
    for number, (text, sentence) in enumerate(cited, start=1):
        lead = {SectionKind.STEPS: f"  {number}. ", SectionKind.LIST: "  - "}.get(section.kind, indent)
        yield _wrap(text, first=lead, indent=" " * len(lead))
        if quotes:
            for citation in sentence.citations:
                quoted = f'[{answer.marker_of(citation)}] "{" ".join(citation.quote.split())}"'
                where = f"{citation.document_id} {citation.span.start}-{citation.span.end}"
                yield _wrap(f"{quoted} ({where})", indent=" " * len(lead) + "    > ")


def _gaps(answer: Answer) -> str:
    lines = []
    if answer.not_covered:
        lines.append(f"Not covered by these documents: {', '.join(answer.not_covered)}.")
    if answer.withheld:
        count = len(answer.withheld)
        noun = "sentence was" if count == 1 else "sentences were"
        lines.append(f"{count} {noun} withheld because the source does not support the exact words.")
    if answer.incomplete:
        lines.append("INCOMPLETE: a warning or a step is among what was withheld.")
    return "\n".join(_wrap(line) for line in lines)


def _disagreements(answer: Answer) -> str:
    """For each pair both figures with the day and the scope of their sources."""
    lines = []
    for conflict in answer.conflicts:
        sides = ((conflict.first, conflict.first_figure), (conflict.second, conflict.second_figure))
        said = "; ".join(
            f'[{answer.marker_of(cited)}] says "{figure}"{_day_and_scope(answer, cited)}' for cited, figure in sides
        )
        lines.append(f"These sources disagree: {said}. Ask your own team which one holds for you.")
    return "\n".join(_wrap(line) for line in lines)


def _day_and_scope(answer: Answer, citation: Citation) -> str:
    source = next(each for each in answer.sources if each.marker == answer.marker_of(citation))
    about = [f"as of {source.as_of}"] if source.as_of else []
    about.extend([source.scope] if source.scope else [])
    return f" ({'; '.join(about)})" if about else ""


def _asking(answer: Answer) -> str:
    if not answer.questions_to_ask:
        return ""
    return _wrap(f"Ask your care team (standard list, no source): {' '.join(answer.questions_to_ask)}")


def _source_list(answer: Answer) -> str:
    standings = {source.vetting.status for source in answer.sources}
    if standings == {VettingStatus.VETTED}:
        title = "Sources"
    elif standings == {VettingStatus.SAMPLE}:
        title = "Sources (samples, not signed by a clinician)"
    else:
        title = "Sources (not all are signed by a clinician)"
    return "\n".join([title, *(_wrap(_source_line(each), first="  ", indent="      ") for each in answer.sources)])


def _source_line(source: Source) -> str:
    places = [f'"{heading}"' for heading in source.headings[:3]]
    if source.page:
        label = source.page_label
        places.append(f"p. {source.page}" if label in (None, str(source.page)) else f"p. {source.page} ({label})")
    about = [source.document_id]
    if source.publisher:
        about.insert(0, source.publisher)
    if source.as_of:
        about.append(f"as of {source.as_of}")
    if source.vetting.status is VettingStatus.VETTED:
        about.append(f"vetted by {source.vetting.clinician}, {source.vetting.credential}, {source.vetting.vetted_on}")
    return f"[{source.marker}] {', '.join([source.title, *places])} ({'; '.join(about)})"


def _whom_it_reached(status: str) -> str:
    """Nobody is told that help is on its way when the question could not be saved."""
    if status == "unsaved":
        return "It could not be saved, so no clinician will see it."
    return "A clinician has been asked to look at the question."


def _refusal(answer: Answer, *, status: str, badge: str) -> str:
    if answer.reason is None:
        return ""
    follows = "" if answer.reason.code == "not_shown" else (badge or _whom_it_reached(status))
    lines = [_wrap(f"{answer.reason.text} {follows}")]
    if answer.trace.searched:
        lines.append(_wrap(f"What was searched: {'; '.join(answer.trace.searched)}."))
    if answer.trace.nearest:
        lines.append("Nearest topics that these documents do cover:")
        lines.extend(_wrap(title, first="  - ", indent="    ") for title in answer.trace.nearest)
    if answer.outcome is Outcome.ABSTAINED or answer.reason.code == "not_shown":
        lines.append("Very unwell now? Call your local emergency number. Do not wait for a reply.")
    return "\n".join(lines)


def _closing(answer: Answer, *, status: str, quotes: bool) -> str:
    closing = f"Status: {STANDINGS[status]}."
    if answer.sections and not quotes:
        closing += " See every quote: curio ask ... --show-quotes"
    return _wrap(closing)


def _wrap(text: str, *, first: str | None = None, indent: str = "") -> str:
    return textwrap.fill(
        text,
        width=WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrapped_lines(text: str) -> Sequence[str]:
    return [_wrap(line) for line in text.split("\n")]

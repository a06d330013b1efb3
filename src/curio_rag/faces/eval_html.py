"""An evaluation report as one HTML page that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources

from curio_rag.domain.eval_reports import (
    Better,
    CaseResult,
    EvalReport,
    FactStatus,
    MetricResult,
    SplitReport,
    TagResult,
)
from curio_rag.faces.eval_plots import anchor, interval_bar, reliability_diagram, strength_strip, time_bars

TAG_COLUMNS = ("Key-fact recall", "Recall@5", "False refusals", "False answers")
TAG_ROWS = ("type", "wording", "feature")
PLAIN_NUMBERS = ("Reading grade", "Words")
MARKS = {FactStatus.COVERED: "covered", FactStatus.CONTRADICTED: "contradicted", FactStatus.MISSING: "missing"}


def report_html(report: EvalReport) -> str:
    """The whole page. The questions of the cases are in it, so keep a service's own as you keep its gold."""
    identity = report.identity
    style = (resources.files("curio_rag") / "data" / "eval_report.css").read_text(encoding="utf-8")
    facts = (
        ("version", identity.version),
        ("writer", identity.writer),
        ("documents", str(identity.documents)),
        ("corpus", identity.corpus_digest),
        ("index", identity.index_fingerprint),
        ("settings", identity.config_digest),
        ("model and splitter", identity.configuration),
        ("run at", identity.started_at),
    )
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Evaluation of {escape(identity.writer)}, {escape(identity.version)}</title>",
            f"<style>{style}</style></head><body><main>",
            "<header><h1>Evaluation</h1><p>Every stage of every answer, scored by rules alone. Failures and ",
            "abstentions count in every average; what must never happen is counted, never averaged.</p></header>",
            *(_split(split, number) for number, split in enumerate(report.splits)),
            f'<section><h2>What was measured</h2><dl class="identity">{rows}</dl></section>',
            "</main></body></html>\n",
        )
    )


def _split(split: SplitReport, number: int) -> str:
    failed = sum(case.failure is not None for case in split.cases)
    parts = [
        f'<article class="split"><h2 class="split-name">{escape(split.split.capitalize())}</h2>'
        f'<p class="soft">{len(split.cases)} cases, {split.clinician_confirmed} confirmed by a clinician, '
        f"{failed} failed</p>",
        _safety(split),
        _headline(split),
        f"<section><h2>By stage</h2>{_stages(split.metrics)}</section>",
    ]
    if split.abstention is not None:
        auroc = split.abstention.auroc
        parts.append(
            "<section><h2>To answer or not</h2><p>Each dot is a question that was searched, at the strength of its "
            "evidence. A full dot was answered, a hollow one was not; orange is the wrong choice. "
            f"Answerable and unanswerable are told apart with an AUROC of {auroc.value:.3f} "
            f"({auroc.low:.3f} to {auroc.high:.3f}).</p>"
            f"{strength_strip(split.cases, split.abstention.threshold)}</section>"
            "<section><h2>Is the strength a probability?</h2><p>Of the questions with strength .8, eight in ten should "
            "be answerable: the dashed line. Numbers are questions. "
            f"Brier score {split.abstention.brier.value:.3f}.</p>{reliability_diagram(split.abstention)}</section>"
        )
    parts.append(f"<section><h2>By tag</h2>{_tags(split.tags)}</section>")
    if split.times:
        parts.append(f"<section><h2>Time</h2>{time_bars(split.times)}</section>")
    parts.append(_cases(split.cases, number))
    parts.append("</article>")
    return "".join(parts)


def _safety(split: SplitReport) -> str:
    tiles = []
    for result in split.metrics:
        if result.metric.safety:
            state = "fault" if result.total else "clear"
            tiles.append(
                f'<li class="tile {state}" title="{escape(result.metric.meaning)}"><b>{result.total}</b>'
                f"<span>{escape(result.metric.name)}</span><small>over {result.measure.count} cases</small></li>"
            )
    return f'<section><h2>What must never happen</h2><ul class="tiles">{"".join(tiles)}</ul></section>'


def _headline(split: SplitReport) -> str:
    chosen = ("Key-fact recall", "Recall@5", "False refusals", "False answers", "Decisions referred", "Reading grade")
    tiles = [
        f'<li class="tile" title="{escape(result.metric.meaning)}"><b>{_value(result)}</b>'
        f"<span>{escape(result.metric.name)}</span><small>{_interval(result)}</small></li>"
        for result in split.metrics
        if result.metric.name in chosen
    ]
    return f'<section><h2>At a glance</h2><ul class="tiles">{"".join(tiles)}</ul></section>'


def _value(result: MetricResult) -> str:
    if result.metric.safety:
        return str(result.total)
    return f"{result.measure.value:.{1 if result.metric.name in PLAIN_NUMBERS else 3}f}"


def _interval(result: MetricResult) -> str:
    digits = 1 if result.metric.name in PLAIN_NUMBERS else 2
    return f"{result.measure.low:.{digits}f} to {result.measure.high:.{digits}f}, {result.measure.count} cases"


def _stages(metrics: Sequence[MetricResult]) -> str:
    rows = []
    before = ""
    for result in metrics:
        metric = result.metric
        stage = "" if metric.stage.value == before else metric.stage.value
        before = metric.stage.value
        lower = metric.better is Better.LOWER
        plain = metric.safety or metric.name in PLAIN_NUMBERS
        bar = "" if plain else interval_bar(result.measure, lower_is_better=lower)
        direction = {Better.LOWER: "lower is better", Better.NEITHER: "for information"}.get(metric.better, "")
        direction = "counted" if metric.safety else direction
        fault = ' class="wrong-text"' if metric.safety and result.total else ""
        rows.append(
            f'<tr{" class=first" if stage else ""}><th scope="row">{escape(stage)}</th>'
            f"<td><b>{escape(metric.name)}</b><small>{escape(metric.meaning)}</small></td>"
            f'<td class="bar-cell">{bar}</td><td class="number"><span{fault}>{_value(result)}</span></td>'
            f'<td class="number soft">{result.measure.count}</td><td class="soft narrow">{direction}</td></tr>'
        )
    titles = ("stage", "metric", "0 to 1, with its 95 % interval", "value", "of", "")
    head = f"<tr>{''.join(f'<th>{title}</th>' for title in titles)}</tr>"
    return (
        f'<div class="scroll"><table class="stages"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _tags(tags: Sequence[TagResult]) -> str:
    cells = {(each.tag, each.value, each.measure.name): each.measure for each in tags}
    blocks = []
    for tag in TAG_ROWS:
        values = list(
            dict.fromkeys(each.value for each in tags if each.tag == tag and each.measure.name in TAG_COLUMNS)
        )
        rows = []
        for value in values:
            shown = []
            for name in TAG_COLUMNS:
                measure = cells.get((tag, value, name))
                shown.append(
                    "<td></td><td></td>"
                    if measure is None
                    else f'<td class="bar-cell small">{interval_bar(measure, lower_is_better=name.startswith("False"))}'
                    f'</td><td class="number">{measure.value:.2f} <small>of {measure.count}</small></td>'
                )
            rows.append(f'<tr><th scope="row">{escape(value.replace("_", " "))}</th>{"".join(shown)}</tr>')
        if rows:
            head = "".join(f'<th colspan="2">{escape(name)}</th>' for name in TAG_COLUMNS)
            blocks.append(
                f'<table class="tags"><thead><tr><th>{escape(tag)}</th>{head}</tr></thead>'
                f"<tbody>{''.join(rows)}</tbody></table>"
            )
    return f'<div class="scroll">{"".join(blocks)}</div>{_groups(tags)}'


def _groups(tags: Sequence[TagResult]) -> str:
    found = [each for each in tags if each.tag == "group" and each.measure.name == "Emergencies missed"]
    if not found:
        return ""
    items = "".join(
        f"<li>{escape(each.value.replace('_', ' '))}: <b>{round(each.measure.value * each.measure.count)}</b> of "
        f"{each.measure.count} missed</li>"
        for each in found
    )
    return f'<h3>Emergencies by group</h3><ul class="groups">{items}</ul>'


def _cases(cases: Sequence[CaseResult], number: int) -> str:
    """Every case folded; the buttons above are radio inputs, which the style alone turns into a filter."""
    choices = (
        ("all", "all"),
        ("faulty", "with a fault"),
        ("wrong", "wrong outcome or reason"),
        ("missed", "missed a fact"),
    )
    counts = {name: sum(name in _states(case) for case in cases) for name, _ in choices}
    inputs = "".join(
        f'<input type="radio" name="filter-{number}" id="{name}-{number}" class="pick-{name}"'
        f'{" checked" if name == "all" else ""}><label for="{name}-{number}">{escape(label)} ({counts[name]})</label>'
        for name, label in choices
    )
    return (
        f'<section class="cases"><h2>Every case</h2><div class="filter">{inputs}'
        f'<div class="list">{"".join(_case(case) for case in cases)}</div></div></section>'
    )


def _states(case: CaseResult) -> tuple[str, ...]:
    states = ["all"]
    if case.faults or case.failure:
        states.append("faulty")
    if not _as_expected(case):
        states.append("wrong")
    if any(fact.status is not FactStatus.COVERED for fact in case.facts):
        states.append("missed")
    return tuple(states)


def _as_expected(case: CaseResult) -> bool:
    return case.outcome == case.expected and (not case.accepted or case.code in case.accepted)


def _wrongly(case: CaseResult) -> str:
    if case.outcome != case.expected:
        return f"{case.outcome}, not {case.expected}"
    return f"{case.outcome} for {case.code}, not {' or '.join(case.accepted)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _case(case: CaseResult) -> str:
    badges = []
    if not _as_expected(case):
        badges.append(f'<span class="badge wrong">{escape(_wrongly(case))}</span>')
    if case.faults:
        badges.append(f'<span class="badge wrong">{_count(len(case.faults), "fault")}</span>')
    if case.facts:
        covered = sum(fact.status is FactStatus.COVERED for fact in case.facts)
        badges.append(f'<span class="badge">{covered} of {len(case.facts)} facts</span>')
    return (
        f'<details class="case {" ".join(_states(case))}" id="{escape(anchor(case.id))}"><summary>'
        f'<code>{escape(case.id)}</code> <span class="question">{escape(case.question)}</span> {"".join(badges)}'
        f'</summary><div class="body">{"".join(_body(case))}</div></details>'
    )


def _body(case: CaseResult) -> Iterator[str]:
    if case.previous:
        yield f'<p class="soft">Asked before: {escape(" / ".join(case.previous))}</p>'
    accepted = f" ({', '.join(case.accepted)})" if case.accepted else ""
    code = f" ({case.code})" if case.code else ""
    strength = "" if case.strength is None else f", strength of evidence {case.strength:.2f}"
    yield (
        f'<p class="soft">{escape(case.kind)}, {escape(case.type)}, {escape(case.wording)}. Expected '
        f"{escape(case.expected + accepted)}, got <b>{escape(case.outcome + code)}</b>, "
        f"urgency {escape(case.urgency or 'none')}{strength}.</p>"
    )
    if case.failure:
        yield f'<p class="wrong-text">Failed: {escape(case.failure.message)}</p>'
    for fault in case.faults:
        yield (
            f'<p class="wrong-text">{escape(fault.metric)}, at the stage {escape(fault.stage.value)}: '
            f"{escape(fault.detail)}</p>"
        )
    if case.facts:
        items = "".join(
            f'<li class="{MARKS[fact.status]}"><b>{MARKS[fact.status]}</b> {escape(fact.fact)}</li>'
            for fact in case.facts
        )
        yield f'<h4>Key facts</h4><ul class="facts">{items}</ul>'
    if case.advice:
        yield f'<h4>Advice</h4><p class="advice">{escape(case.advice)}</p>'
    yield from _answer(case)
    if case.missed_quotes:
        items = "".join(
            f"<li>{escape(each.quote)} <cite>{escape(each.document_id)}</cite></li>" for each in case.missed_quotes
        )
        yield f'<h4>Gold words that the answer does not cite</h4><ul class="quotes">{items}</ul>'
    scores = "".join(f"<div><dt>{escape(name)}</dt><dd>{value:.3g}</dd></div>" for name, value in case.scores.items())
    yield f'<h4>Scores</h4><dl class="scores">{scores}</dl>'
    if case.milliseconds:
        times = ", ".join(f"{each.stage} {each.milliseconds:.0f}" for each in case.milliseconds)
        yield f'<p class="soft">Milliseconds: {escape(times)}</p>'


def _answer(case: CaseResult) -> Iterator[str]:
    if not case.sentences:
        return
    yield "<h4>Answer</h4>"
    heading = ""
    for sentence in case.sentences:
        if sentence.heading and sentence.heading != heading:
            yield f"<h5>{escape(sentence.heading)}</h5>"
        heading = sentence.heading or heading
        quotes = "".join(
            f"<blockquote>{escape(each.quote)} <cite>{escape(each.document_id)}</cite></blockquote>"
            for each in sentence.quotes
        )
        yield f'<details class="sentence"><summary>{escape(sentence.text)}</summary>{quotes}</details>'

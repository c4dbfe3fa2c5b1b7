"""Pages for people: a pipeline, and an execution with all that is known of it, to be kept, sent or printed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from mlops.check import check
from mlops.check.sources import open_one
from mlops.deploy.executions.curves import Curves
from mlops.deploy.executions.details import definition_of_execution
from mlops.deploy.executions.following import ExecutionState, StepState
from mlops.deploy.executions.outputs import outputs
from mlops.deploy.executions.recording import as_run
from mlops.emit.drawing.graph import BRANCHES
from mlops.emit.plots import chart, kinds
from mlops.emit.plots.scales import said_number, said_seconds
from mlops.emit.plots.thinned import Thinned
from mlops.emit.targets.diagram import emit
from mlops.ir import Checked, Listener, UsageError
from mlops.ir.hiding import hide, hide_lines, hide_text, hide_value
from mlops.ir.sheet import Block, Facts, Heading, Paragraph, Picture, Printed, Section, Sheet, Table
from mlops.observe.experiments import ExecutionRun
from mlops.use_cases.connecting import Connected
from mlops.use_cases.evaluations import drifts, evaluated
from mlops.use_cases.executions import Failure, Found, failures
from mlops.use_cases.judging import need_sound
from mlops.use_cases.pictures import bars, word

_MOST_TEXT = 400


def of_pipeline(target: str, environment: str, listener: Listener, *, whole: bool = False) -> Sheet:
    """Raises Refusal where the pipeline has errors."""
    found = open_one(target, environment)
    need_sound(found.findings, listener, doing="show")
    checked = found.pipelines[0]
    definition = checked.definition
    name = definition.name or "pipeline"
    sections = [Section("Steps", [_graph(checked, None, whole=whole), _steps_table(checked)])]
    if definition.parameters:
        rows = [
            (
                item.name,
                item.type,
                _value(hide_value(item.name, item.default)) if item.has_default else "must be given",
            )
            for item in definition.parameters
        ]
        sections.append(Section("Parameters", [Table(("Name", "Type", "Default"), rows)]))
    if checked.findings:
        rows = [(item.code, item.severity.value, hide_text(item.message)) for item in checked.findings]
        sections.append(Section("Findings", [Table(("Rule", "Severity", "What was found"), rows)]))
    under = hide_text(definition.description) if definition.description else f"A pipeline of {len(checked.order)} steps"
    return Sheet(name, under, sections)


def of_execution(found: Found) -> Sheet:
    """As it is now."""
    connected, state = found.connected, found.state
    definition, _ = definition_of_execution(connected.account, state.arn)
    checked = check(definition)
    run = as_run(connected.account, state)
    failed = list(failures(connected, state))
    sections = [Section("What happened", [Facts(_facts(state))])]
    if failed or state.failure:
        sections.append(Section("Why it failed", [*_reasons(state, failed)]))
    sections.append(
        Section("Steps", [_graph(checked, {step.name: word(step) for step in state.steps}), *_times(state)])
    )
    if run.parameters:
        sections.append(
            Section("Parameters", [Facts([(name, _value(value)) for name, value in run.parameters.items()])])
        )
    measured = [*_metrics(connected, state, run)]
    if measured:
        sections.append(Section("Metrics", measured))
    drift = [*drifts(connected, state)]
    if drift:
        sections.append(Section("Drift of the data", drift))
    given = [*_given(connected, state)]
    if given:
        sections.append(Section("Outputs", given))
    cache = [*_cache(connected, state)]
    if cache:
        sections.append(Section("Why steps ran, or did not", cache))
    return Sheet(f"{state.pipeline}: {state.status}", f"Execution {state.id}", sections, [state.status])


def _graph(checked: Checked, statuses: Mapping[str, str] | None, *, whole: bool = False) -> Picture:
    return Picture(
        emit(checked, statuses, whole=whole), "The steps, each below what it waits for; the table has the same in words"
    )


def _steps_table(checked: Checked) -> Table:
    placed = {item.step.name: item for item in checked.definition.placed()}
    rows = []
    for name in checked.order:
        item = placed[name]
        after = sorted(checked.edges.get(name, ()), key=checked.order.index)
        inside = " / ".join(f"{step}: {BRANCHES.get(member, member)}" for step, member in item.branches)
        rows.append((name, item.step.type, ", ".join(after), inside))
    return Table(("Step", "Type", "Waits for", "In"), rows)


def _facts(state: ExecutionState) -> list[tuple[str, str]]:
    ends = [step.ended for step in state.steps if step.ended is not None]
    rows = [("Pipeline", state.pipeline), ("Execution", state.arn), ("Status", state.status)]
    if state.created is not None:
        rows.append(("Started", _moment(state.created)))
        if state.ended and ends:
            rows.append(("Ended", _moment(max(ends))))
            rows.append(("Took", said_seconds((max(ends) - state.created).total_seconds())))
    counts: dict[str, int] = {}
    for step in state.steps:
        counts[word(step)] = counts.get(word(step), 0) + 1
    rows.append(("Steps", ", ".join(f"{count} {told}" for told, count in sorted(counts.items())) or "none has begun"))
    if state.failure:
        rows.append(("Reason", state.failure))
    return rows


def _reasons(state: ExecutionState, failed: Sequence[Failure]) -> Iterator[Block]:
    if not failed and state.failure:
        yield Paragraph(state.failure)
    for failure in failed:
        yield Heading(failure.step.name)
        yield Printed(failure.step.failure or "no reason was given")
        if failure.log:
            yield Paragraph("The end of its log:")
            yield Printed(hide_lines(failure.log))
        if failure.replay is not None:
            yield Paragraph("This runs it again on one's own machine, with the code that ran:")
            yield Printed(failure.replay)


def _times(state: ExecutionState) -> Iterator[Block]:
    picture = bars(state)
    if picture is not None:
        yield Picture(picture, "When each step ran")
    yield Table(
        ("Step", "Kind", "Status", "Started", "Took", "Try"),
        [
            (
                step.name,
                step.kind,
                f"{step.status} (cached)" if step.cached else step.status,
                _moment(step.started) if step.started is not None else "",
                said_seconds(step.seconds) if step.seconds is not None else "",
                str(step.attempt),
            )
            for step in state.steps
        ],
        frozenset({4, 5}),
    )


def _metrics(connected: Connected, state: ExecutionState, run: ExecutionRun) -> Iterator[Block]:
    rows = [(step.name, name, said_number(value)) for step in run.steps for name, value in step.metrics.items()]
    if rows:
        yield Table(("Step", "Metric", "Value"), rows, frozenset({2}))
    reader = Curves(connected.account)
    for step in state.steps:
        found: dict[str, Thinned] = {}
        for value in reader.since(step):
            found.setdefault(value.metric, Thinned()).add((float(value.number), value.value))
        shown = {name: curve.points for name, curve in found.items() if len(curve.points) > 1}
        if shown:
            every = max(curve.every for curve in found.values())
            left_out = f", of the longest one value in {every}" if every > 1 else ""
            panel = kinds.curves(f"Metrics as they were printed{left_out}", shown, "value number")
            yield Picture(chart.drawn(step.name, [panel]), f"{step.name}: metrics, value by value")
    yield from evaluated({"": run})


def _given(connected: Connected, state: ExecutionState) -> Iterator[Block]:
    rows = [
        (step, name, _value(value))
        for step, named in hide(outputs(connected.account, state)).items()
        for name, value in named.items()
    ]
    if rows:
        yield Table(("Step", "Output", "Value"), rows)


def _cache(connected: Connected, state: ExecutionState) -> Iterator[Block]:
    """The local account knows why; of others it is told only whose result served."""
    rows = []
    for step in state.steps:
        reason = _reason(connected, state, step)
        if reason:
            rows.append((step.name, hide_text(reason)))
    if rows:
        yield Facts(rows)


def _reason(connected: Connected, state: ExecutionState, step: StepState) -> str:
    if step.cached:
        return f"the result of execution {step.cached.rpartition('/')[2]} served"
    if connected.account.here is None:
        return ""
    try:
        return "ran: " + "; ".join(connected.account.here.explain_cache(state.id, step.name).reasons)
    except UsageError:
        return ""


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}…"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

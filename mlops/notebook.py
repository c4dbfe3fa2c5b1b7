"""A pipeline in a notebook: it shows its graph and what is wrong with it, and runs here with live progress.

It fills the port of the same name, by which ``Pipeline`` asks for what stands above the language.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

from mlops.deploy.executions.following import ExecutionState
from mlops.ir import Event, MlopsError, Refusal, Severity
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text, hide_value
from mlops.use_cases.execution_news import Looked
from mlops.use_cases.news import Said

if TYPE_CHECKING:
    from mlops.declare.pipeline import Pipeline
    from mlops.deploy.executions.following import StepState
    from mlops.ir import Finding

_COLOURS = {Severity.ERROR: "#b00020", Severity.WARNING: "#8a6100", Severity.INFO: "#556"}


def html(pipeline: Pipeline, statuses: Mapping[str, str] | None = None) -> str:
    """The graph and the findings. Whatever a name or a message holds is text."""
    from mlops.emit.targets.diagram import emit
    from mlops.use_cases.declared import declared

    try:
        result = declared(pipeline).checked
    except MlopsError as error:
        hint = f"<br><small>{escape(error.hint)}</small>" if error.hint else ""
        return f"<p><strong>{escape(pipeline.name)}</strong>: {escape(error.message)}{hint}</p>"
    head = f"<strong>{escape(pipeline.name)}</strong>"
    if pipeline.description:
        head += f": {escape(hide_text(pipeline.description))}"
    parameters = ", ".join(
        f"{escape(parameter.name)}: {escape(parameter.type)}"
        + (f" = {escape(repr(hide_value(parameter.name, parameter.default)))}" if parameter.has_default else "")
        for parameter in result.definition.parameters
    )
    lines = "".join(f"<li>{_finding(finding)}</li>" for finding in result.findings)
    return (
        f"<div><p>{head}</p>"
        + (f"<p><small>{parameters}</small></p>" if parameters else "")
        + f'<div style="overflow-x:auto">{emit(result, statuses)}</div>'
        + (f"<ul>{lines}</ul>" if lines else "<p><small>Checked: nothing to say.</small></p>")
        + "</div>"
    )


def svg(pipeline: Pipeline) -> str:
    """The graph alone."""
    from mlops.emit.targets.diagram import emit
    from mlops.use_cases.declared import declared

    return emit(declared(pipeline).checked)


class Outline(str):
    """A text that a terminal shows as it is, not as Python writes texts, and a cell as the picture that it is of."""

    pipeline: Pipeline

    def __repr__(self) -> str:
        return self.rstrip("\n")

    def _repr_html_(self) -> str:
        return html(self.pipeline)


def text(pipeline: Pipeline) -> Outline:
    """The graph as an outline, and the findings."""
    from mlops.emit.targets.outline import emit
    from mlops.use_cases.declared import declared

    result = declared(pipeline).checked
    found = [f"{finding.severity.value} {finding.code} {finding.message}" for finding in result.findings]
    outline = Outline(emit(result) + "".join(f"{line}\n" for line in found))
    outline.pipeline = pipeline
    return outline


@dataclass(frozen=True, slots=True, repr=False)
class Ran(ExecutionState):
    """An execution as the last expression of a cell."""

    def __repr__(self) -> str:
        rows = [(step.name, _told(step), _seconds(step), step.failure or "") for step in self.steps]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        lines = ["  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
        return "\n  ".join([f"execution {self.id} of {self.pipeline}: {self.status}", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(step.name)}</td><td>{escape(_told(step))}</td><td>{_seconds(step)}</td>"
            f"<td>{escape(step.failure or '')}</td></tr>"
            for step in self.steps
        )
        head = f"execution <code>{escape(self.id)}</code> of <strong>{escape(self.pipeline)}</strong>"
        reason = f" ({escape(self.failure)})" if self.failure else ""
        columns = "".join(f"<th>{word}</th>" for word in ("step", "status", "seconds", "reason"))
        return f"<div><p>{head}: {escape(self.status)}{reason}</p><table><tr>{columns}</tr>{rows}</table></div>"


def _told(step: StepState) -> str:
    outcome = "cached" if step.cached else step.metadata.get("Condition", {}).get("Outcome")
    return f"{step.status} ({outcome})" if outcome else step.status


def _seconds(step: StepState) -> str:
    return "" if step.seconds is None else f"{step.seconds:.1f}"


def run(pipeline: Pipeline, parameters: Mapping[str, Any], *, cache: bool = True) -> Ran:
    """Check, upsert and start the pipeline in the local account, and follow it to its end.

    Raises Refusal where the checker finds an error or the execution does not succeed."""
    from mlops.project.environments import LOCAL
    from mlops.use_cases.connecting import connect_here
    from mlops.use_cases.declared import sound
    from mlops.use_cases.running import Chosen, Manner, carry_out

    found = sound(pipeline, doing="run")
    result = found.checked
    values = {name: _text(value) for name, value in parameters.items()}
    connected = connect_here(LOCAL, found.project)
    state = carry_out(Chosen(connected, result, values), Manner(cache), _Live(pipeline))
    if state.status != "Succeeded":
        failed = [f"{step.name}: {step.failure or step.status}" for step in state.steps if step.status == "Failed"]
        told = "\n".join(failed) or (state.failure or "")
        hint = f"`mlops executions logs {state.id} STEP` shows a step's whole log"
        raise Refusal(f"execution {state.id} of {state.pipeline} is {state.status}\n{told}", hint=hint)
    return Ran(**{item.name: getattr(state, item.name) for item in fields(state)})


class _Live:
    """The picture with the steps' states, redrawn in place; a line per change where there is no notebook."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._told: dict[str, str] = {}
        self._shown: dict[str, str] | None = None
        self._display: Any = None
        ipython: Any = sys.modules.get("IPython")  # never imported by us: no notebook, no IPython
        shell = ipython.get_ipython() if ipython is not None else None
        if shell is not None and getattr(shell, "kernel", None) is not None:
            self._html = importlib.import_module("IPython.display").HTML
            self._display = ipython.display.display(self._html(html(pipeline)), display_id=True)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Looked):
            self._show(event.state)
        elif isinstance(event, Said):
            print(event.text, file=sys.stderr)

    def _show(self, state: ExecutionState) -> None:
        statuses = {step.name: "cached" if step.cached else step.status for step in state.steps}
        if statuses == self._shown:
            return
        self._shown = statuses
        if self._display is not None:
            self._display.update(self._html(html(self._pipeline, statuses)))
            return
        for name, status in statuses.items():
            if self._told.get(name) != status:
                self._told[name] = status
                print(f"{name}: {status}", file=sys.stderr)


def _finding(finding: Finding) -> str:
    line = "" if finding.where.line is None else f" (line {finding.where.line})"
    help = f"<br><small>{escape(finding.help)}</small>" if finding.help else ""
    return (
        f'<span style="color:{_COLOURS[finding.severity]}">{escape(finding.severity.value)} '
        f"{escape(finding.code)}</span> {escape(finding.message)}{line}{help}"
    )


def _text(value: object) -> str:
    """A parameter's value as the service takes it."""
    return value if isinstance(value, str) else str(value)

"""What reports of executions judge and compare, as pictures and tables: curves of models, confusion, drift of data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.account import answers
from mlops.account.answers import Refused
from mlops.deploy.executions.following import ExecutionState
from mlops.deploy.executions.model_reports import drifted, judged
from mlops.deploy.executions.recording import LARGEST_REPORT
from mlops.emit.plots import chart, kinds
from mlops.emit.plots.scales import said_number
from mlops.ir.s3_uri import split_uri
from mlops.ir.sheet import Block, Heading, Picture, Table
from mlops.observe.experiments import ExecutionRun
from mlops.use_cases.connecting import Connected


def evaluated(runs: Mapping[str, ExecutionRun]) -> Iterator[Block]:
    """By what each is to be called beside the others, nothing where there is one alone."""
    roc: dict[str, Sequence[tuple[float, float]]] = {}
    precision: dict[str, Sequence[tuple[float, float]]] = {}
    for name, report in (found for called, run in runs.items() for found in _reports(called, run)):
        of = judged(report)
        if of.roc:
            roc[name] = of.roc
        if of.precision_recall:
            precision[name] = of.precision_recall
        if of.confusion:
            yield Heading(f"{name}: what is true, and what was said")
            said = list(dict.fromkeys(label for row in of.confusion.values() for label in row))
            yield Table(
                ("True", *said),
                [
                    (true, *(said_number(row[label]) if label in row else "" for label in said))
                    for true, row in of.confusion.items()
                ],
                frozenset(range(1, len(said) + 1)),
            )
    panels = [*([kinds.roc(roc)] if roc else []), *([kinds.precision_recall(precision)] if precision else [])]
    if panels:
        yield Picture(chart.drawn("Curves of the evaluation", panels), "Curves of the evaluation")


def _reports(called: str, run: ExecutionRun) -> Iterator[tuple[str, Any]]:
    for step in run.steps:
        for file, text in step.reports.items():
            name = f"{step.name}: {file.removesuffix('.json')}"
            yield f"{called} {name}" if called else name, _parsed(text)


def drifts(connected: Connected, state: ExecutionState) -> Iterator[Block]:
    """Of checks of the data's quality: what they compared."""
    for step in state.steps:
        told = step.metadata.get("QualityCheck") or {}
        before, now = told.get("BaselineUsedForDriftCheckStatistics"), told.get("CalculatedBaselineStatistics")
        if not before or not now or before == now:
            continue
        features = drifted(_document(connected, str(before)), _document(connected, str(now)))
        if features:
            panels = [kinds.drift(item.feature, item.before, item.now) for item in features]
            title = f"{step.name}: how features are distributed"
            yield Picture(chart.drawn(title, panels), title)


def _document(connected: Connected, uri: str) -> Any:
    """None of what cannot be read, or is too large to be one."""
    try:
        bucket, key = split_uri(uri)
        with answers():
            body = connected.account.client("s3").get_object(Bucket=bucket, Key=key)["Body"]
            content: bytes = body.read(LARGEST_REPORT + 1)
    except (Refused, ValueError):
        return None
    return _parsed(content.decode("utf-8", "replace")) if len(content) <= LARGEST_REPORT else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

"""The present moment in a definition: such a file composes to another pipeline each time."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops.declare.mistakes import MISTAKES
from mlops.ir import Definition, Finding, Where
from mlops.project.program_text import program_text
from mlops.project.python_files import parsed

_SECONDS = frozenset({"time", "time_ns", "timestamp"})
_DATES = frozenset({"strftime", "localtime", "gmtime", "ctime", "asctime", "now", "today", "utcnow"})
_CHANCE = frozenset({"uuid1", "uuid4"})
_CLOCKS = _SECONDS | _DATES | _CHANCE
_FORMS = ("%Y-%m-%d", "%Y%m%d", "%d-%m-%Y", "%m-%d-%H", "%y%m%d", "%d%m%Y", "%Y/%m/%d", "%m%d%H%M", "%d-%H-%M")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[14][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
OFFICIAL = "ExecutionVariables.PIPELINE_EXECUTION_ID"
OURS = "execution.execution_id or execution.start_time"


def held_by(definition: Definition) -> tuple[str, str]:
    """Its name and text, without the places in its file, whose folder a date may name."""
    parameters = [(item.name, item.members) for item in definition.parameters]
    steps = [(step.name, step.arguments, step.members) for step in (placed.step for placed in definition.placed())]
    return definition.name or "", repr((parameters, steps))


def clock_findings(file: Path, pipelines: Sequence[tuple[str, str]], instead: str) -> Iterator[Finding]:
    """Told where the file asks for the time, or for a random name, and its pipeline, of which name and text are given,
    holds one of now. ``instead`` is what of the execution may stand there."""
    held = [(name, found) for name, document in pipelines for found in _moments(f"{name}\n{document}")]
    if not held:
        return
    for line, call in _asking(file):
        for name, moment in held:
            if call in _giving(moment):
                yield Finding(
                    "D108",
                    MISTAKES["D108"].name,
                    MISTAKES["D108"].severity,
                    f"{call}() makes the pipeline {name} another one each time that it is composed: it holds {moment}",
                    help="take what has to differ from run to run from a parameter or from the execution, e.g. "
                    f"{instead}; a pipeline's own name stays the same",
                    where=Where(str(file), line),
                )
                return


def _giving(moment: str) -> frozenset[str]:
    """The calls of which it may come."""
    if _UUID.fullmatch(moment):
        return _CHANCE
    return _SECONDS if moment.isdecimal() and len(moment) >= 10 and moment.startswith("1") else _DATES


def _asking(file: Path) -> Iterator[tuple[int, str]]:
    tree = parsed(program_text(file))
    calls = () if tree is None else (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for node in sorted(calls, key=lambda call: call.lineno):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in _CLOCKS:
            yield node.lineno, name


def _moments(text: str) -> Iterator[str]:
    """What in a text is the present, in the forms in which names have it: a date of today, or seconds since 1970."""
    now = time.time()
    for moment in (datetime.fromtimestamp(now, UTC), datetime.fromtimestamp(now)):
        for day in (moment, moment - timedelta(seconds=600)):
            for form in _FORMS:
                found = re.search(rf"(?<!\d){re.escape(day.strftime(form))}[-T_:0-9]*", text)
                if found is not None:
                    yield found[0].rstrip("-_:")
                    return
    for number in re.findall(r"(?<!\d)(1\d{9})(?:\d{3}|\.\d+)?(?!\d)", text):
        if abs(int(number) - now) < 3600:
            yield number
            return
    found = _UUID.search(text)
    if found is not None:
        yield found[0]

"""Runs a pipeline file of any author in a process that is closed before, and answers the AWS calls that it makes.

    python -m mlops.compose.composing < order.json

Nothing leaves the process: uploads are kept in the order's private folder by their content, questions about the account
are answered with the environment's own facts, what would change the account is noted and not done. What comes out is
written to the order's ``result``. The SDK itself is not imported here: the user's file does that.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.check.ports import AnyImage
from mlops.compose.answers import Answers, Asked
from mlops.compose.closing import close
from mlops.compose.content_stamps import by_content
from mlops.compose.declared import declared_answer, written_images
from mlops.compose.driver_starts import written_start
from mlops.compose.execution import run, text, told_of
from mlops.compose.findings import written_finding
from mlops.compose.order import Order
from mlops.compose.patches import bytecode_noted, isolate
from mlops.compose.reading import Reading
from mlops.compose.refused_step import refused_step
from mlops.declare.clock import OFFICIAL, clock_findings
from mlops.declare.load import staying_alive
from mlops.declare.time_limit import owns_process
from mlops.ir import Finding
from mlops.project.root import STATE

_HASHED = re.compile(r"(?:^|/)[0-9a-f]{32,64}/")
"""The SDK's own names by content. What a file uploads by itself has a name that says nothing."""


def compose(order: Order) -> dict[str, Any]:
    """The answer as JSON: pipelines with their definitions, uploads, noted changes, findings."""
    answers = Answers(order)
    compiled = bytecode_noted()
    reading = Reading(order.root, (order.root / STATE, order.root / ".git", Path(sys.prefix)))
    isolate(answers)
    with staying_alive():
        ran = run(order, answers)
    before = len(answers.changes)
    pipelines = []
    for pipeline in ran.pipelines:
        try:
            definition = pipeline.definition()
        except (Exception, SystemExit) as error:
            name = text(getattr(pipeline, "name", "the pipeline"))
            doing = f"composing {name} failed"
            told = told_of(error, order, answers, doing)
            told, ran.findings = _of_one_cause(told, told.message.removeprefix(f"{doing}: "), ran.findings)
            ran.findings.append(replace(told, step=refused_step(pipeline, error) or name))
        else:
            pipelines.append({"name": text(pipeline.name), "definition": definition})
    # To ask for the definition does again what the file has done already.
    by_the_file = answers.changes[:before]
    done = {str(change) for change in by_the_file}
    changes = _once([*by_the_file, *(each for each in answers.changes[before:] if str(each) not in done)])
    ran.findings += clock_findings(order.file, [(item["name"], item["definition"]) for item in pipelines], OFFICIAL)
    uploads = {place: content for place, content in answers.uploads.items() if "/__pycache__/" not in place[1]}
    definitions, placed = by_content(
        [item["name"] for item in pipelines], [item["definition"] for item in pipelines], uploads
    )
    images = AnyImage()
    return {
        "declared": declared_answer(order, ran, images) if ran.is_ours else None,
        "images": written_images(images.uses),
        "pipelines": [
            {**item, "definition": definition} for item, definition in zip(pipelines, definitions, strict=True)
        ],
        "uploads": [
            {"bucket": bucket, "key": key, "content": content, "in_place": key == counted and not _HASHED.search(key)}
            for ((bucket, key), content), (_, counted) in zip(placed.items(), uploads, strict=True)
        ],
        "changes": [
            {"change": str(change), "file": change.where.file, "line": change.where.line}
            for change in changes
            if not any(item.code == "D110" and item.where == change.where for item in ran.findings)
        ],
        "starts": [written_start(where, request) for where, request in answers.starts],
        "reads": sorted(map(str, reading.paths)),
        "compiled": sorted(compiled),
        "questions": answers.questions,
        "findings": [written_finding(item) for item in ran.findings],
    }


def _of_one_cause(told: Finding, said: str, findings: list[Finding]) -> tuple[Finding, list[Finding]]:
    """What the definition failed by ended the file's own upsert before: that is the place, and it is told once."""
    ended = next((item for item in findings if item.code == "D106" and item.message.endswith(f"ended: {said}")), None)
    if ended is None:
        return told, findings
    return told.at(ended.where), [item for item in findings if item is not ended]


def _once(changes: list[Asked]) -> list[Asked]:
    return sorted(
        dict.fromkeys(changes), key=lambda change: (change.where.file or "", change.where.line or 0, str(change))
    )


@contextlib.contextmanager
def _standard_output_to_error() -> Iterator[None]:
    os.dup2(2, 1)
    with contextlib.redirect_stdout(sys.stderr):
        yield


def main() -> None:
    order = Order.read(json.load(sys.stdin))
    owns_process()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with _standard_output_to_error():
        close(order)
        answer = compose(order)
        text = json.dumps(answer)
    order.result.write_text(text, encoding="utf-8")
    sys.stderr.flush()
    os._exit(0)  # the SDK leaves threads behind that would keep the process


if __name__ == "__main__":
    main()

"""Runs a pipeline file that is written with the official SDK, in a process of its own, and answers the AWS calls that
the SDK makes while it composes.

    python -m mlops.compose.composing < order.json

Nothing leaves the process: uploads are kept below the order's ``store`` by their content, questions about the account
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

from mlops.compose.answers import Answers
from mlops.compose.content_stamps import by_content
from mlops.compose.execution import pipelines_of, text, told_of
from mlops.compose.order import Order
from mlops.compose.patches import isolate, no_bytecode_below
from mlops.compose.reading import Reading
from mlops.ir import Finding
from mlops.project.root import STATE

_HASHED = re.compile(r"(?:^|/)[0-9a-f]{32,64}/")
"""The SDK's own names by content. What a file uploads by itself has a name that says nothing."""


def compose(order: Order) -> dict[str, Any]:
    """The answer as JSON: pipelines with their definitions, uploads, noted changes, findings."""
    answers = Answers(order)
    no_bytecode_below(order.root)
    reading = Reading(order.root, (order.root / STATE, order.root / ".git", Path(sys.prefix)))
    isolate(order.facts["region"], answers, nowhere=order.result.with_name("no-aws-configuration"))
    findings: list[Finding] = []
    pipelines = []
    for pipeline in pipelines_of(order, findings):
        try:
            definition = pipeline.definition()
        except (Exception, SystemExit) as error:
            name = text(getattr(pipeline, "name", "the pipeline"))
            findings.append(replace(told_of(error, order, f"composing {name} failed"), step=name))
        else:
            pipelines.append({"name": text(pipeline.name), "definition": definition})
    uploads = {place: content for place, content in answers.uploads.items() if "/__pycache__/" not in place[1]}
    definitions, placed = by_content(
        [item["name"] for item in pipelines], [item["definition"] for item in pipelines], uploads
    )
    return {
        "pipelines": [
            {**item, "definition": definition} for item, definition in zip(pipelines, definitions, strict=True)
        ],
        "uploads": [
            {"bucket": bucket, "key": key, "content": content, "in_place": key == counted and not _HASHED.search(key)}
            for ((bucket, key), content), (_, counted) in zip(placed.items(), uploads, strict=True)
        ],
        "changes": sorted(set(answers.changes)),
        "reads": sorted(map(str, reading.paths)),
        "findings": [
            {
                "code": item.code,
                "message": item.message,
                "help": item.help,
                "file": item.where.file,
                "line": item.where.line,
                "about": item.step,
            }
            for item in findings
        ],
    }


@contextlib.contextmanager
def _standard_output_to_error() -> Iterator[None]:
    os.dup2(2, 1)
    with contextlib.redirect_stdout(sys.stderr):
        yield


def main() -> None:
    order = Order.read(json.load(sys.stdin))
    with _standard_output_to_error():
        answer = compose(order)
    order.result.write_text(json.dumps(answer), encoding="utf-8")
    sys.stderr.flush()
    os._exit(0)  # the SDK leaves threads behind that would keep the process


if __name__ == "__main__":
    main()

"""Fail: ends the execution with the author's message, once the steps that already run have ended."""

from __future__ import annotations

from mlops.run.outcome import Done, Outcome, Task
from mlops.run.resolve import as_text
from mlops.run.work import Work


def start(work: Work) -> Task:
    message = as_text(work.request.get("ErrorMessage", ""))
    return Done(Outcome("Failed", message, {"Fail": {"ErrorMessage": message}}, ends_execution=message))

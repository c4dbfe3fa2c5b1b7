"""ForEach: the run goes on with the steps of its iterations; the loop ends when they have ended."""

from __future__ import annotations

from mlops.run.loop import open_loop
from mlops.run.outcome import Task
from mlops.run.work import Work


def start(work: Work) -> Task:
    return open_loop(work)

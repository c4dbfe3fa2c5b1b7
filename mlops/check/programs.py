"""Python that was written by a program rather than a person, compiled in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops.check.lowering import lowered, lowered_resources
from mlops.declare.load import Loaded, load
from mlops.ir import Definition
from mlops.project import lock
from mlops.project.environments import LOCAL, Environment, read_project
from mlops.project.lock import Lock
from mlops.project.root import LOCK


def compile_resources(text: str) -> tuple[Definition | None, Sequence[int]]:
    """What ``text`` declares beside pipelines, in the same environment."""
    with _loaded(text) as (loaded, file, environment, pinned):
        made, misuses = lowered_resources(loaded.resources, file, environment, pinned, (file.parent,))
    findings = [*loaded.findings, *misuses]
    return (None, tuple(finding.where.line or 0 for finding in findings)) if findings else (made, ())


def compile_program(text: str) -> tuple[Definition | None, Sequence[int]]:
    """The definition of the one pipeline that ``text`` declares, in an environment that nobody configured; None and the
    lines of the mistakes where it has any."""
    with _loaded(text) as (loaded, file, environment, pinned):
        made = [lowered(pipeline, environment, pinned, (file.parent,)) for pipeline in loaded.pipelines]
    findings = [*loaded.findings, *(misuse for _, misuses in made for misuse in misuses)]
    if findings or len(made) != 1:
        return None, tuple(finding.where.line or 0 for finding in findings)
    return made[0][0], ()


@contextmanager
def _loaded(text: str) -> Iterator[tuple[Loaded, Path, Environment, Lock]]:
    """It as the one file of a project that has nothing else, for as long as that is there."""
    with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
        root = Path(folder).resolve()
        file = root / "pipeline.py"
        file.write_text(text, encoding="utf-8")
        yield load(file), file, read_project(root).environment(LOCAL), lock.read(root / LOCK)

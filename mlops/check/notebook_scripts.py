"""The scripts that notebook instances run, by their lifecycle configurations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.members import entries
from mlops.check.subject import Subject
from mlops.ir import Ref, Value
from mlops.ir.resource import NAME

CONFIG = "NotebookInstanceLifecycleConfig"


def contents(arguments: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for hook in ("OnCreate", "OnStart"):
        for at, item in entries(arguments, hook):
            content = item.get("Content")
            if isinstance(content, str):
                yield at, content


def scripts(subject: Subject, arguments: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Of the configuration that it names, by reference or by its name."""
    from mlops.knowledge.notebooks.faults import decoded  # hardly any definition has one

    named = arguments.get("LifecycleConfigName")
    path = named.path if isinstance(named, Ref) else None
    for placed, config in subject.of_type(CONFIG):
        if named == placed.step.members.get(NAME) or (path is not None and path.name == placed.step.name):
            for _, content in contents(config):
                script = decoded(content)
                if script is not None:
                    yield str(placed.step.members.get(NAME)), script

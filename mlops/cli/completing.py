"""What the shell offers behind a command while somebody types: paths, environments, and what the local account has.

Nothing of a pipeline file is run for it and no other account is asked: between two keys there is no time for either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import click
from click.shell_completion import CompletionItem

Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The shell knows its files best."""
    return [CompletionItem(incomplete, type="file")]


def environments(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    import tomllib

    from mlops.project.root import CONFIGURATION, find_root

    try:
        tables = tomllib.loads((find_root(Path.cwd()) / CONFIGURATION).read_text(encoding="utf-8-sig")).get("env", {})
    except (OSError, ValueError):  # it is told where the file is needed
        tables = {}
    return _items(sorted({"local", *tables} - {"defaults"}), incomplete)


def feedback(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    import tomllib

    from mlops.project.root import CONFIGURATION, find_root

    try:
        tables = tomllib.loads((find_root(Path.cwd()) / CONFIGURATION).read_text(encoding="utf-8-sig")).get("env", {})
        chosen = (tables.get(name, {}) for name in ("defaults", context.params.get("environment") or "local"))
        found = sorted({name for table in chosen for name in table.get("feedback", {})})
    except (OSError, ValueError, AttributeError):  # it is told where the file is needed
        found = []
    return _items(found, incomplete)


def forms(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What `mlops emit` writes."""
    from mlops.cli.emit_targets import found_targets

    return _items(sorted(found_targets()), incomplete)


def executions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from mlops.account.local import names

    return _items(["last", *names.executions(_state())] if _is_local(context) else (), incomplete)


def steps(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Of the execution that stands before, else of the pipeline file, else of the newest execution."""
    from mlops.account.local import names

    execution = context.params.get("execution")
    # Behind an option that has no value yet, click leaves arguments where it found them.
    target = context.params.get("target") or next(iter(context.args), None)
    found = _written(Path(target)) if isinstance(target, str) and execution is None else ()
    return _items(found or names.steps(_state(), _beginning(execution)), incomplete)


def execution_and_step(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from mlops.account.local import names

    place = context.params.get("place") or ()
    found = names.steps(_state(), _beginning(place[0] if place else context.params.get("execution")))
    return _items(found if place else [*found, "last", *names.executions(_state())], incomplete)


def resources(kind: str) -> Completer:
    """Those of the local account."""

    def found(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from mlops.account.local import names

        return _items(names.resources(_state(), kind) if _is_local(context) else (), incomplete)

    return found


pipelines, endpoints, groups = resources("Pipeline"), resources("Endpoint"), resources("ModelPackageGroup")
streams = resources("DeliveryStream")


def monitors(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Each is a schedule in a group of its own, ``mlops-monitor-NAME/NAME``."""
    from mlops.account.local import names

    kept = names.resources(_state(), "Schedule") if _is_local(context) else ()
    found = (name.rpartition("/") for name in kept)
    return _items([name for group, _, name in found if group == f"mlops-monitor-{name}"], incomplete)


def event_fields(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from mlops.ir.event_fields import DETAIL, HEAD, IDS

    return _items(sorted({*HEAD, *IDS, *DETAIL}), incomplete)


def images(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What is built or wanted here, by its id."""
    from mlops.account.local.images.shelf import Shelf

    return _items([kept.need.id for kept in Shelf(_state()).all()], incomplete)


def pipelines_and_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [*pipelines(context, parameter, incomplete), *files(context, parameter, incomplete)]


def versions(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from mlops.account.local import names

    group = context.params.get("group")
    return _items(names.versions(_state(), group) if group and _is_local(context) else (), incomplete)


def commands(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Word by word, those that tell programs something."""
    from mlops.cli.told_schemas import names

    before = list(context.params.get(parameter.name or "") or ())
    named = (name.split() for name in names())
    return _items(
        sorted({words[len(before)] for words in named if words[: len(before)] == before != words}), incomplete
    )


_BY_NAME: Mapping[str, Completer] = {
    "form": forms,
    **dict.fromkeys(
        (
            "target",
            "targets",
            "sources",
            "file",
            "request",
            "output",
            "golden",
            "baseline",
            "out",
            "report",
            "prices",
            "terraform_state",
            "template",
            "beside",
        ),
        files,
    ),
    **dict.fromkeys(("environment", "registry", "from_env"), environments),
    **dict.fromkeys(("execution", "old", "new"), executions),
    **dict.fromkeys(("step", "only", "interrupt_spot", "stubs", "debug"), steps),
    **dict.fromkeys(("pipeline", "names"), pipelines),
    "place": execution_and_step,
    "group": groups,
    "images": images,
    "number": versions,
    "endpoint": endpoints,
    "stream": streams,
    "feedback": feedback,
    "told_by": commands,
}
_BY_COMMAND: Mapping[tuple[str, str], Completer] = {
    ("mlops start", "target"): pipelines_and_files,
    ("endpoints", "name"): endpoints,
    **dict.fromkeys((("models", "old"), ("models", "new")), versions),
    ("search", "by"): event_fields,
    ("verdict", "name"): endpoints,
    ("monitor", "name"): monitors,
}
"""Where a name means something else than elsewhere: in one command, or in all of a group."""


def completer(command: str, parameter: str) -> Completer | None:
    """``command`` is its name behind that of what holds it. What a parameter is called tells what it takes."""
    group = command.partition(" ")[0]
    return _BY_COMMAND.get((command, parameter)) or _BY_COMMAND.get((group, parameter)) or _BY_NAME.get(parameter)


def teach(command: click.Command, name: str) -> None:
    for parameter in command.params:
        found = completer(name, parameter.name or "")
        if found is not None:
            # What the argument shell_complete= of each of them would set.
            parameter._custom_shell_complete = found


def _items(found: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def _state() -> Path:
    from mlops.project.root import STATE, find_root

    return find_root(Path.cwd()) / STATE


def _is_local(context: click.Context) -> bool:
    return (context.params.get("environment") or "local") == "local"


def _beginning(execution: str | None) -> str | None:
    return None if execution in (None, "last") else str(execution).rpartition("/")[2]


def _written(file: Path) -> list[str]:
    """Names of steps as they stand in a file, which is read and not run: the texts with which what is imported of
    mlops is called first."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    if file.suffix == ".json":
        return _of_definition(text)
    import ast

    from mlops import __all__ as words

    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(step)), *_]
            ) if name in words and name[0].isupper() and name != "Pipeline":
                found[step] = None
    return [*found]


def _of_definition(text: str) -> list[str]:
    from mlops.ir.reader import read

    definition, _ = read(text)
    return [] if definition is None else [placed.step.name for placed in definition.placed()]

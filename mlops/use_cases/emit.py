"""A pipeline in another form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops.check.programs import compile_program
from mlops.check.sources import Opened, open_one
from mlops.declare.constructors import constructors
from mlops.ir import Listener, UsageError
from mlops.ir.discovery import Found
from mlops.ir.placeholders import placeholders
from mlops.ir.plugins import told
from mlops.ir.surroundings import Surroundings
from mlops.ir.target import Language, Source, Target
from mlops.project.environments import LOCAL
from mlops.project.sdk_source import is_sdk_file
from mlops.use_cases.judging import need_sound
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Emitted:
    """``name`` is the pipeline's."""

    name: str | None
    text: str


def emit(found: Found, target: str, environment: str, listener: Listener) -> Emitted:
    """TARGET as ``found`` writes it. Raises Refusal where it has errors, UsageError for a plug-in that fails."""
    writer = target_of(found)
    opened = open_one(target, environment)
    need_sound(opened.findings, listener, doing="emit")
    text = _text(found, writer, _source(opened, environment))
    if environment == LOCAL and any(is_sdk_file(Path(file)) for file in opened.files):
        _tell_what_is_local(text, found.name, listener)
    return Emitted(opened.pipelines[0].definition.name, text)


def _tell_what_is_local(text: str, target: str, listener: Listener) -> None:
    """The official SDK writes the environment's bucket out, wherever a pipeline names a place."""
    for place in dict.fromkeys(placeholders(text, account=None, bucket="")):
        said = f"{place} is of the local account, and `mlops check --env ENV` refuses it for any other"
        listener(
            Said(text=f"note: {said}; `mlops emit {target} TARGET --env ENV` writes that one's, a parameter each one's")
        )


def target_of(found: Found) -> Target:
    """Raises UsageError for a plug-in that names none."""
    if found.plugin is None:
        own: Target = found.load().TARGET
        return own
    plugin, value = found.plugin, found.plugin.value
    if isinstance(value, Target):
        return value
    if plugin.broken is not None or not callable(value):
        raise UsageError(f"{plugin.label} does not work: {plugin.broken or 'it names no target and no function'}")
    return Target("", lambda source: value(source.checked))


def _source(opened: Opened, environment: str) -> Source:
    def around() -> Surroundings:
        from mlops.project.surroundings import surroundings

        return surroundings(opened.project.environment(environment))

    return Source(opened.pipelines[0], around, Language(compile_program, constructors))


def _text(found: Found, target: Target, source: Source) -> str:
    plugin = found.plugin
    if plugin is None:
        return target.write(source)
    try:
        text: object = target.write(source)
    except Exception as error:  # whatever somebody else's code does
        raise UsageError(f"{plugin.label} does not work: {told(error)}") from error
    if not isinstance(text, str):
        raise UsageError(f"{plugin.label} does not work: it gave {type(text).__name__}, not text")
    return text

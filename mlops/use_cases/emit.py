"""A pipeline in another form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from mlops.check.programs import compile_program
from mlops.check.sources import Opened, open_one, open_resources
from mlops.declare.constructors import constructors
from mlops.ir import Listener, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.discovery import Found
from mlops.ir.hiding import hide_text
from mlops.ir.placeholders import LOCAL_BUCKET, placeholders
from mlops.ir.plugins import told
from mlops.ir.surroundings import Surroundings
from mlops.ir.target import Beside, Compared, Language, Source, Target
from mlops.project.environments import LOCAL
from mlops.project.sdk_source import is_sdk_file
from mlops.use_cases.judging import need_sound
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Emitted:
    """``name`` is the pipeline's; ``files`` are texts that lie beside it, by name."""

    name: str | None
    text: str
    files: Mapping[str, str] = field(default_factory=dict)


def emit(
    found: Found,
    target: str,
    environment: str,
    listener: Listener,
    chosen: str | None = None,
    further: str | None = None,
    part: int | None = None,
    apart: bool = False,
) -> Emitted:
    """TARGET as ``found`` writes it, with what was ``chosen`` of its options; ``apart``: what may lie in files of its
    own does. Raises Refusal where it has errors,
    UsageError for a plug-in that fails."""
    writer, opened, source = _opened(found, target, environment, listener, chosen, further)
    source = replace(source, part=part, apart=apart)
    text = _text(found, writer, source)
    for note in writer.notes(source):
        listener(Said(text=f"note: {note}"))
    if _is_looked_up(opened):
        sent = _tell_what_is_sent(text, opened, environment, listener)
        if environment == LOCAL:
            _tell_what_is_local(text, found.name, sent, listener)
    files = writer.apart.files(source) if apart and writer.apart is not None else {}
    return Emitted(source.checked.definition.name, text, files)


def compare(
    found: Found, target: str, environment: str, listener: Listener, chosen: str | None, beside: Path
) -> Compared:
    """What TARGET needs, with what the file ``beside`` holds."""
    writer, _, source = _opened(found, target, environment, listener, chosen)
    assert writer.compare is not None  # noqa: S101 - the command line asks only those that can
    try:
        text = beside.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{beside} cannot be read: {error}") from None
    try:
        there = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{beside} is no JSON: {error}") from None
    try:
        compared = writer.compare(source, there)
    except UsageError as error:
        raise UsageError(f"{beside}: {error.message}", hint=error.hint) from None
    shown = (tuple(map(hide_text, lines)) for lines in (compared.missing, compared.conditional, compared.excess))
    return Compared(*shown)


def _opened(
    found: Found, target: str, environment: str, listener: Listener, chosen: str | None, further: str | None = None
) -> tuple[Target, Opened, Source]:
    writer = target_of(found)
    opened = open_resources(target, environment) if writer.of_resources else open_one(target, environment)
    need_sound(opened.findings, listener, doing="emit")
    if writer.of_an_account and opened.project.environment(environment).is_local:
        raise UsageError(
            f"{found.name} speaks of an account, and the {environment} environment has none",
            hint="choose an environment of mlops.toml with --env",
        )
    bucket = LOCAL_BUCKET if environment == LOCAL and _is_looked_up(opened) else None
    return writer, opened, _source(opened, environment, bucket, chosen, further)


def _is_looked_up(opened: Opened) -> bool:
    return any(is_sdk_file(Path(file)) for file in opened.files)


def _tell_what_is_sent(text: str, opened: Opened, environment: str, listener: Listener) -> list[str]:
    """Archives that the file's own upsert sends, and the program does not."""
    sent = [asset.uri for asset in opened.pipelines[0].definition.assets if asset.uri in text]
    for place in sent:
        said = f"what lies at {place} is sent by an upsert of the file, and not by one of the program"
        listener(Said(text=f"note: {said}: name the code with code= and entry= in place of sagemaker_submit_directory"))
    return sent


def _tell_what_is_local(text: str, target: str, told: Sequence[str], listener: Listener) -> None:
    """The official SDK writes the environment's bucket out, wherever a pipeline names a place."""
    places = list(placeholders(text, account=None, bucket=""))
    if f'"{LOCAL_BUCKET}"' in text:
        places.append(f"s3://{LOCAL_BUCKET}")
    for place in dict.fromkeys(places):
        if any(place.startswith(item) for item in told):
            continue
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


def _source(opened: Opened, environment: str, bucket: str | None, chosen: str | None, further: str | None) -> Source:
    checked = (*opened.pipelines, *opened.resources)[0]

    def around() -> Surroundings:
        from mlops.use_cases.machines import surroundings_of

        return surroundings_of(opened.project.environment(environment), [checked.definition], opened.root)

    def beside() -> Beside:
        # What deploys takes its time to load, and most targets do not ask for it.
        from mlops.deploy.feedback.beside_pipelines import with_declared
        from mlops.use_cases.beside import beside

        found = with_declared(opened.project.environment(environment), [checked.definition])
        return beside(checked, opened.resources, found, opened.root)

    return Source(checked, around, beside, Language(compile_program, constructors), bucket, chosen, further)


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

"""What a Cleanup step removes, and who still reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check import properties, samples
from mlops.check.expressions import fold
from mlops.check.graph import exclude_each_other
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, JsonGet, Placed, Ref, Severity, Value
from mlops.ir.dataclass import dataclass

_READ = ("/S3Input/S3Uri", "/S3DataSource/S3Uri", "/ModelDataUrl")
_PROGRAMS = ("EMR", "EMRServerless")
"""Whose arguments are places that their program reads."""
_BUCKET = re.compile(r"s3://[^/]+/?")
_WRITTEN = ("/S3Output/S3Uri", "/S3OutputPath")


@dataclass(frozen=True, slots=True)
class _Removed:
    """``values`` are the places that are listed, none where all that the step wrote goes; ``texts`` those of them, or
    of the step's outputs, that are known."""

    at: str
    producer: str
    values: tuple[Value, ...]
    texts: tuple[str, ...]


@rule(
    "G114",
    "read-after-cleanup",
    Severity.ERROR,
    source="official SDK 3.27 cleanup_step: it deletes the objects, and waits for those who write them alone",
)
def read_after_cleanup(subject: Subject) -> Iterator[Fault]:
    """A step reads what a Cleanup before it has removed; or (a warning) neither waits for the other, so it may be
    removed while it is read.

    Bad:  "DependsOn": ["Sweep"] of a step that reads what Sweep removes
    Good: "DependsOn": ["Report"] of Sweep, where Report reads it
    """
    cleanups = [
        (placed, tuple(_removed(subject, placed, arguments))) for placed, arguments in subject.of_type("Cleanup")
    ]
    if not cleanups:
        return
    reads = list(_reads(subject))
    for cleanup, removed in cleanups:
        name, before = cleanup.step.name, _above(subject, cleanup)
        for at, value, reader in reads:
            found = next((item for item in removed if _holds(subject, item, value)), None)
            if found is None or reader.step.name in before or exclude_each_other(cleanup, reader):
                continue
            if name in _above(subject, reader):
                message = f"{name!r} has removed what {found.producer!r} wrote when this step reads it"
                yield Fault(at, message, f"let {name} wait for this step, not this step for it", reader)
            else:
                message = f"it may remove what {found.producer!r} wrote while {reader.step.name!r} reads it"
                help_text = f"add {reader.step.name!r} to DependsOn"
                yield Fault(found.at, message, help_text, cleanup, severity=Severity.WARNING)


def _removed(subject: Subject, cleanup: Placed, arguments: Mapping[str, Value]) -> Iterator[_Removed]:
    for where, item in entries(arguments, "Resources", "S3"):
        producer, listed = item.get("StepName"), item.get("S3Uris")
        if not isinstance(producer, str):
            continue
        values = listed if isinstance(listed, tuple) else ()
        written = [
            uri.value
            for uri in subject.uris
            if uri.placed.step.name == producer and uri.at.endswith(_WRITTEN) and not values
        ]
        texts = [_text(subject, value) for value in (*values, *written)]
        at = f"{cleanup.pointer}/Arguments{where}"
        yield _Removed(
            at, producer, values, tuple(text.rstrip("/") for text in texts if text and text.startswith("s3://"))
        )


def _reads(subject: Subject) -> Iterator[tuple[str, Value, Placed]]:
    for at, value, placed in subject.uris:
        if at.endswith(_READ):
            yield at, value, placed
    for site in subject.sites:
        if site.placed is None:
            continue
        if isinstance(site.expression, JsonGet):
            yield site.at, site.expression.property_file or site.expression.s3_uri, site.placed
        elif site.placed.step.type in _PROGRAMS:
            yield site.at, site.expression, site.placed


def _text(subject: Subject, value: Value) -> str | None:
    return fold(subject, properties.echoed(subject, value) if isinstance(value, Ref) else value) or fold(subject, value)


def _holds(subject: Subject, removed: _Removed, value: Value) -> bool:
    if value is None:
        return False
    path = value.path if isinstance(value, Ref) else None
    if path is not None and path.root == "Steps" and path.name == removed.producer:
        if path.segments[:1] == ("PropertyFiles",):
            return not removed.values
        made = path.segments[:1] != ("ProcessingInputs",) and path.segments[:1] != ("InputDataConfig",)
        return value in removed.values or (not removed.values and made and samples.form(subject, value) == samples.URI)
    text = fold(subject, value)
    return text is not None and any(
        text.rstrip("/") == place or text.startswith(f"{place}/") for place in removed.texts
    )


def _above(subject: Subject, placed: Placed) -> frozenset[str]:
    """All that a step waits for, also by what is around it."""
    return subject.graph.all_upstream(placed.step.name, *(name for name, _ in placed.branches))


@rule(
    "G116",
    "cleanup-elsewhere",
    Severity.ERROR,
    source="official SDK 3.27 cleanup_step: each URI must be under that step's output location",
)
def cleanup_elsewhere(subject: Subject) -> Iterator[Fault]:
    """A Cleanup step is to remove as a step's output what another step made; or (a warning) all of a bucket.

    Bad:  {"StepName": "Prepare", "S3Uris": [{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}]}
    Good: {"StepName": "Train", "S3Uris": [{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}]}
    """
    for placed, arguments in subject.of_type("Cleanup"):
        for removed in _removed(subject, placed, arguments):
            if removed.producer not in subject.by_name:
                continue
            for index, value in enumerate(removed.values):
                at, text, made_by = f"{removed.at}/S3Uris/{index}", _text(subject, value), _maker(value)
                if made_by not in (None, removed.producer):
                    message = f"this is of {made_by!r}, not of {removed.producer!r}"
                    yield Fault(at, message, f'list it with "StepName": "{made_by}"', placed)
                elif text is not None and _BUCKET.fullmatch(text):
                    message = f"{shown(text)} is all of a bucket"
                    yield Fault(at, message, "name what the step wrote there", placed, severity=Severity.WARNING)


def _maker(value: Value) -> str | None:
    """The step whose output a place is, or is below."""
    first = value.values[0] if isinstance(value, Join) and value.values else value
    path = first.path if isinstance(first, Ref) else None
    return path.name if path is not None and path.root == "Steps" else None

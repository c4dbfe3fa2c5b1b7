"""Data that a pipeline reads and nobody has brought to this machine, told before it is tried. Nothing of this speaks of
an account: whether an object is there is asked of whoever knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TypeAlias

from mlops.check.codes import SURROUNDINGS
from mlops.check.subject import Subject
from mlops.ir import Checked, Finding, Join, Placed, Ref, Severity, Value
from mlops.ir.local_files import how_to_put

Holds: TypeAlias = Callable[[str], bool]
"""Whether an object's URI begins so."""

_CODE = "A031"
_READ = ("/S3Input/S3Uri", "/DataSource/S3DataSource/S3Uri")
_CODE_OF_A_JOB = ("/sagemaker_submit_directory", "/Environment/SAGEMAKER_SUBMIT_DIRECTORY")
_WRITTEN = ("/S3Output/S3Uri", "/S3OutputPath", "/DestinationS3Uri", "/CheckpointConfig/S3Uri", "/S3OutputUri")
_BASELINES = ("SuppliedBaselineStatistics", "SuppliedBaselineConstraints")
_UNSEEN = frozenset({"lambda_", "callback"})
"""Actions of steps that may write where nobody says."""


def missing_data(written: Checked, checked: Checked, holds: Holds) -> Iterator[Finding]:
    """Each place that a step reads and that has nothing: no object, none of the pipeline's own files, and none that
    another step may write. ``checked`` is ``written`` with values for its parameters."""
    subject = Subject(checked.definition, checked.step_types)
    expected = tuple(_expected(subject))
    if None in expected:
        return
    sites = {uri.at: uri.value for uri in Subject(written.definition, written.step_types).uris}
    there: dict[str, bool] = {}
    for at, value, placed in _read(subject):
        if not isinstance(value, str) or not value.startswith("s3://") or value.count("/") < 3:
            continue
        if _may_be_written(value, expected) or _unseen_before(placed, checked):
            continue
        if value not in there:
            there[value] = holds(value)
        if not there[value]:
            yield _finding(at, value, placed, sites.get(at))


def _read(subject: Subject) -> Iterator[tuple[str, Value, Placed]]:
    for at, value, placed in subject.uris:
        if at.endswith(_READ):
            yield at, value, placed
    for at, text, owner in subject.texts:
        if at.endswith(_CODE_OF_A_JOB) and owner is not None and owner.step.type in ("Training", "Tuning"):
            yield at, text.strip('"'), owner
    for placed in subject.placed:
        for member in _BASELINES:
            yield f"{placed.pointer}/{member}", placed.step.members.get(member), placed


def _expected(subject: Subject) -> Iterator[str | None]:
    """How places begin that steps write and that the pipeline's own files have; None of one that nobody knows."""
    yield from (asset.uri for asset in subject.definition.assets)
    for at, value, _ in subject.uris:
        if at.endswith(_WRITTEN):
            yield _beginning(value)


def _beginning(value: Value) -> str | None:
    match value:
        case str():
            return value
        case Join(on=on, values=parts):
            known = [*takewhile(lambda part: isinstance(part, str), parts)]
            return on.join(map(str, known)) + (on if known else "") if len(known) < len(parts) else None
    return None


def _may_be_written(uri: str, expected: tuple[str | None, ...]) -> bool:
    return any(place is not None and (place.startswith(uri) or uri.startswith(place)) for place in expected)


def _unseen_before(placed: Placed, checked: Checked) -> bool:
    """Whether a step ends before this one begins of which nobody knows what it writes."""
    actions = {item.step.name: checked.type_of(item.step) for item in checked.definition.placed()}
    waiting, seen = [placed.step.name], set[str]()
    while waiting:
        for name in checked.edges.get(waiting.pop(), frozenset()) - seen:
            seen.add(name)
            waiting.append(name)
            found = actions.get(name)
            if found is None or found.action is None or found.action in _UNSEEN:
                return True
    return False


def _finding(at: str, uri: str, placed: Placed, said: Value) -> Finding:
    path = said.path if isinstance(said, Ref) else None
    parameter = path.name if path is not None and path.root == "Parameters" else None
    given = f"; so does -p {parameter}=FILE" if parameter is not None else ""
    return Finding(
        _CODE,
        SURROUNDINGS[_CODE][0],
        Severity.WARNING,
        f"no object is stored under {uri}, and no step writes one there",
        help=f"{how_to_put(uri)}{given}",
        step=placed.step.name,
        path=at,
        where=placed.step.where,
    )

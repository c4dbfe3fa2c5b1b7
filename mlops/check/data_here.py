"""Data that a pipeline reads and nobody has brought to this machine, told before it is tried. Nothing of this speaks of
an account: whether an object is there is asked of whoever knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple, TypeAlias

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
_EXECUTION_ID = re.compile("[a-z0-9]*")
_UNSEEN = frozenset({"lambda_", "callback"})
"""Actions of steps that may write where nobody says."""


def missing_data(written: Checked, checked: Checked, holds: Holds) -> Iterator[Finding]:
    """Each place that a step reads and that has nothing: no object, none of the pipeline's own files, and none that
    another step may write. ``checked`` is ``written`` with values for its parameters."""
    subject = Subject(checked.definition, checked.step_types)
    expected = tuple(_expected(subject))
    before = cache(checked.before)
    sites = {uri.at: uri.value for uri in Subject(written.definition, written.step_types).uris}
    there: dict[str, bool] = {}
    for at, value, placed in _read(subject):
        if not isinstance(value, str) or not value.startswith("s3://") or value.count("/") < 3:
            continue
        reader = placed.step.name
        if _may_be_written(value, reader, expected, before) or _unseen_among(before(reader), checked):
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


class _Written(NamedTuple):
    """A place of which ``beginning`` is known (nothing, where it is empty), with the step that writes there; none
    where it is the pipeline's own file. ``by_execution``: it goes on with the execution's id, as a folder."""

    beginning: str
    writer: str | None
    by_execution: bool = False


def _expected(subject: Subject) -> Iterator[_Written]:
    yield from (_Written(asset.uri, None) for asset in subject.definition.assets)
    for at, value, placed in subject.uris:
        if at.endswith(_WRITTEN):
            yield _written(value, placed.step.name)


def _written(value: Value, writer: str) -> _Written:
    beginning, following = _beginning(value)
    is_id = isinstance(following, Ref) and following.expression == "Execution.PipelineExecutionId"
    return _Written(beginning, writer, by_execution=is_id and beginning.endswith("/"))


def _beginning(value: Value) -> tuple[str, Value]:
    """How a place begins as far as that is known, and what follows: nothing, where all of it is."""
    match value:
        case str():
            return value, None
        case Join(on=on, values=parts):
            known = ""
            for number, part in enumerate(parts):
                beginning, following = _beginning(part)
                known += (on if number else "") + beginning
                if following is not None:
                    return known, following
            return known, None
    return "", value


def _may_be_written(
    uri: str, reader: str, expected: tuple[_Written, ...], before: Callable[[str], frozenset[str]]
) -> bool:
    """Whether something may be there when ``reader`` begins; what it writes itself and who waits for it come later."""
    for written in expected:
        if _meet(uri, written) and (
            written.writer is None or (written.writer != reader and reader not in before(written.writer))
        ):
            return True
    return False


def _meet(uri: str, written: _Written) -> bool:
    """
    >>> in_it = _Written("s3://b/out/", "Fit", by_execution=True)
    >>> _meet("s3://b/out/", in_it), _meet("s3://b/out/q0fw1/train", in_it), _meet("s3://b/out/code_of_it", in_it)
    (True, True, False)
    """
    if written.beginning.startswith(uri):
        return True
    if not uri.startswith(written.beginning):
        return False
    folder = uri[len(written.beginning) :].split("/")[0]
    return not written.by_execution or _EXECUTION_ID.fullmatch(folder) is not None


def _unseen_among(before: frozenset[str], checked: Checked) -> bool:
    """Whether one of these steps is such that nobody knows what it writes."""
    for placed in checked.definition.placed():
        if placed.step.name in before:
            found = checked.type_of(placed.step)
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

"""Stubs of steps for one run: read from files, judged before anything starts, and brought into the account."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from mlops.check.stubs import Given, given_for, left_out, need_all_that_is_read, shown_example
from mlops.ir import Checked, Refusal, UsageError
from mlops.ir.hiding import hide
from mlops.ir.local_files import path_of
from mlops.ir.stub import Stub
from mlops.use_cases.connecting import Connected
from mlops.use_cases.given_files import stored

_S3 = "s3://"


def parsed(pairs: Sequence[str]) -> dict[str, Path]:
    """``STEP=FILE`` each. Raises UsageError."""
    found: dict[str, Path] = {}
    for pair in pairs:
        step, equals, file = pair.partition("=")
        if not equals or not step or not file:
            raise UsageError(f"{pair!r} is no stub", hint="write it as STEP=FILE, where FILE is JSON")
        if step in found:
            raise UsageError(f"the step {step} is given two stubs")
        found[step] = Path(file)
    return found


def read(checked: Checked, files: Mapping[str, Path]) -> dict[str, Given]:
    """Relative paths in a file begin where that lies. Raises UsageError."""
    return {name: _read(checked, name, file) for name, file in files.items()}


def judge(checked: Checked, stubs: Mapping[str, Given], only: Collection[str] = ()) -> frozenset[str]:
    """The steps that do not run for sure. Raises UsageError where something that is read would not be there, and
    Refusal for a secret."""
    for name, stub in stubs.items():
        if only and name not in only:
            raise UsageError(f"{name} is not among the steps that are to run, so nothing has to stand for it")
        if hide(dict(stub.members)) != dict(stub.members):
            raise Refusal(f"{stub.source}, the stub of {name}, has what looks like a secret; nothing was started")
    need_all_that_is_read(checked, stubs, _has, only)
    return left_out(checked, stubs)


def brought(connected: Connected, checked: Checked, stubs: Mapping[str, Given]) -> dict[str, Stub]:
    """With all files in the account."""
    return {name: _brought(connected, checked, name, stub) for name, stub in stubs.items()}


def _read(checked: Checked, name: str, file: Path) -> Given:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = (
            f"it is JSON, e.g.,\n{shown_example(checked, name)}" if checked.definition.step(name) is not None else None
        )
        raise UsageError(f"there is no {file}, which is to stand for {name}", hint=known) from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{file}, which is to stand for {name}, cannot be read as JSON: {error}") from None
    given = given_for(checked, name, document, str(file))
    places = {output: _place(file, value) for output, value in given.outputs.items()}
    for output, place in places.items():
        if not place.startswith(_S3) and not Path(place).exists():
            raise UsageError(f"{file}: there is no {place}, which is to be the output {output} of {name}")
    return Given(given.members, places, given.source)


def _place(file: Path, value: str) -> str:
    return value if value.startswith(_S3) else str(file.parent / path_of(value))


def _has(place: str, file: str) -> bool:
    """What lies in the account may change until it is read."""
    if place.startswith(_S3):
        return True
    found = Path(place)
    return (found / file).is_file() if found.is_dir() else found.name == file


def _brought(connected: Connected, checked: Checked, name: str, stub: Given) -> Stub:
    step = checked.definition.step(name)
    step_type = checked.type_of(step) if step is not None else None
    kind = step_type.job if step_type is not None else None
    archives = {place.name for place in kind.outputs if place.is_file} if kind is not None else set()
    outputs = {
        output: place
        if place.startswith(_S3)
        else stored(connected.account, connected.environment, Path(place), name, output, packed=output in archives)
        for output, place in stub.outputs.items()
    }
    return Stub(stub.members, outputs, stub.source)

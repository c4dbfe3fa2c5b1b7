"""The fields of a constructor say what its signature says, and their paths are the service's."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

import pytest

import mlops
from mlops.check import step_types
from mlops.check.shapes import Shape, shape
from mlops.declare.constructors import constructors
from mlops.declare.sdk_words import ours
from mlops.declare.steps.base import SHARED, Shared
from mlops.ir.fields import REQUIRED, Constructor, Field, Record

CONSTRUCTORS = {found.name: found for found in constructors() if found.name != "when"}


def records(fields: Sequence[Field]) -> Iterator[Record]:
    for field in fields:
        for record in field.kind.records:
            yield record
            yield from records(record.fields)


RECORDS: dict[str, list[Field]] = {}
for _found in CONSTRUCTORS.values():
    for _record in records(_found.fields):
        RECORDS.setdefault(_record.name, []).extend(_record.fields)


@dataclasses.dataclass
class Argument:
    default: object
    annotation: Any


def of_step(constructor: Constructor) -> dict[str, Argument]:
    step = getattr(mlops, constructor.name)
    hints = typing.get_type_hints(step.__init__)
    found = {
        name: Argument(REQUIRED if item.default is item.empty else item.default, hints[name])
        for name, item in inspect.signature(step.__init__).parameters.items()
        if name not in ("self", "name", *Shared.__annotations__) and item.kind is not item.VAR_KEYWORD
    }
    more = typing.get_type_hints(step.shared_arguments)
    return found | {name: Argument(..., more[name]) for name in more if name not in Shared.__annotations__}


def of_record(name: str) -> dict[str, Argument]:
    hints = typing.get_type_hints(getattr(mlops, name))
    found = {}
    for item in dataclasses.fields(getattr(mlops, name)):
        default = item.default if item.default_factory is dataclasses.MISSING else item.default_factory()
        found[item.name] = Argument(REQUIRED if default is dataclasses.MISSING else default, hints[item.name])
    return found


def own(constructor: Constructor) -> list[Field]:
    """Without what every step takes."""
    return [field for field in constructor.fields if field.name not in Shared.__annotations__]


SIGNATURES = [
    *((name, own(constructor), of_step(constructor)) for name, constructor in CONSTRUCTORS.items()),
    *((name, fields, of_record(name)) for name, fields in RECORDS.items()),
]
names = pytest.mark.parametrize(("name", "fields", "signature"), SIGNATURES, ids=[name for name, *_ in SIGNATURES])


@names
def test_every_argument_has_a_field(name: str, fields: Sequence[Field], signature: Mapping[str, Argument]) -> None:
    said = {field.name for field in fields if field.name}
    rest = {"arguments"} if name in RECORDS else set()
    assert set(signature) - said == rest & set(signature)
    assert said - set(signature) == set()


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_what_is_handed_on_stands_in_the_order_of_the_signature(name: str) -> None:
    order = list(of_step(CONSTRUCTORS[name]))
    mine = [item for item in inspect.signature(getattr(mlops, name).__init__).parameters if item in order]
    handed = list(dict.fromkeys(field.name for field in CONSTRUCTORS[name].fields if field.name in mine))
    assert handed == mine


@names
def test_defaults_are_the_signatures(name: str, fields: Sequence[Field], signature: Mapping[str, Argument]) -> None:
    for field in fields:
        given = signature[field.name].default if field.name else ...
        if given is not ...:
            assert (type(field.default), field.default) == (type(given), given), field.name


@names
def test_words_are_the_annotations(name: str, fields: Sequence[Field], signature: Mapping[str, Argument]) -> None:
    for field in fields:
        if field.name and field.kind.form == "choice":
            assert set(field.kind.words) == set(words(signature[field.name].annotation)), field.name


@names
def test_a_default_can_be_left_out_where_none_is_taken(
    name: str, fields: Sequence[Field], signature: Mapping[str, Argument]
) -> None:
    for field in fields:
        if field.name and field.said is None and field.default is not REQUIRED and field.default not in (None, ()):
            takes_none = NoneType in parts(signature[field.name].annotation)
            assert (field.absent == "None") is takes_none, field.name


def parts(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) in (typing.Union, UnionType) else (annotation,)


def words(annotation: Any) -> list[Any]:
    return [word for part in parts(annotation) if typing.get_origin(part) is typing.Literal for word in part.__args__]


def test_paths_are_members_of_the_request() -> None:
    """A record may stand for several shapes, such as a Container; each of its fields is a member of one of them."""
    found: dict[tuple[str, str], list[bool]] = {}
    for name, constructor in CONSTRUCTORS.items():
        known = step_types().get(constructor.type)
        if known is None:
            continue  # of a type that the service does not publish
        for field in own(constructor):
            if field.path.startswith("/"):
                found.setdefault((name, field.path), []).append(field.path.removeprefix("/") in known.envelope)
        against = shape(known.service, known.request) if known.request else None
        for owner, path, exists in () if against is None else walk(name, own(constructor), against):
            found.setdefault((owner, path), []).append(exists)
    assert [place for place, exists in found.items() if not any(exists)] == []
    assert len(found) > 200


def walk(owner: str, fields: Sequence[Field], whole: Shape) -> Iterator[tuple[str, str, bool]]:
    for field in fields:
        if field.path.startswith("/"):
            continue
        found = at(whole, field.path) if field.path else whole
        yield owner, field.path, found is not None
        inside = found.item() if found is not None and found.kind == "list" else found
        if inside is not None:
            for record in field.kind.records:
                yield from walk(record.name, record.fields, inside)
            if field.kind.key:
                yield owner, f"{field.path}.{field.kind.key}", inside.member(field.kind.key) is not None


def at(whole: Shape, path: str) -> Shape | None:
    found: Shape | None = whole
    for part in path.split("."):
        if found is not None:
            found = found.member(part) if found.kind == "structure" else found.item() if part == "0" else found.value()
    return found


@pytest.mark.parametrize("name", [name for name, found in CONSTRUCTORS.items() if found.yields])
def test_what_it_yields_is_an_attribute_with_that_path(name: str) -> None:
    step = object.__new__(getattr(mlops, name))
    step.name = "X"
    for path, yielded in CONSTRUCTORS[name].yields.items():
        found = getattr(step, yielded.attribute)
        reference = found if yielded.key is None else found[yielded.key]
        assert reference.lower() == mlops.ir.Ref(f"Steps.X.{path}")


def test_the_page_of_arguments_is_made_of_them() -> None:
    script = Path(__file__).resolve().parents[2] / "docs" / "write_arguments.py"
    assert subprocess.run([sys.executable, str(script), "--check"], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "word", "meant"),
    [
        ("Training", "entry_point", "code"),
        ("Training", "InstanceType", "instance"),
        ("Training", "keep_alive_period_in_seconds", "keep_alive"),
        ("Training", "checkpoint_s3_uri", "checkpoints"),
        ("Training", "subnets", "network"),
        ("Training", "volume_size", "volume"),
        ("Processing", "property_files", "reports"),
        ("RegisterModel", "model_package_group_name", "group"),
        ("RegisterModel", "ModelApprovalStatus", "approval"),
        ("Tuning", "hyperparameter_ranges", "ranges"),
        ("Tuning", "entry_point", None),
        ("Transform", "depends_on", "after"),
        ("Lambda", "FunctionArn", "function"),
    ],
)
def test_words_of_the_sdk_are_known_by_the_fields(name: str, word: str, meant: str | None) -> None:
    step = getattr(mlops, name)
    assert ours(word, step._arguments(), (*step.constructor.fields, *SHARED))[:1] == ([meant] if meant else [])

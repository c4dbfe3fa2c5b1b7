"""What is taken without pydantic, pydantic would take too, and would make the same of it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter, ValidationError

import mlops
from mlops.declare.references import IntegerProperty, Poison, StringProperty
from mlops.project.environments import Environment
from mlops.project.exact_types import UNSURE, ExactCall, exact_fields, hint, take
from mlops.project.images import ImageRequest
from mlops.project.written_tables import judged
from tests.laws import examples

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def constructors() -> Iterator[Any]:
    """Of every public step and record."""
    for name in mlops.__all__:
        made = getattr(mlops, name)
        if isinstance(made, type) and hasattr(made.__init__, "__wrapped__"):
            yield inspect.unwrap(made.__init__)


def annotations() -> Iterator[tuple[str, Any]]:
    """Every annotation of an argument, as it is written and as a type."""
    for constructor in constructors():
        for name, written in constructor.__annotations__.items():
            annotation = hint(written, constructor.__globals__)
            table = next(iter(typing.get_args(annotation)), None)
            if typing.is_typeddict(table):
                yield from ((str(item), hint(item, {})) for item in table.__annotations__.values())
            elif name != "return":
                yield str(written), annotation


ANNOTATIONS = dict(annotations())


@cache
def adapter(written: str) -> TypeAdapter[Any]:
    return TypeAdapter(ANNOTATIONS[written], config=STRICT)


LEAVES = st.one_of(
    st.sampled_from(["", "File", "GZIP", "P30D", "s3://b/k", "Completed", "1.2", "Step.THROTTLING", "a\n"]),
    st.integers(-1, 3),
    st.booleans(),
    st.floats(allow_nan=True),
    st.none(),
    st.just(Path("x")),
    st.sampled_from([StringProperty("A", "b"), IntegerProperty("A", "b"), Poison(), ImageRequest("sklearn", "1.2-1")]),
    st.builds(mlops.Channel, st.just("s3://b/k")),
    st.builds(mlops.Retry),
    st.builds(object),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(st.sampled_from(["a", "b", 1]), inner, max_size=2),
        st.frozensets(st.text(max_size=1), max_size=1),
    ),
    max_leaves=4,
)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return one is other or (isinstance(one, str | int | float) and repr(one) == repr(other))


@settings(max_examples=examples(80))
@given(value=VALUES)
def test_what_is_taken_is_what_pydantic_makes_of_it(value: Any) -> None:
    """For each annotation: to find a value takes longer than to try it on all of them."""
    for written, annotation in ANNOTATIONS.items():
        taken = take(annotation)(value)
        if taken is not UNSURE:
            assert same(taken, adapter(written).validate_python(value)), written


@pytest.mark.parametrize(
    ("annotation", "value", "sure"),
    [
        (int, 1, True),
        (int, True, False),
        (float, 1, False),
        (float, 1.0, True),
        (str | None, None, True),
        (typing.Literal["File", "Pipe"], "File", True),
        (typing.Literal["File", "Pipe"], "Files", False),
        (typing.Literal[1], True, False),
        (typing.Sequence[str], "text", False),
        (list[str], ["a"], True),
        (list[str], ("a",), False),
        (tuple[str, ...], ("a",), True),
        (Mapping[str, int], {"a": 1}, True),
        (Mapping[str, int], {"a": "1"}, False),
        (typing.Any, object, True),
        (bytes, b"", False),
        (Path, Path("a"), True),
    ],
)
def test_what_is_plainly_right_is_taken_and_what_is_not_is_left_to_pydantic(
    annotation: Any, value: Any, sure: bool
) -> None:
    taken = take(annotation)(value)
    assert (taken == value) if sure else (taken is UNSURE)


def test_lists_and_dictionaries_are_copied() -> None:
    given = {"a": ["b"]}
    taken = take(dict[str, list[str]])(given)
    assert taken == given
    assert taken is not given and taken["a"] is not given["a"]


def called(first: int, /, second: str = "s", *, third: list[int], fourth: Any = None) -> None:
    """Stands for a constructor."""


def starred(first: int, *more: int) -> None: ...


@pytest.mark.parametrize(
    ("args", "kwargs", "right"),
    [
        ((1,), {"third": [1]}, True),
        ((1, "b"), {"third": [], "fourth": object}, True),
        ((1, 2), {"third": []}, False),
        ((), {"third": []}, False),
        ((1,), {}, False),
        ((1, "b", 3), {"third": []}, False),
        ((1, "b"), {"second": "c", "third": []}, False),
        ((1,), {"third": [], "fifth": 5}, False),
    ],
)
def test_a_call_is_taken_where_each_argument_is(args: tuple[Any, ...], kwargs: dict[str, Any], right: bool) -> None:
    assert ExactCall(called).taken(args, kwargs) == (([*args], kwargs) if right else None)


def test_nothing_is_sure_of_a_call_with_any_number_of_arguments() -> None:
    assert ExactCall(starred).taken((1,), {}) is None


SOUND = {"name": "prod", "region": "eu-west-1", "role": "arn:aws:iam::111122223333:role/r", "bucket": "acme-ml"}
TABLES = st.dictionaries(
    st.sampled_from(["account", "prefix", "subnets", "max_instances", "tags", "parameters", "mlflow", "instance", "x"]),
    st.one_of(
        st.sampled_from(["111122223333", "1111222233334", "teams/growth", "/x", "http://h/", "111122223333\n", ""]),
        st.integers(0, 2),
        st.booleans(),
        st.lists(st.sampled_from(["a", 1]), max_size=2),
        st.dictionaries(
            st.sampled_from("ab"), st.one_of(st.text(max_size=1), st.integers(), st.booleans()), max_size=2
        ),
    ),
    max_size=3,
)


@given(TABLES)
def test_an_environment_is_what_pydantic_makes_of_its_table(table: dict[str, Any]) -> None:
    raw = {**SOUND, **table}
    found, mistakes = judged(Environment, raw, ("env", "prod"), Path("mlops.toml"), "", None)
    exact = exact_fields(Environment, raw)
    if exact is not None:
        assert not mistakes and found is not None
        assert Environment(**exact) == Environment(**found)


@pytest.mark.parametrize("key", ["account", "mlflow", "prefix"])
def test_a_value_of_the_wrong_form_is_pydantics(key: str) -> None:
    assert exact_fields(Environment, {**SOUND, key: "/nothing of the kind\n"}) is None
    with pytest.raises(ValidationError):
        from mlops.project.written_tables import model_of

        model_of(Environment).model_validate({**SOUND, key: "/nothing of the kind\n"})

"""Of every type that may be declared: a name, and any text of a request, that is far too long is an error of the check,
but for the texts that are listed with what bounds them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from mlops.check import check
from mlops.check.own_step_types import StepTypesOf
from mlops.declare.constructors import named_by
from mlops.ir import Definition, Severity, Step
from mlops.ir.resource import NAME, NAMED_BY, label_of
from mlops.ir.values import from_json

from .test_resources import SAMPLES

BY = named_by()
TYPES = StepTypesOf("mlops.declare.resources")
CALLED = {"user-profile": "acme/", "space": "acme/"}
"""What begins a name that has parts."""
UNBOUND = {
    "domain": "its tags, which its request has as TagList",
    "monitor": "kept as arguments of its job, whose pieces are counted where it is declared",
    "feedback": "names of mlops.toml, looked up there",
    "identity-provider": "a host, and client ids that IAM bounds",
    "event-rule": "a pattern, counted whole",
    "topic-rule": "a query of IoT",
    "model-package-group": "a policy that the grammar judges",
    "bucket": "the environment's region, ids of rules of ours, a policy that the grammar judges",
}


def _type(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("-"))


def _errors(kind: str, properties: Any, name: str = "churn") -> set[tuple[str, str | None]]:
    type_, name = _type(kind), CALLED.get(kind, "") + name
    own = {BY[type_]: name} if BY[type_] else {}
    members = {NAME: name, **({NAMED_BY: BY[type_]} if BY[type_] else {})}
    step = Step(label_of(kind, name), type_, {**own, **from_json(properties)}, members)
    found = check(Definition("f", steps=(step,), of_resources=True), types=TYPES).findings
    return {(item.code, item.path) for item in found if item.severity is Severity.ERROR}


def _texts(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, inside in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inside, (*at, key))
    elif isinstance(value, str):
        yield at


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if _type(kind) in BY])
def test_what_is_far_too_long_is_an_error(kind: str) -> None:
    sound = _errors(kind, SAMPLES[kind])
    unseen = []
    for *way, last in _texts(SAMPLES[kind]):
        spoilt = copy.deepcopy(SAMPLES[kind])
        inside: Any = spoilt
        for key in way:
            inside = inside[key]
        inside[last] = "x" * 300_000
        if not _errors(kind, spoilt) - sound:
            unseen.append((*way, last))
    if BY[_type(kind)] and not _errors(kind, SAMPLES[kind], "n" * 3000) - sound:
        unseen.append(("its name",))
    assert not unseen or kind in UNBOUND, unseen
    assert unseen or kind not in UNBOUND, "it is listed without need"

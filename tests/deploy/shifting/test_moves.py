"""A course by weights: what holds after each of its moves, and on the way back from each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters
from hypothesis import assume, given
from hypothesis import strategies as st

from mlops.deploy.shifting.moves import by_weights, other_name, way_back
from mlops.ir.shift import Bake, Course, MakeConfig, Move, PointTo, Scale, Serving, Stage, Variant, Weigh, after

MODEL = botocore.session.get_session().get_service_model("sagemaker")


def variant(name: str, count: int | None, weight: float = 1.0) -> Variant:
    where = {"InstanceType": "ml.m5.large"} if count is not None else {"ServerlessConfig": {"MemorySizeInMB": 2048}}
    return Variant(name, {"ModelName": f"m-{name}", **where}, weight, count)


def shift(course: Course, old: Serving, count: int | None = 3) -> tuple[Move, ...]:
    new = variant(other_name(old), count)
    return by_weights(course, old, new, {"KmsKeyId": "k"}, count=count, prefix="churn-7")


def told(moves: Sequence[Move]) -> list[str]:
    lines = []
    for move in moves:
        match move:
            case MakeConfig():
                lines.append(f"make {'+'.join(item['VariantName'] for item in move.request['ProductionVariants'])}")
            case PointTo():
                lines.append(f"point to {'+'.join(move.serving.names)}")
            case Scale():
                lines.append(f"scale {move.variant} {move.count}")
            case Weigh():
                lines.append(f"weigh {', '.join(f'{name} {weight:g}' for name, weight in move.weights.items())}")
            case Bake():
                lines.append(f"bake {move.stage}: {move.seconds:g} s at {move.share:g} %")
    return lines


def test_the_steps_of_five_twenty_five_fifty_and_all() -> None:
    course = Course(tuple(Stage(share, 600.0) for share in (5.0, 25.0, 50.0, 100.0)))
    assert told(shift(course, Serving("before", (variant("blue", 3),)))) == [
        "make blue+green",
        "point to blue+green",
        "weigh blue 95, green 5",
        "bake 1: 600 s at 5 %",
        "weigh blue 75, green 25",
        "bake 2: 600 s at 25 %",
        "scale green 2",
        "weigh blue 50, green 50",
        "bake 3: 600 s at 50 %",
        "scale green 3",
        "weigh blue 0, green 100",
        "bake 4: 600 s at 100 %",
        "make green",
        "point to green",
    ]


def test_batches_give_back_what_they_replace() -> None:
    course = Course((Stage(50.0, 60.0), Stage(100.0, 60.0)), releases=True)
    assert told(shift(course, Serving("before", (variant("blue", 4),)), 4))[2:-2] == [
        "weigh blue 50, green 50",
        "bake 1: 60 s at 50 %",
        "scale blue 2",
        "scale green 4",
        "weigh blue 0, green 100",
        "bake 2: 60 s at 100 %",
    ]


def test_what_was_scaled_down_comes_up_before_its_traffic_comes_back() -> None:
    course = Course((Stage(50.0, 60.0), Stage(100.0, 60.0)), releases=True)
    old = Serving("before", (variant("blue", 4),))
    now = old
    for move in shift(course, old, 4)[:-2]:
        now = after(now, move)
    assert told(way_back(now, old)) == ["scale blue 4", "weigh blue 1, green 0", "point to blue"]
    assert way_back(old, old) == ()


@pytest.mark.parametrize(
    ("serving", "names", "other"),
    [
        (("AllTraffic",), ("blue", "green"), "blue"),
        (("blue",), ("blue", "green"), "green"),
        (("green",), ("blue", "green"), "blue"),
        (("blue", "green"), ("blue", "green"), "third"),
        (("a",), ("a", "b"), "b"),
    ],
)
def test_names_take_turns(serving: tuple[str, ...], names: tuple[str, str], other: str) -> None:
    assert other_name(Serving("c", tuple(variant(name, 1) for name in serving)), names) == other


SHARES = st.lists(st.floats(0.01, 99.99), max_size=6, unique=True).map(sorted)
WEIGHTS = st.floats(0, 1000, allow_nan=False)


@st.composite
def shifts(draw: st.DrawFn) -> tuple[Course, Serving, int, tuple[Move, ...]]:
    shares = [*draw(SHARES), 100.0]
    course = Course(tuple(Stage(share, draw(st.integers(0, 100)) * 1.0) for share in shares), draw(st.booleans()))
    names = draw(st.lists(st.sampled_from(["AllTraffic", "blue", "a", "b"]), min_size=1, max_size=3, unique=True))
    old = Serving("before", tuple(variant(name, draw(st.integers(1, 30)), draw(WEIGHTS)) for name in names))
    assume(sum(item.weight for item in old.variants) > 0.001)
    count = draw(st.integers(1, 60))
    return course, old, count, shift(course, old, count)


@given(shifts())
def test_after_each_move(case: tuple[Course, Serving, int, tuple[Move, ...]]) -> None:
    course, old, count, moves = case
    new = next(move.serving for move in moves if isinstance(move, PointTo)).names[-1]
    now, last = old, 0.0
    for move in moves:
        now = after(now, move)
        weights = [item.weight for item in now.variants]
        assert all(weight >= 0 for weight in weights) and sum(weights) > 0, "somebody gets the traffic"
        assert all(item.count is None or item.count >= 1 for item in now.variants)
        if isinstance(move, Weigh):
            assert math.isclose(sum(weights), 100), "shares add up"
            assert math.isclose(now.share(new), move.share) and move.share > last, "they rise"
            last = move.share
        here = {item.name: item for item in now.variants}
        if new in here and len(here) > 1:
            mine = here[new].count or 0
            assert mine >= math.floor(now.share(new) * count / 100 - 1e-9), "capacity comes before traffic"
            for item in old.variants:
                if course.releases:
                    left = (100 - now.share(new)) / 100
                    assert (here[item.name].count or 0) >= math.floor(left * (item.count or 0) - 1e-9)
                else:
                    assert here[item.name].count == item.count, "what served keeps its instances"
    assert now.names == (new,) and now.variants[0].count == count
    assert last == 100


@given(shifts(), st.data())
def test_any_prefix_goes_back(case: tuple[Course, Serving, int, tuple[Move, ...]], data: st.DataObject) -> None:
    _, old, _, moves = case
    now = old
    for move in moves[: data.draw(st.integers(0, len(moves)))]:
        now = after(now, move)
    for move in way_back(now, old):
        before = now
        now = after(now, move)
        if isinstance(move, Weigh):
            counts = {item.name: item.count for item in before.variants}
            assert all((counts[item.name] or 0) >= (item.count or 0) for item in old.variants)
        assert sum(item.weight for item in now.variants) > 0
    assert now.config == old.config
    assert {item.name: item.count for item in now.variants} == {item.name: item.count for item in old.variants}
    assert all(math.isclose(now.share(name), old.share(name), abs_tol=1e-6) for name in old.names)


@given(shifts())
def test_each_call_is_valid(case: tuple[Course, Serving, int, tuple[Move, ...]]) -> None:
    for move in case[3]:
        operation, request = _call(move)
        if operation:
            shape = MODEL.operation_model(operation).input_shape
            assert shape is not None
            validate_parameters(request, shape)
        if isinstance(move, MakeConfig):
            names = [item["VariantName"] for item in move.request["ProductionVariants"]]
            assert len(names) <= 10 and len(set(names)) == len(names) and len(move.config) <= 63


def _call(move: Move) -> tuple[str, dict[str, Any]]:
    match move:
        case MakeConfig():
            return "CreateEndpointConfig", {"EndpointConfigName": move.config, **move.request}
        case PointTo():
            return "UpdateEndpoint", {
                "EndpointName": "e",
                "EndpointConfigName": move.serving.config,
                "RetainAllVariantProperties": move.retain,
            }
        case Scale():
            wanted: dict[str, Any] = {"VariantName": move.variant, "DesiredInstanceCount": move.count}
            return "UpdateEndpointWeightsAndCapacities", {
                "EndpointName": "e",
                "DesiredWeightsAndCapacities": [wanted],
            }
        case Weigh():
            return "UpdateEndpointWeightsAndCapacities", {
                "EndpointName": "e",
                "DesiredWeightsAndCapacities": [
                    {"VariantName": name, "DesiredWeight": weight} for name, weight in move.weights.items()
                ],
            }
        case _:
            return "", {}

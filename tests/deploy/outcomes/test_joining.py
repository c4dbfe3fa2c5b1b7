"""Captured requests and what became of them, joined by inference id from the files of an account."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.account import Account, connect
from mlops.deploy.measures import measures
from mlops.deploy.outcomes import captured, files, ground_truth
from mlops.deploy.outcomes.ground_truth import Outcome
from mlops.deploy.outcomes.joining import Joining
from mlops.ir import UsageError
from mlops.ir.measure import Measure
from mlops.project.environments import Environment, read_project

BEGAN = datetime(2026, 11, 29, 10, 59, 50, tzinfo=UTC)
AT = int(BEGAN.timestamp())


@dataclass
class World:
    account: Account
    environment: Environment
    files: int = 0

    def capture(self, variant: str, *requests: dict[str, Any], hour: int = 10) -> None:
        """As data capture writes them: ``after`` seconds after the beginning."""
        lines = []
        for request in requests:
            at = BEGAN + timedelta(seconds=request.get("after", 0))
            metadata = {"eventId": f"event-{request.get('id')}", "inferenceTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
            if "id" in request:
                metadata["inferenceId"] = request["id"]
            if "told" in request:
                metadata["customAttributes"] = [request["told"]]
            if "target" in request:
                metadata["targetVariant"] = request["target"]
            answer = {"data": request.get("answer", "0"), "encoding": request.get("encoding", "CSV")}
            lines.append({"captureData": {"endpointOutput": answer}, "eventMetadata": metadata, "eventVersion": "0"})
        self.put(
            f"captured/churn/{variant}/2026/11/29/{hour}/{self.files:02}.jsonl",
            "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines),
        )

    def put(self, key: str, text: str) -> None:
        self.files += 1
        self.account.client("s3").put_object(Bucket=self.environment.bucket, Key=key, Body=text.encode())

    def publish(self, after: float, **values: Any) -> None:
        """Labels by inference id, known so many seconds after the beginning."""
        found = [Outcome(identity, "label", ground_truth.said(value)) for identity, value in values.items()]
        ground_truth.publish(self.account, self.environment, "churn", found, BEGAN + timedelta(seconds=after))

    def joining(self, said: list[str] | None = None) -> Joining:
        destination = f"s3://{self.environment.bucket}/captured"
        say = [].append if said is None else said.append
        return Joining(self.account, self.environment, "churn", destination, ["blue", "green"], say)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "mlops.toml").write_text("")
    environment = read_project(tmp_path).environment("local")
    return World(connect(environment), environment)


def seen(
    joining: Joining,
    variant: str = "green",
    *,
    measure: str = "wrong",
    seconds: int = 10,
    slices: dict[str, Sequence[str]] | None = None,
    **settings: Any,
) -> dict[str, float | None]:
    found: Measure = measures()[measure]
    assert found.outcomes is not None
    wanted = found.outcomes(found.settings(**{"within": 60, **settings}))
    joining.read(AT - 100, AT, AT + 3600, [wanted.name])
    return joining.answers(wanted, slices or {}, variant, AT, seconds)


def test_an_answer_is_right_or_wrong_by_the_label_that_comes_later(world: World) -> None:
    world.capture("green", {"id": "a", "answer": "0.9"}, {"id": "b", "answer": "0.9", "after": 9}, {"id": "c"})
    world.capture("blue", {"id": "d", "answer": "0.2"}, {"after": 3})
    world.publish(30, a=1, b=0, d=1)
    joining = world.joining()
    assert seen(joining) == {"requests": 3.0, "0": 1.0, "1": 1.0}
    assert seen(joining, "blue") == {"requests": 2.0, "1": 1.0}
    assert seen(joining, seconds=5) == {"requests": 2.0, "0": 1.0}
    counted = measures()["wrong"].counted
    assert counted is not None and counted(None, seen(joining)) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([(60, 1)], {"requests": 1.0, "0": 1.0}),
        ([(60.001, 1)], {"requests": 1.0}),
        ([(5, 0), (6, 1)], {"requests": 1.0, "0": 1.0}),
        ([(6, 1), (5, 0)], {"requests": 1.0, "0": 1.0}),
        ([(5, 1), (61, 0)], {"requests": 1.0, "0": 1.0}),
        ([(5, 1), (5, 1)], {"requests": 1.0, "0": 1.0}),
    ],
)
def test_what_was_known_in_time_counts_and_of_that_the_last(
    world: World, known: list[tuple[float, int]], found: dict[str, float]
) -> None:
    world.capture("green", {"id": "a", "answer": "1"})
    for after, label in known:
        world.publish(after, a=label)
    assert seen(world.joining()) == found


def test_of_lines_of_one_file_the_last_holds(world: World) -> None:
    world.capture("green", {"id": "a", "answer": "1"})
    lines = [
        {"groundTruthData": {"data": label, "encoding": "CSV"}, "eventMetadata": {"eventId": "a"}} for label in "01"
    ]
    folder = ground_truth.folder(world.environment, "churn", "label", BEGAN)
    world.put(f"{folder}/59-55-000-theirs.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert seen(world.joining()) == {"requests": 1.0, "0": 1.0}


@pytest.mark.parametrize("between", ["\u2028", "\u2029", "\x85", "\x1c", "é"])
def test_a_line_ends_where_json_lines_end(world: World, between: str) -> None:
    world.capture("green", {"id": "a", "answer": f"x{between}y"}, {"id": "b", "told": f"plan=free;city=x{between}y"})
    world.publish(5, a=f"x{between}y", b=1)
    said: list[str] = []
    assert seen(world.joining(said)) == {"requests": 2.0, "0": 1.0, "1": 1.0}
    assert said == []


def test_what_is_forgotten_takes_no_room(world: World) -> None:
    """Of requests that were not captured, and of users who come back."""
    joining = world.joining()
    world.capture("green", {"id": "a", "told": "mlops.user=u"})
    world.publish(5, a=1)
    assert seen(joining) == {"requests": 1.0, "1": 1.0}
    joining.forget(AT + 60)
    tracemalloc.start()
    try:
        for number in range(2):
            back = [{"id": f"{number}-{i}", "after": 61, "told": "mlops.user=u"} for i in range(150)]
            world.capture("green", *back)
            world.publish(62 + number, **{f"nobody-{number}-{i}": 1 for i in range(150)})
            seen(joining)
        held, _ = tracemalloc.get_traced_memory()
        joining.forget(AT + 8000)
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held - left > 300 * 200
    assert seen(joining, seconds=3600) == {}


def test_files_are_read_once_as_they_come(world: World) -> None:
    joining = world.joining()
    assert seen(joining) == {}
    world.capture("green", {"id": "a"}, {"id": "b"})
    assert seen(joining) == {"requests": 2.0}
    world.publish(20, a=0)
    world.capture("green", {"id": "c", "after": 5}, {"id": "a"})
    assert seen(joining) == {"requests": 3.0, "0": 1.0}
    world.capture("green", {"id": "later", "after": 15}, hour=11)
    assert seen(joining, seconds=20) == {"requests": 4.0, "0": 1.0}
    joining.forget(AT + 11)
    assert seen(joining, seconds=20) == {"requests": 1.0}


def test_who_chose_the_variant_is_left_out_unless_a_test_did(world: World) -> None:
    chosen = {"target": "green"}
    world.capture(
        "green",
        {"id": "a", **chosen},
        {"id": "b", **chosen, "told": "mlops.ab=t,mlops.user=u1"},
        {"id": "c", "told": "x=1"},
    )
    assert seen(world.joining()) == {"requests": 2.0}


def test_a_user_counts_once_with_all_that_became_of_theirs_in_time(world: World) -> None:
    def told(user: str) -> str:
        return f"mlops.ab=t,mlops.user={user}"

    world.capture(
        "green",
        {"id": "a", "told": told("u1")},
        {"id": "b", "told": told("u1"), "after": 5},
        {"id": "c", "told": told("u1"), "after": 61},
        {"id": "d", "told": told("u2"), "after": 2},
        {"id": "old", "told": told("u3"), "after": -20},
        {"id": "new", "told": told("u3"), "after": 4},
    )
    world.capture("blue", {"id": "e", "told": told("u1"), "after": 6})
    world.publish(10, a=0, b=1, c=1, d=1, e=1, old=0, new=1)
    values = {"measure": "outcome", "name": "label"}
    assert seen(world.joining(), **values) == {"requests": 3.0, "0.5": 1.0, "1": 2.0}
    assert seen(world.joining(), **values, of_user="sum", high=10) == {"requests": 3.0, "1": 3.0}
    assert seen(world.joining(), **values, of_user="most") == {"requests": 3.0, "1": 3.0}
    assert seen(world.joining(), "blue", **values) == {}


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, {"requests": 3.0, "beyond": 1.0, "0": 1.0, "10": 1.0}),
        ({"without": 5}, {"requests": 3.0, "beyond": 1.0, "0": 1.0, "5": 1.0, "10": 1.0}),
        ({"distance": True}, {"requests": 3.0, "4": 1.0, "10": 1.0, "beyond": 1.0}),
        ({"low": -20, "high": 20}, {"requests": 3.0, "0": 1.0, "14": 1.0}),
    ],
)
def test_values_lie_between_bounds(world: World, settings: dict[str, Any], found: dict[str, float]) -> None:
    world.capture("green", {"id": "a", "answer": "4"}, {"id": "b", "answer": "4"}, {"id": "c", "answer": "4"})
    world.publish(5, a=14 if "distance" not in settings else 20, b=0)
    asked = {"measure": "outcome", "name": "label", "high": 10, **settings}
    assert seen(world.joining(), **asked) == found


def test_many_values_are_kept_as_one_of_two_steps_by_chance(world: World) -> None:
    """And the mean stays what it is. Few are kept as they are."""
    ids = [f"r{number}" for number in range(2000)]
    world.capture("green", *({"id": name, "after": number % 2 * 3} for number, name in enumerate(ids)))
    world.publish(5, **{name: 0.3 + number / 20_000 for number, name in enumerate(ids)})
    asked = {"measure": "outcome", "name": "label"}
    found = seen(world.joining(), **asked)
    assert 25 <= len(found) <= 28 and {"0.3", "0.352", "0.4"} <= found.keys()
    value = measures()["outcome"].value(None, found)
    assert value == pytest.approx(0.3 + 1999 / 40_000, abs=2e-4)
    assert found == seen(world.joining(), **asked)
    world.capture("blue", {"id": "a"})
    world.publish(5, a=0.12345678)
    assert seen(world.joining(), "blue", **asked) == {"requests": 1.0, "0.12345678": 1.0}


def test_slices_are_counted_beside_the_whole(world: World) -> None:
    world.capture("green", {"id": "a", "told": "plan=free; age=young"}, {"id": "b", "told": "plan=paid"}, {"id": "c"})
    world.publish(5, a=0, b=1, c=1)
    assert seen(world.joining(), slices={"plan": ["free", "paid", "none"], "age": ["old"]}) == {
        "requests": 3.0,
        "0": 1.0,
        "1": 2.0,
        "plan=free: requests": 1.0,
        "plan=free: 0": 1.0,
        "plan=paid: requests": 1.0,
        "plan=paid: 1": 1.0,
    }


def test_lines_that_cannot_be_read_are_told_and_left_out(world: World) -> None:
    world.capture("green", {"id": "a", "answer": "MQ==", "encoding": "BASE64"}, {"id": "b", "answer": "1,2"})
    world.put("captured/churn/green/2026/11/29/10/x.jsonl", '{"captureData": 1}\nnonsense\n\n')
    world.put("captured/churn/green/2026/11/29/10/readme.txt", "nonsense")
    world.put(f"{ground_truth.folder(world.environment, 'churn', 'label', BEGAN)}/y.jsonl", "[]\n")
    world.publish(5, a=1, b=1)
    said: list[str] = []
    assert seen(world.joining(said)) == {"requests": 2.0, "0": 1.0}
    assert said == ["3 lines of captured requests and outcomes cannot be read, and are left out"]


def test_outcomes_lie_as_ground_truth_does(world: World) -> None:
    world.publish(0.25, **{"order-1": True, "order-2": "cat"})
    (key,) = [
        item["Key"] for item in world.account.client("s3").list_objects_v2(Bucket=world.environment.bucket)["Contents"]
    ]
    folder, _, name = key.rpartition("/")
    assert folder.endswith("outcomes/churn/label/2026/11/29/10") and name.startswith("59-50-250-")
    content = world.account.client("s3").get_object(Bucket=world.environment.bucket, Key=key)["Body"].read().decode()
    assert content.splitlines() == [
        '{"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"order-1"},"eventVersion":"0"}',
        '{"groundTruthData":{"data":"cat","encoding":"CSV"},"eventMetadata":{"eventId":"order-2"},"eventVersion":"0"}',
    ]
    assert ground_truth.known_at(key, BEGAN) == BEGAN.timestamp() + 0.25
    assert ground_truth.known_at("label/2026/99/29/10/59-50-250-a.jsonl", BEGAN) == BEGAN.timestamp()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("inference_id,label\na,1\nb,\n", [("a", "label", "1")]),
        ("inference_id,label,rating\na,cat,4.5\n", [("a", "label", "cat"), ("a", "rating", "4.5")]),
        ("inference_id,name,value\na,rating,4\n", [("a", "rating", "4")]),
        ("\ufeffinference_id,label\r\na,1\r\n", [("a", "label", "1")]),
        (
            '{"inference_id": "a", "bought": true}\n{"inference_id": 7, "label": 0.5}',
            [("a", "bought", "1"), ("7", "label", "0.5")],
        ),
        ('{"inference_id": "a", "label": "x\u2028y\x85z"}\r\n\r\n', [("a", "label", "x\u2028y\x85z")]),
    ],
)
def test_files_of_outcomes(text: str, found: list[tuple[str, str, str]]) -> None:
    assert [(item.inference_id, item.name, item.value) for item in files.outcomes_of(text, "f")] == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inference_id,label\n,1\n", "f:2 has no inference_id"),
        ("id,label\na,1\n", "f:2 has no inference_id"),
        ('{"inference_id": "a", "label": [1]}', "f:1 has no inference_id, or an outcome that is none"),
        ('{"inference_id": "a", "label": NaN}', "f:1: nan is no outcome"),
        ("{", "f:1 is no JSON"),
        pytest.param(f'{{"inference_id": "a", "label": {"[" * 5000}', "f:1 is no outcome", id="deep"),
        ('{"inference_id": true, "label": 1}', "f:1 has no inference_id"),
        ("inference_id,label\na,nan\n", "f:2: 'nan' is no outcome: leave it out where nothing is known"),
        pytest.param(f"inference_id,label\na,{'1' * 200_000}\n", "f:2 is no CSV: field larger", id="a long cell"),
        ("inference_id,a/b\na,1\n", "'a/b' is no name of an outcome"),
        (f"inference_id,label\n{'a' * 65},1\n", "is no inference id: 1 to 64"),
        (f"inference_id,label\na,{'x' * 1025}\n", "the label of a is empty, or longer than 1024"),
    ],
)
def test_files_that_are_none_are_told_with_the_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        list(files.outcomes_of(text, "f"))
    assert said in told.value.message


def test_what_is_no_line_of_capture_is_none() -> None:
    for line in ("[]", "{}", '{"eventMetadata": {"inferenceTime": 3, "eventId": "a"}, "captureData": {}}'):
        with pytest.raises(ValueError, match="data capture"):
            captured.parsed(line)

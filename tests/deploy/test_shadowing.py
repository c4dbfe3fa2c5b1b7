"""A shadow's answers beside production's: where they disagree, and which is wrong more often."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.account import ShadowPair
from mlops.deploy.endpoints.shadowing import Shadowed, agrees, judge, labels_of
from mlops.ir import UsageError


def pair(number: int = 0, answer: str | None = "0.9", shadow: str | None = "0.9", **more: Any) -> ShadowPair:
    given = {"status": 200, "shadow_status": 200, "same": answer == shadow, "distance": None, "config": "c"} | more
    return ShadowPair(
        float(number), given["config"], "A", "S", f"e{number}", f"i{number}", given["status"], given["shadow_status"],
        1000, 2000, given["same"], given["distance"], "in", answer, shadow,
    )  # fmt: skip


def judged(pairs: list[ShadowPair], **more: Any) -> Shadowed:
    found = judge(pairs, 0, **more)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "within", "agree"),
    [
        pytest.param({}, 0, True, id="the same"),
        pytest.param({"same": False, "distance": 0.1}, 0, False, id="another number"),
        pytest.param({"same": False, "distance": 0.1}, 0.1, True, id="a number that is near"),
        pytest.param({"same": False}, 9, False, id="another word"),
        pytest.param({"shadow_status": 424}, 9, False, id="only the shadow failed"),
        pytest.param({"status": 424}, 9, False, id="only production failed"),
        pytest.param({"status": 424, "shadow_status": 424}, 0, True, id="both failed"),
    ],
)
def test_agreement(given: dict[str, Any], within: float, agree: bool) -> None:
    assert agrees(pair(**given), within) is agree


def test_inputs_that_disagree_are_found() -> None:
    found = judged([pair(n, "0.9", "0.1" if n % 33 == 0 else "0.9", distance=0.8 * (n % 33 == 0)) for n in range(1000)])
    assert [item.inference_id for item in found.disagreeing] == [f"i{n}" for n in range(0, 1000, 33)]
    assert found.distances is not None
    assert (found.distances.median, found.distances.most) == (0, 0.8)
    assert (found.failed.verdict, found.labels) == ("undecided", None)


@pytest.mark.parametrize(
    ("shadow", "production", "verdict"),
    [
        pytest.param(0.10, 0.02, "worse", id="worse"),
        pytest.param(0.02, 0.10, "better", id="better"),
        pytest.param(0.05, 0.05, "undecided", id="as good"),
        pytest.param(0.0, 0.0, "undecided", id="both right"),
    ],
)
def test_labels_decide(shadow: float, production: float, verdict: str) -> None:
    def said(number: int, wrong: float, turn: int) -> str:
        return "0.2" if (number * 37 + turn) % 1000 < wrong * 1000 else "0.8"

    pairs = [pair(n, said(n, production, 500), said(n, shadow, 0)) for n in range(1000)]
    found = judged(pairs, labels={f"i{n}": "1" for n in range(900)})
    assert found.labels is not None
    assert (found.labels.pairs, found.labels.verdict) == (900, verdict)


def test_failures_decide_without_labels() -> None:
    found = judged([pair(n, shadow_status=424 if n % 10 == 0 else 200) for n in range(500)])
    assert (found.failed.only_shadow, found.failed.only_production, found.failed.verdict) == (50, 0, "worse")


@pytest.mark.parametrize(
    ("answer", "label", "is_wrong"),
    [
        ("0.7", "1", False),
        ("0.4", "1", True),
        ('{"predictions": [{"score": 0.7}]}', "1", False),
        ("[true]", "1", False),
        ("cat\n", "cat", False),
        ("cat", "dog", True),
        ("3.0", "3", False),
        ("1,2", "1", None),
        (None, "1", None),
        ("null", "1", None),
    ],
)
def test_an_answer_is_held_against_its_label(answer: str | None, label: str, is_wrong: bool | None) -> None:
    found = judged(
        [pair(0, answer, answer), pair(1, answer, answer, shadow_status=424)], labels={"i0": label, "i1": label}
    )
    assert found.labels is not None
    assert (found.labels.pairs, found.unreadable) == ((0, 2) if is_wrong is None else (2, 0))
    assert found.labels.only_shadow == (is_wrong is False)


def test_only_the_newest_shadow_counts() -> None:
    assert judged([pair(0, config="old"), pair(1), pair(2)]).pairs == 2
    assert judge([], 3) is None


def test_labels_are_read() -> None:
    wanted = {"a": "1", "b": "cat"}
    assert labels_of("inference_id,label\na,0\nb,cat\na,1\n", "f") == wanted
    assert labels_of('{"inference_id": "a", "label": true}\n\n{"inference_id": "b", "label": "cat"}\n', "f") == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,label\na,1\n", r"f:2 has no inference_id and label"),
        ("inference_id,label\na\n", r"f:2 has no"),
        ('{"inference_id": "a"}\n', r"f:1 has no"),
        ('{"inference_id": "a", "label": 1}\n{oh}\n', r"f:2 is no JSON"),
    ],
)
def test_what_is_no_label_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        labels_of(text, "f")

"""Each gate passes and refuses, and says what it found; settings that mean nothing are a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.endpoints.gating import APPROVAL, judge, need_open
from mlops.deploy.gates import gates
from mlops.deploy.models.registry import Version
from mlops.ir import Refusal
from mlops.ir.gate import Approval, Asked, Gate, Judgement, Scan, Shipped

NOW = datetime(2026, 11, 27, 18, 30, tzinfo=UTC)  # a Friday
ADA, BOB = "arn:aws:iam::111122223333:user/ada", "arn:aws:iam::111122223333:user/bob"
ASKED = Asked("production", "churn", 7, "Approved", ADA, NOW - timedelta(days=2), NOW)


def approved(*by: str | None, reason: str | None = None) -> list[Approval]:
    return [Approval("Approved", name, reason, "") for name in by]


REJECTED = Approval("Rejected", BOB, "no", "")
NUMBERS: Any = {"metrics": lambda: {"accuracy": 0.95, "loss": 0.2, "odd": float("nan")}}
CARD: Any = {"card": lambda: {"model_overview": {"model_owner": "growth"}, "intended_uses": {"risk_rating": "Unknown"}}}
AGAINST: Any = {**NUMBERS, "serving_metrics": lambda: {"accuracy": 0.96, "loss": 0.3}}


@pytest.mark.parametrize(
    ("gate", "raw", "asked", "passes", "found"),
    [
        ("metrics", {"accuracy": {"at_least": 0.9}}, NUMBERS, True, "accuracy is 0.95"),
        ("metrics", {"accuracy": {"at_least": 0.96}}, NUMBERS, False, "accuracy is 0.95, and at least 0.96 is wanted"),
        ("metrics", {"loss": {"at_most": 0.1}}, NUMBERS, False, "loss is 0.2, and at most 0.1 is wanted"),
        (
            "metrics",
            {"acuracy": {"at_least": 0}},
            NUMBERS,
            False,
            "no report has a number acuracy; they have: accuracy",
        ),
        ("metrics", {"odd": {"at_least": 0}}, NUMBERS, False, "odd is nan"),
        ("metrics", {"a": {"at_least": 0}}, {}, False, "they have: none"),
        ("not-worse", {"accuracy": {"by": 0.02}}, AGAINST, True, "accuracy is 0.95, and what serves has 0.96"),
        ("not-worse", {"accuracy": {}}, AGAINST, False, "accuracy is 0.95, but what serves has 0.96"),
        ("not-worse", {"loss": {"better": "lower"}}, AGAINST, True, "loss is 0.2, and what serves has 0.3"),
        ("not-worse", {"auc": {}}, AGAINST, False, "no report of this version has a number auc"),
        ("not-worse", {"odd": {}}, AGAINST, False, "no report of the serving version has a number odd"),
        ("not-worse", {"accuracy": {}}, NUMBERS, True, "no version serves there yet"),
        ("approvals", {}, {"approvals": lambda: approved(BOB)}, True, f"approved by {BOB}"),
        ("approvals", {"count": 2}, {"approvals": lambda: approved(BOB)}, False, f"approved by {BOB}, and 2 have to"),
        ("approvals", {"count": 2}, {"approvals": lambda: approved(BOB, BOB)}, False, "and 2 have to"),
        ("approvals", {"count": 2}, {"approvals": lambda: approved(ADA, BOB)}, True, f"approved by {ADA}, {BOB}"),
        (
            "approvals",
            {"count": 2, "other_than_author": True},
            {"approvals": lambda: approved(ADA, BOB)},
            False,
            "ada registered it",
        ),
        ("approvals", {"other_than_author": True}, {"approvals": lambda: approved(BOB)}, True, f"approved by {BOB}"),
        (
            "approvals",
            {"other_than_author": True},
            {"approvals": lambda: approved(BOB), "author": None},
            False,
            "who registered the version is not known",
        ),
        (
            "approvals",
            {},
            {"approvals": lambda: [*approved(ADA), REJECTED, *approved(BOB)]},
            True,
            f"approved by {BOB}",
        ),
        (
            "approvals",
            {"count": 2},
            {"approvals": lambda: [*approved(ADA), REJECTED, *approved(BOB)]},
            False,
            "and 2 have to",
        ),
        ("approvals", {}, {}, True, "approved by somebody unknown"),
        ("approvals", {"other_than_author": True}, {}, False, "somebody unknown may have registered it"),
        ("approvals", {}, {"approval": "Rejected", "approvals": lambda: approved(BOB)}, False, "approved by nobody"),
        ("approvals", {"reasons": True}, {"approvals": lambda: approved(BOB)}, False, "bob gave no reason"),
        ("approvals", {"reasons": True}, {"approvals": lambda: approved(BOB, reason="ok")}, True, "approved by"),
        ("age", {"at_least": "1d"}, {}, True, "it is 2d old"),
        ("age", {"at_least": "3d"}, {}, False, "it is 2d old, and at least 3d is wanted"),
        ("age", {"at_most": "1d"}, {}, False, "it is 2d old, and at most 1d is wanted"),
        ("age", {"at_most": "1d"}, {"created": None}, False, "when it was registered is not known"),
        (
            "reports",
            ["ModelQuality.Statistics"],
            {"details": {"ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://b/k"}}}}},
            True,
            "it has ModelQuality.Statistics",
        ),
        (
            "reports",
            ["ModelQuality.Statistics", "Bias.Report"],
            {"details": {"ModelMetrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://b/k"}}}}},
            False,
            "it lacks Bias.Report",
        ),
        ("freeze", [{"from": "2026-12-20", "to": "2027-01-02"}], {}, True, "no window holds"),
        (
            "freeze",
            [{"from": "2026-11-27", "to": "2026-11-27", "why": "Black Friday"}],
            {},
            False,
            "nothing is promoted now: Black Friday",
        ),
        ("freeze", [{"days": ["Friday"], "hours": "16:00-24:00"}], {}, False, "nothing is promoted now"),
        ("freeze", [{"days": ["fri"], "hours": "00:00-16:00"}], {}, True, "no window holds"),
        ("freeze", [{"hours": "14:00-04:00"}], {}, False, "nothing is promoted now"),
        ("freeze", [{"days": ["thu"], "hours": "20:00-19:00"}], {}, False, "nothing is promoted now"),
        ("freeze", [{"days": ["fri"], "hours": "20:00-19:00"}], {}, True, "no window holds"),
        ("freeze", [{"to": "2026-11-26", "hours": "20:00-19:00"}], {}, False, "nothing is promoted now"),
        ("freeze", [{"from": "2026-11-27", "hours": "20:00-19:00"}], {}, True, "no window holds"),
        ("freeze", [{"days": ["sat"], "timezone": "Asia/Tokyo"}], {}, False, "nothing is promoted now"),
        ("card", {"need": ["model_owner"]}, CARD, True, "its card has all 1 members that are asked for and is Draft"),
        ("card", {"need": ["model_owner", "risk_rating"]}, CARD, False, "its card lacks risk_rating"),
        ("card", {"need": ["model_owner"], "status": "Approved"}, CARD, False, "is Draft, and Approved is wanted"),
        ("card", {"need": [], "status": "Draft"}, CARD, True, "has all 0 members"),
        ("card", True, CARD, False, "its card lacks model_description, purpose_of_model"),
        ("after", "staging", {}, True, "it has passed staging"),
        ("after", "staging", {"passed": lambda name: f"it was never in {name}"}, False, "it was never in staging"),
    ],
)
def test_a_gate(gate: str, raw: Any, asked: Any, passes: bool, found: str) -> None:
    made = gates()[gate]
    judgement = made.judge(made.read(raw), replace(ASKED, **asked))
    assert judgement.passes == passes and found in judgement.found


@pytest.mark.parametrize(
    ("gate", "raw", "said"),
    [
        ("metrics", {}, "give limits by the name of a number"),
        ("metrics", {"a": {"least": 1}}, "a: give at_least, at_most or both"),
        ("metrics", {"a": {"at_least": "1"}}, "a: at_least = '1' is no number"),
        ("no-anomaly", {"within": "1d"}, "it lacks 'name'"),
        ("card", {"need": True}, "need = True: give a list"),
        ("image", {"exceptions": 0}, "exceptions = 0: give a list"),
        ("not-worse", {"a": {"better": "up"}}, "better = 'up'"),
        ("not-worse", {"a": {"by": -1}}, "by = -1"),
        ("approvals", {"counts": 2}, "'counts' is not a key of it; known: count, other_than_author, reasons"),
        ("approvals", 2, "give a table, with the keys count"),
        ("age", {"at_least": "old"}, "'old' is no duration"),
        ("reports", ["Quality"], "there is no report 'Quality'"),
        ("reports", [], "give a list"),
        ("card", {"need": "model_owner"}, "need: give a list of members of a card"),
        ("card", {"need": ["owner"]}, "need: a card has no member 'owner'"),
        ("card", {"need": ["model_owner"], "without": ["model_owner"]}, "nothing is asked for"),
        ("card", {"status": "Done"}, "status = 'Done'; there are: Draft"),
        ("card", {"needs": []}, "'needs' is not a key of it; known: need, without, status"),
        ("card", 1, "give a table, with the keys need"),
        ("freeze", {"from": "2026-12-20"}, "give a list of windows"),
        ("freeze", [{"from": "soon"}], "'soon'; write for example from = "),
        ("freeze", [{"days": ["someday"]}], "give a list of mon, tue"),
        ("freeze", [{"hours": "16-25"}], "a window cannot be read"),
        ("freeze", [{"hours": "10:00-10:00"}], "that never holds"),
        ("freeze", [{"hours": "10:00Z-12:00Z"}], "has none of its own"),
        ("freeze", [{"from": "2027-01-02", "to": "2026-12-20"}], "that never holds"),
        ("approvals", {"count": "x"}, "count = 'x': give a whole number"),
        ("approvals", {"count": True}, "count = True: give a whole number"),
        ("approvals", {"count": 0}, "one at least"),
        ("approvals", {"reasons": "no"}, "reasons = 'no': give true or false"),
        ("reports", [1], "1 is no text"),
        ("reports", [{}], "{} is no text"),
        ("metrics", {"a": {"at_least": float("nan")}}, "nan is no limit"),
        ("metrics", {"a": {"at_least": 2, "at_most": 1}}, "no number is both"),
        ("not-worse", {"a": {"by": float("inf")}}, "give how much worse"),
        ("age", {}, "give at_least, at_most or both"),
        ("age", {"at_least": "2h", "at_most": "1h"}, "no version is both"),
        ("age", {"at_most": "9999999h"}, "longer than a hundred years"),
        ("image", {"file": 1}, "file = 1"),
        ("freeze", [{"timezone": "Mars"}], "a window cannot be read"),
        ("after", "", "give the name of an environment"),
    ],
)
def test_settings_that_mean_nothing(gate: str, raw: Any, said: str) -> None:
    with pytest.raises(ValueError) as told:
        gates()[gate].read(raw)
    assert said in str(told.value)


DECLARED: tuple[tuple[str, Any], ...] = (("after", "staging"), ("age", {"at_most": "1d"}))
VERSION = Version("churn", 7, "arn", "Approved", None)


def test_all_gates_are_asked_and_each_that_refuses_is_named() -> None:
    declared = [
        (gates()[name], gates()[name].read(raw)) for name, raw in (("after", "staging"), ("age", {"at_most": "1d"}))
    ]
    found = judge(declared, replace(ASKED, passed=lambda name: "no"))
    assert [(item.gate, item.passes) for item in found] == [
        (APPROVAL, True),
        ("after", False),
        ("age", False),
        ("checksum", True),
    ]
    with pytest.raises(Refusal) as told:
        need_open(found, VERSION)
    assert "gate after refuses: no" in told.value.message and "gate age refuses: it is 2d old" in told.value.message


def test_an_override_is_told_and_does_not_open_the_others() -> None:
    declared = [
        (gates()[name], gates()[name].read(raw)) for name, raw in (("after", "staging"), ("age", {"at_most": "1d"}))
    ]
    asked = replace(ASKED, passed=lambda name: "no")
    found = judge(declared, asked, ["after"])
    assert found[1].told == "gate after passed over: no"
    with pytest.raises(Refusal) as told:
        need_open(found, VERSION)
    assert "after" not in told.value.message
    need_open(judge(declared, asked, ["after", "age"]), VERSION)


def test_approval_is_no_gate_that_can_be_passed_over() -> None:
    with pytest.raises(Refusal, match="is Rejected, only an Approved one") as told:
        need_open(judge([], replace(ASKED, approval="Rejected"), [APPROVAL]), replace(VERSION, approval="Rejected"))
    assert "gate approval refuses: it is Rejected" in told.value.message


@pytest.mark.parametrize(
    ("raised", "found"),
    [
        (KeyError("status"), "it cannot say: KeyError: 'status'"),
        (RecursionError("too deep"), "it cannot say: RecursionError: too deep"),
        (ValueError("DB_PASSWORD=hunter2-hunter2 is refused"), "DB_PASSWORD=(hidden) is refused"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_a_gate_that_breaks_down_does_not_say_yes(raised: Exception, found: str) -> None:
    def breaks_down(settings: Any, asked: Asked) -> Judgement:
        raise raised

    _, judged, _ = judge([(Gate("own", "", lambda raw: raw, breaks_down), True)], ASKED)
    assert (judged.passes, judged.found) == (False, found)


def test_what_a_gate_found_holds_no_secret() -> None:
    gate = Gate("own", "", lambda raw: raw, lambda settings, asked: Judgement(True, f"it is ghp_{'0' * 36}"))
    _, judged, _ = judge([(gate, True)], ASKED)
    assert judged.told == "gate own passes: it is (hidden)"


@pytest.mark.parametrize(
    "content", ["7", "{}", "[7]", '{"a": {"imageScanStatus": 7}}', '[{"id": 1, "affected": [7]}]', "[" * 99_999]
)
@pytest.mark.parametrize("gate", ["image", "dependencies"])
def test_a_file_that_holds_anything_is_no_yes(gate: str, content: str, tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text(content)
    raw = {"image": {"file": "found.json"}, "dependencies": {"advisories": "found.json"}}[gate]
    ships: Any = {
        "shipped": lambda: [Shipped("joblib", "1.0", "joblib==1.0", "requirements.txt")],
        "scans": lambda: [Scan("a", unknown="no")],
    }
    asked = replace(ASKED, root=tmp_path, **ships)
    _, judged, _ = judge([(gates()[gate], gates()[gate].read(raw))], asked)
    assert not judged.passes and "\n" not in judged.told

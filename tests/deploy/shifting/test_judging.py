"""Verdicts: by the values of all periods since a stage began."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.deploy.measures import measures
from mlops.deploy.shifting import deciding
from mlops.deploy.shifting.comparing import Comparison
from mlops.deploy.shifting.deciding import Rule, judged, period_of, periods_of, too_short
from mlops.deploy.shifting.judging import ByMetrics, unknown_alarms
from mlops.deploy.shifting.samples import Samples
from mlops.ir.measure import Judged
from mlops.ir.shift import Bake, Stage

from .service import Pages, paged

ERRORS = measures()["errors"]
RULE = Rule("errors", ERRORS, ERRORS.settings(), at_most=0.01)
BAKE = Bake(1, 5.0, 600.0)


@pytest.mark.parametrize(
    ("changes", "values", "standing", "why"),
    [
        ({}, [], "unsure", "0 of 1 periods were good (none of 60 s is over)"),
        ({}, [0.0], "green", "errors 0 %"),
        ({}, [0.01], "green", "errors 1 %"),
        ({}, [0.0, 0.05], "red", "5 %, and at most 1 % is wanted"),
        ({}, [0.05, 0.0], "red", "5 %, and at most 1 % is wanted"),
        ({}, [None, None], "unsure", "0 of 1 periods were good (no value yet)"),
        ({}, [None, 0.0], "green", "errors 0 %"),
        ({"missing": "pass"}, [None], "green", "errors no value yet"),
        ({"missing": "fail"}, [None], "red", "nothing was measured"),
        ({"failures": 1}, [0.05, 0.0], "green", "errors 0 %"),
        ({"failures": 1}, [0.05, 0.05, 0.0], "red", "2 of 3 periods"),
        ({"count": 2}, [0.0], "unsure", "1 of 2 periods were good"),
        ({"count": 2}, [0.0, 0.0], "green", "errors 0 %"),
        ({"fails_above": 0.1}, [0.05], "unsure", "0 of 1 periods were good (5 %)"),
        ({"fails_above": 0.1}, [0.05, 0.0], "green", "errors 0 %"),
        ({"fails_above": 0.1}, [0.2], "red", "20 %"),
        ({"fails_above": 0.1, "unsure": 0}, [0.05], "red", "1 period was neither good nor bad, 0 may be"),
        ({"at_most": None, "at_least": 0.5}, [0.4], "red", "at least 50 % is wanted"),
        ({"at_most": None, "at_least": 0.5}, [0.6], "green", "60 %"),
    ],
)
def test_a_verdict(changes: dict[str, Any], values: list[float | None], standing: str, why: str) -> None:
    found = judged(replace(RULE, **changes), values)
    assert found.standing == standing and why in found.why


@pytest.mark.parametrize(
    ("seconds", "period"), [(1, 1), (2, 5), (10, 10), (30, 30), (31, 60), (60, 60), (61, 120), (300, 300)]
)
def test_periods_are_those_that_cloudwatch_knows(seconds: float, period: int) -> None:
    assert period_of(seconds) == period


@pytest.mark.parametrize(
    ("changes", "seconds", "lag", "patience", "said"),
    [
        ({}, 120, 0, 0, None),
        ({}, 119, 0, 0, "stage 1 may end without a verdict on errors: 0 to 1 whole periods of 1m are known"),
        ({}, 59, 0, 0, ": 0 to 0 whole periods"),
        ({}, 120, 90, 0, "let it last 3m 30s, or give `patience`, a shorter `interval` or `lag`"),
        ({}, 210, 90, 0, None),
        ({}, 120, 90, 90, None),
        ({"delay": 60.0}, 120, 0, 0, "let it last 3m,"),
        ({"count": 3}, 239, 0, 0, ": 2 to 3 whole periods of 1m are known by then, and 3 have to be good"),
        ({"count": 3}, 240, 0, 0, None),
        ({"interval": 10}, 20, 0, 0, None),
        ({"dry_run": True}, 30, 0, 0, None),
        ({"at_most": None, "count": 9}, 120, 0, 0, None),
    ],
)
def test_a_stage_that_is_too_short_for_a_verdict_is_told(
    changes: dict[str, Any], seconds: float, lag: float, patience: float, said: str | None
) -> None:
    rule = replace(RULE, **changes)
    bake = Bake(1, 5.0, seconds)
    told = too_short([rule], [bake, replace(bake, stage=2, seconds=900.0)], lag, patience)
    assert said in told[0] if said is not None else told == []


@pytest.mark.parametrize("begins", range(1000, 1060, 7))
def test_a_stage_that_is_long_enough_has_its_periods_wherever_it_begins(begins: int) -> None:
    for count in (1, 2, 5):
        rule, seconds = replace(RULE, count=count, delay=7.0), 7 + 90 + 60 * (count + 1)
        assert too_short([rule], [replace(BAKE, seconds=seconds)], 90, 0) == []
        assert len(periods_of(rule, (begins, begins + seconds), begins + seconds - 90)) >= count


class Metrics:
    """Values by the query's name and the second at which a period begins. ``page`` is how many alarms or results one
    answer has."""

    def __init__(
        self, values: dict[str, dict[int, float]], alarms: dict[str, str] | None = None, page: int = 100
    ) -> None:
        self.values, self.alarms, self.page = values, alarms or {}, page
        self.asked: list[tuple[float, float]] = []
        self.fails = False

    def get_paginator(self, operation: str) -> Pages:
        return Pages({"get_metric_data": self._data, "describe_alarms": self._alarms}[operation])

    def _data(self, StartTime: datetime, EndTime: datetime, **request: Any) -> list[dict[str, Any]]:
        if self.fails:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "slower"}}, "GetMetricData")
        start, end = StartTime.timestamp(), EndTime.timestamp()
        self.asked.append((start, end))
        results = []
        for query in request["MetricDataQueries"]:
            found = {at: value for at, value in self.values.get(query["Id"], {}).items() if start <= at < end}
            times = [datetime.fromtimestamp(at, UTC) for at in found]
            results.append({"Id": query["Id"], "Timestamps": times, "Values": list(found.values())})
        return paged("MetricDataResults", results, self.page)

    def _alarms(self, AlarmNames: list[str], AlarmTypes: list[str]) -> list[dict[str, Any]]:
        assert len(AlarmNames) <= 100  # or the service refuses it
        found = [
            {
                "AlarmName": name,
                "StateValue": self.alarms[name],
                "StateReason": f"DB_PASSWORD=hunter2-{name} is refused",
            }
            for name in AlarmNames
            if name in self.alarms
        ]
        return paged("MetricAlarms", found, self.page)


def judge(metrics: Metrics, *rules: Rule, lag: float = 0.0, **more: Any) -> ByMetrics:
    samples = Samples("churn", "churn", 1, "blue", (), (), lag, {}, ())
    return ByMetrics(metrics, rules or (RULE,), samples, **more)


def test_only_whole_periods_of_the_stage_count() -> None:
    """What was before it is of another share, and what is not over may still change."""
    metrics = Metrics({"requests": {60: 10.0, 120: 10.0, 180: 10.0}, "failed": {60: 10.0, 180: 10.0}})
    assert judge(metrics).look(BAKE, since=70, now=185).standing == "green"
    assert metrics.asked == [(120.0, 180.0)]
    assert judge(metrics).look(BAKE, since=70, now=245).standing == "red"
    assert judge(metrics, lag=60).look(BAKE, since=70, now=245).standing == "green"
    assert judge(metrics, replace(RULE, delay=120.0)).look(BAKE, since=70, now=300).standing == "unsure"


@pytest.mark.parametrize(("missing", "standing"), [("pass", "unsure"), ("fail", "green"), ("unsure", "green")])
def test_what_a_machine_slept_through_is_neither_good_nor_bad(missing: Any, standing: str) -> None:
    """Nothing was measured then. What was, counts: an account's endpoint served on."""
    requests = {} if missing == "pass" else {60: 10.0}
    rule = replace(RULE, missing=missing)
    judging = judge(Metrics({"requests": requests}), rule)
    judging.slept(61 if missing == "pass" else 130, 290)
    assert judging.look(BAKE, since=60, now=300).standing == standing
    assert judging.asleep(200, 300) == 90
    served = judge(Metrics({"requests": {180: 10.0}, "failed": {180: 5.0}}), rule)
    served.slept(130, 290)
    assert served.look(BAKE, since=60, now=300).standing == "red"


def test_evidence_goes_on_behind_a_sleep_as_if_there_had_been_none() -> None:
    rule = replace(RULE, at_most=None, compare=Comparison())

    def evidence(slept: int) -> list[float]:
        samples = Samples("churn", "churn", 1, "new", ("old",), (Stage(50.0, 600.0), Stage(100.0)), 0.0, {}, ())
        for number in range(10):
            at = 60 * number + (slept if number >= 5 else 0)
            for variant, failed in (("new", 6.0), ("old", 2.0)):
                samples.add("errors", variant, at, {"requests": 100.0, "failed": failed, "refused": None})
        if slept:
            samples.asleep.append((300.0, 300.0 + slept))
        now = 600.0 + slept
        return [wealth for _, wealth in deciding.evidence(rule, Comparison(), samples, [(0.0, now)], now, better=False)]

    assert evidence(7200) == evidence(0) and len(evidence(0)) == 10


def test_what_callers_did_wrong_is_no_error_of_the_version() -> None:
    metrics = Metrics({"requests": {60: 100.0}, "failed": {60: 30.0}, "refused": {60: 30.0}})
    assert judge(metrics).look(BAKE, since=60, now=120).standing == "green"


def test_a_version_that_fails_is_told_with_its_requests_and_its_log() -> None:
    """And without what is secret in it; of what is no failure of the server its log is not asked."""
    metrics = Metrics({"requests": {60: 10.0}, "failed": {60: 4.0}, "refused": {60: 1.0}, "latency": {60: 2e6}})
    asked: list[tuple[str, str, float]] = []

    def log(*of: Any) -> str:
        asked.append(of)
        return "it raised ValueError: DB_PASSWORD=hunter2-blue is refused; its log: there"

    why = judge(metrics, log=log).look(BAKE, since=60, now=120).why
    assert why.startswith("errors: 30 % (3 of 10 requests), and at most 1 % is wanted; it raised ValueError: ")
    assert why.endswith("its log: there") and "hunter2" not in why and asked == [("churn", "blue", 60)]
    latency = measures()["latency"]
    slow = replace(RULE, name="latency", measure=latency, settings=latency.settings(), at_most=0.25)
    assert (
        judge(metrics, slow, log=log).look(BAKE, since=60, now=120).why == "latency: 2s, and at most 250 ms is wanted"
    )
    assert judge(metrics, replace(RULE, dry_run=True), log=log).look(BAKE, since=60, now=120).standing == "green"
    assert len(asked) == 1


def test_a_question_without_an_answer_is_no_failure_until_there_are_too_many() -> None:
    metrics = Metrics({"requests": {60: 1.0}})
    metrics.fails = True
    asking = judge(metrics)
    found = [asking.look(BAKE, since=60, now=120) for _ in range(5)]
    assert [verdict.standing for verdict in found] == ["unsure"] * 4 + ["red"]
    assert "was asked 5 times in a row and did not answer" in found[-1].why
    metrics.fails = False
    assert asking.look(BAKE, since=60, now=120).standing == "green"


def test_a_dry_run_is_told_once_and_not_heeded() -> None:
    said: list[str] = []
    metrics = Metrics({"requests": {60: 1.0}, "failed": {60: 1.0}})
    asking = judge(metrics, replace(RULE, dry_run=True), say=said.append)
    assert [asking.look(BAKE, since=60, now=120).standing for _ in range(2)] == ["green", "green"]
    assert len(said) == 1 and said[0].startswith("dry run: errors: 100 %")


@pytest.mark.parametrize(
    ("state", "standing"), [("OK", "green"), ("ALARM", "red"), ("INSUFFICIENT_DATA", "unsure"), (None, "red")]
)
def test_alarms(state: str | None, standing: str) -> None:
    metrics = Metrics({"requests": {60: 1.0}}, {"a": state} if state else {})
    assert judge(metrics, alarms=("a",)).look(BAKE, since=60, now=120).standing == standing


@pytest.mark.parametrize("page", [1, 2, 100])
@pytest.mark.parametrize("count", [1, 3, 100, 101, 250])
def test_alarms_on_all_pages_are_heard(count: int, page: int) -> None:
    names = tuple(f"a{number}" for number in range(count))
    quiet = Metrics({"requests": {60: 1.0}}, dict.fromkeys(names, "OK"), page)
    assert judge(quiet, alarms=names).look(BAKE, since=60, now=120).standing == "green"
    assert unknown_alarms(quiet, (*names, "other")) == ["other"]
    quiet.alarms[names[-1]] = "ALARM"
    assert judge(quiet, alarms=names).look(BAKE, since=60, now=120).standing == "red"


def test_values_on_all_pages_count() -> None:
    metrics = Metrics({"requests": {60: 10.0}, "failed": {60: 10.0}}, page=1)
    assert judge(metrics).look(BAKE, since=60, now=120).standing == "red"


def test_the_reason_of_an_alarm_is_told_without_its_secrets() -> None:
    asking = judge(Metrics({}, {"a": "ALARM"}), alarms=("a",))
    assert asking.look(BAKE, since=60, now=120).why == "the alarm a is in ALARM: DB_PASSWORD=(hidden) is refused"


@pytest.mark.parametrize(
    ("name", "settings", "answers", "value"),
    [
        ("errors", {}, {"requests": 10.0, "failed": 3.0, "refused": 1.0}, 0.2),
        ("errors", {}, {"requests": None, "failed": None, "refused": None}, None),
        ("errors", {}, {"requests": 0.0, "failed": None, "refused": None}, None),
        ("latency", {}, {"latency": 250_000.0}, 0.25),
        ("slow", {}, {"quick": 99.0, "timed": 5.0}, 0.01),
        ("slow", {}, {"quick": None, "timed": None}, None),
        ("requests", {}, {"requests": None}, 0.0),
        ("cpu", {}, {"used": 80.0}, 80.0),
        ("memory", {}, {"used": None}, None),
        ("metric", {"namespace": "A", "name": "b"}, {"value": 3.0}, 3.0),
    ],
)
def test_a_measure(name: str, settings: dict[str, Any], answers: dict[str, float | None], value: float | None) -> None:
    measure = measures()[name]
    made = measure.settings(**settings)
    assert set(measure.queries(made, Judged("churn", "blue"))) == set(answers)
    assert measure.value(made, answers) == (None if value is None else pytest.approx(value))

"""Alarms in the local account: the service's tables of missing data, metric math, composite alarms, what a change
brings about. Time is the test's own."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import clock, events
from mlops.account.local.answering import answer
from mlops.account.local.process.clock.ticking import Clock
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch.bands import band
from mlops.account.local.services.cloudwatch.evaluating import evaluated
from mlops.account.local.services.cloudwatch.metric_math import Asked, Result, Span, evaluate
from mlops.account.local.state import State
from mlops.knowledge.cloudwatch import alarm_rules
from mlops.knowledge.cloudwatch.metric_math import Malformed, order, parse
from mlops.knowledge.cloudwatch.standing import standing

KEPT = "as it was"
TABLES = """
3 of 3  0 - X - X  OK OK OK OK
3 of 3  0 - - - -  OK OK OK OK
3 of 3  - - - - 0  OK OK OK OK
3 of 3  - - - - -  INSUFFICIENT_DATA as-it-was ALARM OK
3 of 3  0 X X - X  ALARM ALARM ALARM ALARM
3 of 3  - - X - -  ALARM as-it-was ALARM OK
2 of 3  0 - X - X  ALARM ALARM ALARM ALARM
2 of 3  0 0 X 0 X  ALARM ALARM ALARM ALARM
2 of 3  0 - X - -  OK OK ALARM OK
2 of 3  - - - - 0  OK OK ALARM OK
2 of 3  - - - X -  ALARM as-it-was ALARM OK
3 of 3  - - - - X  as-it-was as-it-was ALARM OK
3 of 3  - - - X -  as-it-was as-it-was ALARM OK
"""
"""The guide's two tables, in its order of treatments: missing, ignore, breaching, notBreaching; at last what its text
says of premature transitions."""


@pytest.mark.parametrize("row", TABLES.strip().splitlines())
@pytest.mark.parametrize("before", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_how_missing_data_are_treated(row: str, before: Any) -> None:
    needed, _, periods, *rest = row.split()
    breaches = [{"0": False, "X": True, "-": None}[value] for value in rest[:5]]
    for treatment, wanted in zip(("missing", "ignore", "breaching", "notBreaching"), rest[5:], strict=True):
        found = standing(breaches, int(periods), int(needed), treatment, before)
        assert found == (before if wanted == "as-it-was" else wanted), treatment


M1 = {0: 1.0, 60: 2.0, 120: 4.0}
M2 = {0: 10.0, 120: 0.0, 180: 5.0}
MATH: list[tuple[str, Any]] = [
    ("m1 + m2", {0: 11, 120: 4}),
    ("m1 - 1", {0: 0, 60: 1, 120: 3}),
    ("2 * m1 ^ 2", {0: 2, 60: 8, 120: 32}),
    ("-m1", {0: -1, 60: -2, 120: -4}),
    ("m1 / m2", {0: 0.1}),
    ("100 * m1 / SUM([m1, m2])", {0: 100 / 11, 60: 100, 120: 100}),
    ("1 + 2 * 3 - 4 / 2", 5),
    ("(1 + 2) * 3", 9),
    ("2 ^ 3 ^ 2", 512),
    ("m1 > 1", {0: 0, 60: 1, 120: 1}),
    ("m1 >= 2 AND m1 != 4", {0: 0, 60: 1, 120: 0}),
    ("m1 == 1 || m1 == 4", {0: 1, 60: 0, 120: 1}),
    ("SUM(m1)", 7),
    ("AVG(m2)", 5),
    ("MAX([m1, m2])", {0: 10, 60: 2, 120: 4, 180: 5}),
    ("MIN([m1, m2])", {0: 1, 60: 2, 120: 0, 180: 5}),
    ("AVG([m1, m2])", {0: 5.5, 60: 2, 120: 2, 180: 5}),
    ("STDDEV(m2)", math.sqrt(50 / 3)),
    ("AVG(METRICS())", {0: 5.5, 60: 2, 120: 2, 180: 5}),
    ('SUM(METRICS("2"))', {0: 10, 120: 0, 180: 5}),
    ("METRIC_COUNT(METRICS())", 2),
    ("DATAPOINT_COUNT(m1)", 3),
    ("DATAPOINT_COUNT([m1, m2])", {0: 2, 60: 1, 120: 2, 180: 1}),
    ("RATE(m1)", {60: 1 / 60, 120: 2 / 60}),
    ("DIFF(m1)", {60: 1, 120: 2}),
    ("DIFF_TIME(m2)", {120: 120, 180: 60}),
    ("RUNNING_SUM(m1)", {0: 1, 60: 3, 120: 7}),
    ("FILL(m2, 0)", {0: 10, 60: 0, 120: 0, 180: 5}),
    ("FILL(m1, REPEAT)", {0: 1, 60: 2, 120: 4, 180: 4}),
    ("FILL(m2, LINEAR)", {0: 10, 60: 5, 120: 0, 180: 5}),
    ("FILL(m2, m1)", {0: 10, 60: 2, 120: 0, 180: 5}),
    ("FILL(nothing, 3)", {0: 3, 60: 3, 120: 3, 180: 3}),
    ("IF(m1 > 1, m1)", {60: 2, 120: 4}),
    ("IF(m1 > 1, m1, 0)", {0: 0, 60: 2, 120: 4}),
    ("IF(m1, m2, 9)", {0: 10, 120: 0}),
    ("IF(1 > 2, 1, 7)", 7),
    ("ABS(m1 - 3)", {0: 2, 60: 1, 120: 1}),
    ("CEIL(m1 / 3) + FLOOR(m1 / 3)", {0: 1, 60: 1, 120: 3}),
    ("LOG10(m2)", {0: 1, 180: math.log10(5)}),
    ("LOG(m2)", {0: math.log(10), 180: math.log(5)}),
    ("PERIOD(m1)", 60),
    ("SUM(m1) / PERIOD(m1)", 7 / 60),
    ("FIRST([m1, m2])", M1),
    ("LAST([m1, m2])", M2),
    ("MAX(SLICE(SORT(METRICS(), SUM, DESC), 0, 1))", M2),
    ("FIRST(SORT(METRICS(), AVG, ASC, 1))", M1),
    ("METRIC_COUNT(REMOVE_EMPTY([m1, nothing]))", 1),
    ("TIME_SERIES(5)", {0: 5, 60: 5, 120: 5, 180: 5}),
    ("MINUTE(m1)", {0: 0, 60: 1, 120: 2}),
    ("EPOCH(m1)", {0: 0, 60: 60, 120: 120}),
    ("DAY(m1) + MONTH(m1) + YEAR(m1) + HOUR(m1) + DATE(m1)", dict.fromkeys(M1, 4 + 1 + 1970 + 0 + 1)),
    ("LAST(ANOMALY_DETECTION_BAND(m1, 3))", {0: 3}),
    ("TIME_SERIES(REMOVE_EMPTY([nothing, nothing]))", {}),
    ("DATAPOINT_COUNT(FILL(m1, FLOOR(AVG(nothing))))", 4),
    ("MAX(CEIL(m1 * 10 ^ 308))", math.inf),
]


def worked_out(text: str) -> Result:
    results: dict[str, Result] = {"m1": M1, "m2": M2, "nothing": {}}

    def ends(name: str, deviations: float) -> tuple[Mapping[int, float], Mapping[int, float]]:
        return {0: -deviations}, {0: deviations}

    return evaluate(text, Asked(Span(0, 240, 60), results, ["m1", "m2"], ends))


@pytest.mark.parametrize(("text", "wanted"), MATH, ids=[text for text, _ in MATH])
def test_metric_math(text: str, wanted: Any) -> None:
    found = worked_out(text)
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("m1 +", "too early"),
        ("m1 m2", "nothing is expected at 'm2'"),
        ("SUM(m1", "',' is expected, not ''|too early"),
        ("SUMM(m1)", "neither a function nor an id"),
        ("sum(m1)", "is written SUM"),
        ("AVG(m1, m2)", "takes 1 arguments, not 2"),
        ("M1 + 1", "begins with a small letter"),
        ("SEARCH('{a}', 'Sum', 60)", "no function that is known here"),
        ("m1 ~ 2", "cannot be read"),
        ("(" * 400 + "m1" + ")" * 400, "nested deeper"),
        ("2" + "^2" * 1000, "nested deeper"),
        ("1" + "+1" * 1000, "more than 600 operations"),
    ],
)
def test_what_is_no_expression_is_told(text: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        parse(text)


def test_what_no_place_in_a_list_can_be_is_told() -> None:
    with pytest.raises(Malformed, match="whole number"):
        worked_out("SLICE(METRICS(), AVG(nothing))")


@pytest.mark.parametrize(
    ("expressions", "said"),
    [({"e": "m1 + x"}, "no query with the id x"), ({"a": "b", "b": "a"}, "in a circle"), ({"a": "a"}, "a -> a")],
)
def test_expressions_read_each_other_in_an_order(expressions: dict[str, str], said: str) -> None:
    assert order({"b": "a + 1", "a": "m1"}, ["m1"]) == ("a", "b")
    with pytest.raises(Malformed, match=said):
        order(expressions, ["m1"])


RULES: list[tuple[str, bool | str]] = [
    ("ALARM(red)", True),
    ('ALARM("green")', False),
    ("OK(green) AND ALARM(red)", True),
    ("ALARM(green) OR ALARM(red) AND OK(green)", True),
    ("(ALARM(red) OR ALARM(green)) AND NOT OK(green)", False),
    ("NOT ALARM(green) AND NOT OK(red)", True),
    ("NOT NOT ALARM(red)", True),
    ("INSUFFICIENT_DATA(blank)", True),
    ("ALARM('arn:aws:cloudwatch:us-east-1:000000000000:alarm:red')", True),
    ("TRUE AND NOT FALSE", True),
    ("OK(gone) OR ALARM(gone) OR INSUFFICIENT_DATA(gone)", False),
    ('ALARM("a name (of 2)")', False),
    ("", "empty"),
    ("ALARM(red", "cannot be read"),
    ("ALARM(red) OK(red)", "AND or OR is expected"),
    ("(ALARM(red)", "missing"),
    ("ALARM(red) AND", "too early"),
    ("alarm(red)", "cannot be read"),
    ("AND ALARM(red)", "nothing can begin"),
    (" OR ".join(["ALARM(red)"] * 500), True),
    (" OR ".join(["TRUE"] * 501), "more than 500 alarms, constants"),
    (" OR ".join(f"ALARM({number})" for number in range(101)), "more than 100 alarms"),
]


@pytest.mark.parametrize(("rule", "wanted"), RULES)
def test_the_rule_of_a_composite_alarm(rule: str, wanted: bool | str) -> None:
    states = {"red": "ALARM", "green": "OK", "blank": "INSUFFICIENT_DATA"}
    if isinstance(wanted, str):
        with pytest.raises(alarm_rules.Malformed, match=wanted):
            alarm_rules.parse(rule)
    else:
        assert alarm_rules.holds(alarm_rules.parse(rule), lambda told: states.get(told.rpartition(":")[2])) is wanted


def test_a_band_is_what_was_usual_at_the_hour() -> None:
    hour = 3600
    past = {
        day * 24 * hour + at * hour: 100.0 + day % 3 if at == 9 else 5.0 + day % 2
        for day in range(20)
        for at in range(24)
    }
    past[15 * 24 * hour + 9 * hour] = 9999.0
    at = 20 * 24 * hour + 9 * hour
    low, high = band(past, [at, at + hour], 2.0)
    assert 95 < low[at] < 101 < high[at] < 107
    assert low[at + hour] <= 5 <= high[at + hour] < 20


def test_a_band_needs_values_and_leaves_out_what_is_excluded() -> None:
    past = {second * 60: 10.0 if second < 30 else 1000.0 for second in range(60)}
    assert band(past, [60 * 5], 2.0) == ({}, {})
    low, high = band(past, [3600], 2.0, excluded=[(1800, 3600)])
    assert (low[3600], high[3600]) == (10, 10)
    assert high[3600] < band(past, [3600], 2.0)[1][3600]


class World:
    """An account in which a minute has begun; ``time`` is the test's."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder / ".mlops", "us-east-1")
        self.start = datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) // 60 * 60, UTC) + timedelta(minutes=10)
        self.time = self.start

    def ask(self, operation: str, service: str = "cloudwatch", **request: Any) -> Mapping[str, Any]:
        return answer(self.state, service, operation, request)

    def alarm(self, name: str = "a", **more: Any) -> None:
        single = {} if "Metrics" in more else {"Namespace": "shop", "MetricName": "m", "Statistic": "Sum", "Period": 60}
        plain = {"EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold"}
        wanted = {key: value for key, value in {**single, **plain, **more}.items() if value is not None}
        self.ask("PutMetricAlarm", AlarmName=name, **wanted)

    def put(self, value: float, minute: float = 0, name: str = "m") -> None:
        """In the minute before ``time``, or so many before that."""
        at = self.time - timedelta(minutes=1 + minute)
        self.ask("PutMetricData", Namespace="shop", MetricData=[{"MetricName": name, "Value": value, "Timestamp": at}])

    def stands(self, name: str = "a") -> str:
        found = evaluated(self.state, name, self.time)
        assert found is not None
        return str(found["StateValue"])

    def told(self, kind: str) -> list[Mapping[str, Any]]:
        return [{**event.ids, **event.detail} for event in events.read(self.state.store, kinds=(kind,))]

    def turn(self) -> None:
        Clock(self.state, now=lambda: self.time).turn()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def query(name: str, **more: Any) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "shop", "MetricName": name}, "Period": 60, "Stat": "Sum"}
    return {"Id": name, "MetricStat": stat, "ReturnData": False, **more}


def test_an_alarm_watches_an_expression(world: World) -> None:
    world.alarm(Metrics=[query("bad"), query("all"), {"Id": "e", "Expression": "100 * bad / all"}])
    assert world.stands() == "INSUFFICIENT_DATA"
    world.put(1, name="bad")
    world.put(10, name="all")
    assert world.stands() == "ALARM"
    world.put(90, name="all")
    assert world.stands() == "OK"


def test_an_alarm_watches_a_band(world: World) -> None:
    for minute in range(1, 40):
        world.put(100 + minute % 5, minute)
    metrics = [query("m", ReturnData=True), {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m, 4)"}]
    band_ = {"ThresholdMetricId": "b", "ComparisonOperator": "GreaterThanUpperThreshold", "Threshold": None}
    world.alarm(Metrics=metrics, **band_)
    assert world.stands() == "OK"
    world.put(500)
    assert world.stands() == "ALARM"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "more of M than N": ({"DatapointsToAlarm": 2}, "must be less than or equal"),
    "no such treatment": ({"TreatMissingData": "so"}, "TreatMissingData"),
    "too long": ({"Period": 3600, "EvaluationPeriods": 169}, "more than 7 days"),
    "too long for minutes": ({"EvaluationPeriods": 1441}, "more than a day"),
    "no threshold": ({"Threshold": None}, "takes a Threshold"),
    "two of a kind": ({"Metrics": [query("m", ReturnData=True)], "MetricName": "m"}, "mutually exclusive"),
    "nothing returned": ({"Metrics": [query("m")]}, "Exactly one element"),
    "an expression of nothing": ({"Metrics": [{"Id": "e", "Expression": "m + 1"}]}, "no query with the id m"),
    "two periods": (
        {
            "Metrics": [
                query("m", ReturnData=True),
                query("n", MetricStat={"Metric": {"Namespace": "a", "MetricName": "n"}, "Period": 300, "Stat": "Sum"}),
            ]
        },
        "consistent across all Metrics",
    ),
    "a band that is none": (
        {"Metrics": [query("m", ReturnData=True), {"Id": "b", "Expression": "m * 2"}], "ThresholdMetricId": "b"}
        | {"Threshold": None, "ComparisonOperator": "GreaterThanUpperThreshold"},
        "is no ANOMALY_DETECTION_BAND",
    ),
    "PromQL": ({"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}}, "not evaluated by the local account"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_alarm_is_refused(world: World, case: str) -> None:
    given, said = REFUSED[case]
    with pytest.raises(Refusal, match=said):
        world.alarm(**given)


@pytest.mark.parametrize("count", [1e15, 0.0, -1.0])
def test_a_count_that_nobody_could_read_is_refused(world: World, count: float) -> None:
    with pytest.raises(Refusal, match="Counts"):
        world.ask("PutMetricData", Namespace="shop", MetricData=[{"MetricName": "m", "Values": [1], "Counts": [count]}])


def test_few_values_say_nothing_of_a_percentile(world: World) -> None:
    percentile = {"Statistic": None, "ExtendedStatistic": "p90"}
    world.alarm("judged", **percentile)
    world.alarm("not-judged", EvaluateLowSampleCountPercentile="ignore", **percentile)
    world.put(9)
    assert (world.stands("judged"), world.stands("not-judged")) == ("ALARM", "INSUFFICIENT_DATA")
    for _ in range(100):
        world.put(9)
    assert world.stands("not-judged") == "ALARM"


def test_a_change_reaches_rules_functions_and_topics_and_the_history(world: World) -> None:
    world.ask("CreateQueue", "sqs", QueueName="q")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["ALARM"]}, "alarmName": ["a"]}}
    world.ask("PutRule", "events", Name="r", EventPattern=json.dumps(pattern))
    queue = "arn:aws:sqs:us-east-1:000000000000:q"
    world.ask("PutTargets", "events", Rule="r", Targets=[{"Id": "1", "Arn": queue}])
    topic = "arn:aws:sns:us-east-1:000000000000:ops"
    world.alarm(AlarmActions=[topic, "arn:aws:automate:us-east-1:ec2:stop"], AlarmDescription="too many")
    world.put(9)
    world.turn()
    world.turn()
    (message,) = world.ask("ReceiveMessage", "sqs", QueueUrl="q")["Messages"]
    event = json.loads(message["Body"])
    assert (event["detail-type"], event["detail"]["state"]["value"]) == ("CloudWatch Alarm State Change", "ALARM")
    assert event["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] == "m"
    assert [told["topic"] for told in world.told("topic.notified")] == ["ops"]
    items = world.ask("DescribeAlarmHistory", AlarmName="a", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in items] == ["ConfigurationUpdate", "StateUpdate", "Action", "Action"]
    summaries = [item["HistorySummary"].partition(":us-east-1")[0] for item in items[2:]]
    assert sorted(summaries) == [
        "Failed to execute action arn:aws:automate",
        "Successfully executed action arn:aws:sns",
    ]
    updates = world.ask("DescribeAlarmHistory", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert json.loads(updates[0]["HistoryData"])["newState"]["stateValue"] == "ALARM"


def test_actions_that_are_switched_off_are_not_done(world: World) -> None:
    topic = "arn:aws:sns:us-east-1:000000000000:ops"
    world.alarm(AlarmActions=[topic], OKActions=[topic])
    world.ask("DisableAlarmActions", AlarmNames=["a"])
    world.put(9)
    world.turn()
    assert world.stands() == "ALARM" and not world.told("topic.notified")
    world.ask("EnableAlarmActions", AlarmNames=["a"])
    world.time += timedelta(minutes=1)
    world.put(1)
    world.turn()
    assert world.stands() == "OK" and len(world.told("topic.notified")) == 1


def test_changes_that_passed_while_nobody_looked_are_made_up_in_their_order(world: World) -> None:
    """By the clock, for each of the alarm's times since it was changed last."""
    world.alarm(TreatMissingData="notBreaching")
    world.turn()
    assert world.stands() == "OK"
    world.time += timedelta(minutes=10)
    world.put(9, minute=6)
    world.turn()
    found = world.ask("DescribeAlarmHistory", AlarmName="a", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    summaries = [item["HistorySummary"].removeprefix("Alarm updated from ") for item in reversed(found)]
    assert summaries == ["INSUFFICIENT_DATA to OK", "OK to ALARM", "ALARM to OK"]
    assert [item["Timestamp"] for item in reversed(found)][1:] == [
        world.start + timedelta(minutes=4),
        world.start + timedelta(minutes=7),
    ]
    before = len(world.told("alarm.changed"))
    world.turn()
    assert len(world.told("alarm.changed")) == before


@pytest.fixture
def composite(world: World) -> Callable[..., None]:
    """``c`` over ``a``, and ``mute`` as its suppressor; states are set by hand."""
    topic = "arn:aws:sns:us-east-1:000000000000:ops"
    world.alarm("a")
    world.alarm("mute")
    world.ask(
        "PutCompositeAlarm",
        AlarmName="c",
        AlarmRule="ALARM(a)",
        AlarmActions=[topic],
        OKActions=[topic.replace("ops", "over")],
        ActionsSuppressor="mute",
        ActionsSuppressorWaitPeriod=30,
        ActionsSuppressorExtensionPeriod=20,
    )

    def set_(seconds: int, **states: str) -> None:
        world.time = world.start + timedelta(seconds=seconds)
        for name, value in states.items():
            body = resources_body(world.state, name)
            write(world.state, name, {**body, "StateValue": value}, world.time, body["StateValue"])
        evaluated(world.state, "c", world.time)
        world.turn()

    set_(-120)
    set_(-60)
    return set_


def resources_body(state: State, name: str) -> dict[str, Any]:
    from mlops.account.local.services.cloudwatch.alarm_bodies import find

    found = find(state, name)
    assert found is not None
    return found


def write(state: State, name: str, body: Mapping[str, Any], now: datetime, was: str) -> None:
    """Standing there until the test sets it anew."""
    from mlops.account.local.services.cloudwatch.alarm_bodies import KIND, SET_UNTIL, WAS
    from mlops.account.local.services.sagemaker import resources
    from mlops.account.local.state import moment

    at = moment(now)
    more = {"StateTransitionedTimestamp": at, "StateUpdatedTimestamp": at, WAS: was, SET_UNTIL: "9999"}
    resources.replace(state, KIND, name, {**body, **more})


SUPPRESSED: dict[str, tuple[Sequence[tuple[int, dict[str, str], str | None, int]], ...]] = {
    # seconds, states that are set, what suppresses the actions, notices so far
    "nobody mutes it: it waits, then tells": (
        [(0, {"a": "ALARM"}, "WaitPeriod", 0), (29, {}, "WaitPeriod", 0), (31, {}, None, 1)],
    ),
    "muted before: told behind the extension": (
        [
            (0, {"mute": "ALARM"}, None, 0),
            (5, {"a": "ALARM"}, "Alarm", 0),
            (60, {}, "Alarm", 0),
            (70, {"mute": "OK"}, "ExtensionPeriod", 0),
            (89, {}, "ExtensionPeriod", 0),
            (91, {}, None, 1),
        ],
    ),
    "muted while it waits": (
        [(0, {"a": "ALARM"}, "WaitPeriod", 0), (10, {"mute": "ALARM"}, "Alarm", 0), (60, {}, "Alarm", 0)],
    ),
    "it was over before": (
        [
            (0, {"mute": "ALARM"}, None, 0),
            (5, {"a": "ALARM"}, "Alarm", 0),
            (9, {"a": "OK"}, None, 0),
            (60, {}, None, 0),
        ],
    ),
}


@pytest.mark.parametrize("case", SUPPRESSED)
def test_a_suppressor_holds_actions_back(world: World, composite: Callable[..., None], case: str) -> None:
    (steps,) = SUPPRESSED[case]
    for seconds, states, by, notices in steps:
        composite(seconds, **states)
        (found,) = world.ask("DescribeAlarms", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        topics = [told["topic"] for told in world.told("topic.notified")]
        assert (found.get("ActionsSuppressedBy"), topics.count("ops")) == (by, notices), seconds
        # When it was made; not again for an alarm that nobody heard of.
        assert topics.count("over") == 1


def test_a_composite_alarm_of_what_is_not_there_is_refused(world: World) -> None:
    for given, said in (
        ({"AlarmRule": "ALARM(gone)"}, "do not exist"),
        ({"AlarmRule": "ALARM"}, "not valid"),
        ({"AlarmRule": "TRUE", "ActionsSuppressorWaitPeriod": 1}, "need an ActionsSuppressor"),
    ):
        with pytest.raises(Refusal, match=said):
            world.ask("PutCompositeAlarm", AlarmName="c", **given)


def test_alarms_in_a_circle_stay_as_they_are(world: World) -> None:
    world.alarm("a")
    world.ask("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(a)")
    world.ask("PutCompositeAlarm", AlarmName="d", AlarmRule="ALARM(c)")
    world.ask("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(d) OR ALARM(a)")
    assert (world.stands("c"), world.stands("d")) == ("OK", "OK")
    children = world.ask("DescribeAlarms", ChildrenOfAlarmName="c", AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    assert [item["AlarmName"] for item in children["MetricAlarms"]] == ["a"]
    assert [item["AlarmName"] for item in children["CompositeAlarms"]] == ["d"]


def test_a_detector_excludes_a_time(world: World) -> None:
    for minute in range(1, 40):
        world.put(1000 if minute > 20 else 10, minute)
    at = world.time - timedelta(minutes=21.5)
    excluded = [{"StartTime": at - timedelta(hours=1), "EndTime": at}]
    single = {"Namespace": "shop", "MetricName": "m", "Stat": "Sum"}
    world.ask("PutAnomalyDetector", SingleMetricAnomalyDetector=single, Configuration={"ExcludedTimeRanges": excluded})
    (found,) = world.ask("DescribeAnomalyDetectors")["AnomalyDetectors"]
    assert found["SingleMetricAnomalyDetector"]["MetricName"] == "m"
    told = world.ask(
        "GetMetricData",
        StartTime=world.time,
        EndTime=world.time + timedelta(minutes=1),
        MetricDataQueries=[query("m"), {"Id": "b", "Expression": "ANOMALY_DETECTION_BAND(m)"}],
    )["MetricDataResults"]
    assert [item["Label"] for item in told] == ["b low", "b high"]
    assert [item["Values"] for item in told] == [[10.0], [10.0]]
    world.ask("DeleteAnomalyDetector", SingleMetricAnomalyDetector=single)
    assert not world.ask("DescribeAnomalyDetectors")["AnomalyDetectors"]


def test_the_clock_forgets_what_is_gone(world: World) -> None:
    world.alarm()
    world.turn()
    assert clock.done(world.state, "Alarm", "a") is not None
    world.ask("DeleteAlarms", AlarmNames=["a"])
    assert clock.done(world.state, "Alarm", "a") is None


def test_an_alarm_that_cannot_be_evaluated_keeps_no_other_from_it(world: World) -> None:
    """An older store took any period."""
    world.alarm("b")
    body = {**resources_body(world.state, "b"), "AlarmName": "a", "Period": 7}
    world.state.store.write("INSERT INTO resource VALUES ('Alarm', 'a', '', '', '', ?)", json.dumps(body))
    world.put(9)
    world.turn()
    assert resources_body(world.state, "b")["StateValue"] == "ALARM"
    assert resources_body(world.state, "a")["EvaluationState"] == "EVALUATION_ERROR"


def test_an_evaluation_that_failed_is_told_until_the_next_one(world: World) -> None:
    world.alarm(Metrics=[query("m"), {"Id": "e", "Expression": "AVG(SLICE(METRICS(), AVG(m)))"}])
    states = []
    for value in (0, None, 0):
        world.time += timedelta(minutes=30)
        if value is not None:
            world.put(value)
        found = evaluated(world.state, "a", world.time)
        assert found is not None
        states.append((found["StateValue"], found.get("EvaluationState")))
    assert states == [("OK", None), ("OK", "EVALUATION_ERROR"), ("OK", None)]


def test_an_alarm_is_evaluated_one_time_however_many_are_made_of_it(world: World) -> None:
    """Each of twenty is made of both before it; else there were a million ways down."""
    world.alarm("0a")
    world.alarm("0b")
    for number in range(20):
        for name in "ab":
            rule = f"ALARM({number}a) OR ALARM({number}b)"
            world.ask("PutCompositeAlarm", AlarmName=f"{number + 1}{name}", AlarmRule=rule)
    world.put(9)
    assert world.stands("20a") == "ALARM"


def test_an_alarm_of_an_older_store_goes_on(world: World) -> None:
    """As it was written before there were histories and transitions."""
    metric = {"Namespace": "shop", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    kept = {"StateValue": "OK", "StateReason": "as it was", "StateUpdatedTimestamp": world.start.isoformat()}
    body = {"AlarmName": "old", **metric, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", **kept}
    world.state.store.write("INSERT INTO resource VALUES ('Alarm', 'old', '', '', '', ?)", json.dumps(body))
    world.ask(
        "PutCompositeAlarm",
        AlarmName="c",
        AlarmRule="ALARM(old)",
        ActionsSuppressor="old",
        ActionsSuppressorWaitPeriod=1,
        ActionsSuppressorExtensionPeriod=1,
    )
    assert world.stands("c") == "OK"
    world.put(9)
    world.time += timedelta(minutes=1)
    world.put(9)
    world.turn()
    assert (world.stands("old"), world.stands("c")) == ("ALARM", "ALARM")
    assert world.ask("DescribeAlarmHistory", AlarmName="old")["AlarmHistoryItems"]

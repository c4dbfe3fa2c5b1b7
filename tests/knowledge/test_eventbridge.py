"""Expressions and patterns of EventBridge. The rows come from the service's pages (schedule-types of the Scheduler's
guide, eb-scheduled-rule-pattern, eb-create-pattern-operators) and from the tests of its own engine
(github.com/aws/event-ruler, JsonRuleCompilerTest), not from our code."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from mlops.knowledge.eventbridge.event_patterns import LONGEST, wrong
from mlops.knowledge.eventbridge.matching import matches
from mlops.knowledge.eventbridge.schedule_expressions import Malformed, cron, judge, next_time
from mlops.knowledge.eventbridge.schedule_windows import windows

SOUND = """\
rate(1 minute)
rate(5 minutes)
rate(1 hour)
rate(12 hours)
rate(1 day)
rate(30 days)
at(2022-11-20T13:00:00)
at(2024-02-29T23:59:59)
cron(0 10 * * ? *)
cron(15 12 * * ? *)
cron(0 18 ? * MON-FRI *)
cron(0 8 1 * ? *)
cron(0/15 * * * ? *)
cron(0/10 * ? * MON-FRI *)
cron(0/5 8-17 ? * MON-FRI *)
cron(0/30 20-2 ? * MON-FRI *)
cron(15 10 ? * 6L 2022-2023)
cron(0 0 L * ? *)
cron(0 0 LW * ? *)
cron(0 0 3W * ? *)
cron(0 12 ? * 3#2 *)
cron(0 9 ? * MON#1 *)
cron(30 14 ? JAN,MAR-MAY * 2030)
cron(0 0 29 2 ? *)
cron(0 0 29 FEB ? 2028)
cron(*/10 * * * ? *)
cron(0 6 ? * sun *)
cron(0 6 1,15 */2 ? *)
cron(0 6 ? * L *)
cron(0 0 31 * ? *)
cron(0 6 ? * FRI-MON *)
cron(59 23 31 12 ? 2199)
cron(0  6  *  *  ?  *)
"""

FAULTY = [
    ("cron(0 6 31 2 ? *)", "never fires"),
    ("cron(0 6 30 FEB ? *)", "never fires"),
    ("cron(0 6 31 4,6,9,11 ? *)", "never fires"),
    ("cron(0 6 29 2 ? 2026)", "never fires"),
    ("cron(0 6 29 2 ? 2100)", "never fires"),
    ("cron(0 6 31W 2 ? *)", "never fires"),
    ("cron(0 6 ? 2 MON#5 2026)", "never fires"),
    ("cron(0 6 * * *)", "six fields"),
    ("cron(0 0 6 * * ? *)", "six fields"),
    ("cron()", "six fields"),
    ("cron(0 6 * * * *)", "has to be ?"),
    ("cron(0 6 ? * ? *)", "has to be ?"),
    ("cron(0 6 1 * MON *)", "has to be ?"),
    ("cron(60 6 * * ? *)", "minutes goes from 0 to 59, not 60"),
    ("cron(0 24 * * ? *)", "hours goes from 0 to 23, not 24"),
    ("cron(0 6 32 * ? *)", "day of the month goes from 1 to 31, not 32"),
    ("cron(0 6 0 * ? *)", "day of the month goes from 1 to 31, not 0"),
    ("cron(0 6 * 13 ? *)", "month goes from 1 to 12, not 13"),
    ("cron(0 6 ? * 8 *)", "day of the week goes from 1 to 7, not 8"),
    ("cron(0 6 ? * 0 *)", "day of the week goes from 1 to 7, not 0"),
    ("cron(0 6 * * ? 1969)", "year goes from 1970 to 2199"),
    ("cron(0 6 * * ? 2200)", "year goes from 1970 to 2199"),
    ("cron(0 6 ? * MONDAY *)", "day of the week is 'MONDAY'"),
    ("cron(0 6 * JANUARY ? *)", "month is 'JANUARY'"),
    ("cron(MON 6 * * ? *)", "minutes is 'MON'"),
    ("cron(? 6 * * ? *)", "minutes is '?'"),
    ("cron(0 L * * ? *)", "hours is 'L'"),
    ("cron(0 6 ? * 3W *)", "day of the week is '3W'"),
    ("cron(0 6 1#2 * ? *)", "day of the month is '1#2'"),
    ("cron(0 6 W * ? *)", "day of the month is 'W'"),
    ("cron(0 6 32W * ? *)", "day of the month goes from 1 to 31"),
    ("cron(0 6 ? * 2#6 *)", "1 to 5"),
    ("cron(0 6 ? * 2#0 *)", "1 to 5"),
    ("cron(0 6 ? * 2# *)", "1 to 5"),
    ("cron(0 6 ? * 3#1,6#3 *)", "takes one"),
    ("cron(0/0 6 * * ? *)", "behind the slash"),
    ("cron(0/x 6 * * ? *)", "behind the slash"),
    ("cron(5- 6 * * ? *)", "minutes is ''"),
    ("cron(1,,2 6 * * ? *)", "between two commas"),
    ("cron(0 6 ? * 9L *)", "day of the week goes from 1 to 7"),
    ("cron(1.5 6 * * ? *)", "minutes is '1.5'"),
    ("cron(\u0661 6 * * ? *)", "minutes is"),
    ("rate(1 days)", "singular"),
    ("rate(5 minute)", "singular"),
    ("rate(0 days)", "rate is a number"),
    ("rate(-1 days)", "rate is a number"),
    ("rate(1.5 hours)", "rate is a number"),
    ("rate(30 seconds)", "rate is a number"),
    ("rate(2 weeks)", "rate is a number"),
    ("rate(5  minutes)", "rate is a number"),
    ("rate(daily)", "rate is a number"),
    ("at(tomorrow)", "a time without a zone"),
    ("at(2026-11-22)", "a time without a zone"),
    ("at(2026-11-22T06:00)", "a time without a zone"),
    ("at(2026-11-22T06:00:00Z)", "a time without a zone"),
    ("at(2026-11-22 06:00:00)", "a time without a zone"),
    ("at(2026-1-2T06:00:00)", "a time without a zone"),
    ("at(2026-02-30T06:00:00)", "no such moment"),
    ("at(2026-11-22T24:00:00)", "no such moment"),
    ("daily", "write cron"),
    ("Cron(0 6 * * ? *)", "write cron"),
    ("rate(1 day", "write cron"),
    ("0 6 * * ? *", "write cron"),
]


@pytest.mark.parametrize("expression", SOUND.splitlines())
def test_an_expression_of_the_guide_is_taken(expression: str) -> None:
    judge(expression)


@pytest.mark.parametrize(("expression", "said"), FAULTY)
def test_an_expression_that_is_refused_or_never_fires_is_told(expression: str, said: str) -> None:
    with pytest.raises(Malformed) as told:
        judge(expression)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("inside", "days"),
    [
        ("0 6 L * ? *", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("0 6 LW * ? *", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("0 6 1W * ? *", ["2026-01-01", "2026-02-02", "2026-03-02"]),
        ("0 6 15W * ? *", ["2026-01-15", "2026-02-16", "2026-03-16"]),
        ("0 6 31 * ? *", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("0 6 ? * 6L *", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("0 6 ? * MON#1 *", ["2026-01-05", "2026-02-02", "2026-03-02"]),
        ("0 6 ? * 2#5 *", ["2026-03-30", "2026-06-29", "2026-08-31"]),
        ("0 6 ? * L *", ["2026-01-03", "2026-01-10", "2026-01-17"]),
        ("0 6 ? * FRI-MON *", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("0 6 29 2 ? *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 6 1 */5 ? *", ["2026-01-01", "2026-06-01", "2026-11-01"]),
    ],
)
def test_the_days_of_an_expression(inside: str, days: list[str]) -> None:
    found = cron(inside).dates(date(2026, 1, 1))
    assert [next(found).isoformat() for _ in days] == days


@pytest.mark.parametrize(
    ("expression", "since", "fires"),
    [
        ("cron(30 6,18 * * ? *)", "2026-05-05T06:30:59", "2026-05-05T06:30:00"),
        ("cron(30 6,18 * * ? *)", "2026-05-05T06:31:00", "2026-05-05T18:30:00"),
        ("cron(30 6,18 * * ? *)", "2026-05-05T19:00:00", "2026-05-06T06:30:00"),
        ("cron(0 6 * * ? 2025)", "2026-01-01T00:00:00", None),
        ("cron(0 6 31 12 ? 2026)", "2026-12-31T06:01:00", None),
        ("cron(0 6 * * ? 2025-2027)", "2026-01-01T00:00:00", "2026-01-01T06:00:00"),
        ("at(2026-01-01T00:00:00)", "2026-01-01T00:00:00", "2026-01-01T00:00:00"),
        ("at(2026-01-01T00:00:00)", "2026-01-01T00:00:01", None),
    ],
)
def test_the_next_time(expression: str, since: str, fires: str | None) -> None:
    found = next_time(expression, datetime.fromisoformat(since))
    assert (found and found.isoformat()) == fires


WINDOWS = [
    # expression, zone, start, since, until, when it fires
    ("rate(5 minutes)", "UTC", "01T00:00:00", "01T00:00:00", "01T00:10:00", ["01T00:05:00", "01T00:10:00"]),
    ("rate(5 minutes)", "UTC", "01T00:00:00", "01T00:07:00", "01T00:09:59", []),
    ("rate(1 day)", "UTC", "05T10:00:00", "01T00:00:00", "06T10:00:00", ["05T10:00:00", "06T10:00:00"]),
    ("cron(0 6 * * ? *)", "UTC", "01T00:00:00", "01T06:00:00", "03T06:00:00", ["02T06:00:00", "03T06:00:00"]),
    ("cron(0 6 * * ? *)", "UTC", "02T07:00:00", "01T00:00:00", "03T06:00:00", ["03T06:00:00"]),
    ("cron(0 6 * * ? *)", "Asia/Kolkata", "01T00:00:00", "01T00:00:00", "01T23:00:00", ["01T00:30:00"]),
    # Europe's clocks go forward on the 29th of March 2026: half past two is not there that night.
    (
        "cron(30 2 * * ? *)",
        "Europe/Berlin",
        "01T00:00:00",
        "28T00:00:00",
        "30T02:00:00",
        ["28T01:30:00", "30T00:30:00"],
    ),
    ("at(2026-03-04T05:06:07)", "UTC", "01T00:00:00", "04T05:06:06", "05T00:00:00", ["04T05:06:07"]),
    ("at(2026-03-04T05:06:07)", "UTC", "01T00:00:00", "04T05:06:07", "05T00:00:00", []),
    # Beyond what a calendar has.
    ("rate(3000000 days)", "UTC", "05T10:00:00", "01T00:00:00", "06T10:00:00", ["05T10:00:00"]),
    (f"rate({10**20} days)", "UTC", "05T10:00:00", "05T10:00:00", "06T10:00:00", []),
]


@pytest.mark.parametrize(("expression", "zone", "start", "since", "until", "fires"), WINDOWS)
def test_the_windows_between_two_moments(
    expression: str, zone: str, start: str, since: str, until: str, fires: list[str]
) -> None:
    begin, behind, end = (datetime.fromisoformat(f"2026-03-{text}+00:00") for text in (start, since, until))
    found = [f"{moment:%dT%H:%M:%S}" for moment in windows(expression, zone, begin, behind, end)]
    assert found == fires


def test_what_the_clocks_have_twice_fires_once() -> None:
    begin, end = datetime(2026, 10, 24, 3, tzinfo=UTC), datetime(2026, 10, 26, 2, tzinfo=UTC)
    found = [*windows("cron(30 2 * * ? *)", "Europe/Berlin", begin, begin, end)]
    assert [f"{moment:%dT%H:%M}" for moment in found] == ["25T00:30", "26T01:30"]


EVENT = {
    "source": "aws.s3",
    "resources": ["arn:a", "arn:b"],
    "detail": {"a": "child", "n": 300, "yes": True, "ip": "10.1.2.3", "list": [{"k": 1}, {"k": 2}], "none": None}
    | {"star": "2*3\\4", "long": "a" * 3000},
}
MATCHING = [
    # By the page eb-create-pattern-operators; what matches, then what does not.
    ({"source": ["aws.s3", "x"]}, {"source": ["aws.ec2"]}),
    ({"resources": ["arn:b"]}, {"resources": ["arn:c"]}),
    ({"detail": {"n": [300.0]}}, {"detail": {"n": ["300"]}}),
    ({"detail": {"yes": [True]}}, {"detail": {"yes": [1]}}),
    ({"detail": {"a": [{"prefix": "ch"}]}}, {"detail": {"a": [{"prefix": "Ch"}]}}),
    ({"detail": {"a": [{"prefix": {"equals-ignore-case": "CH"}}]}}, {"detail": {"n": [{"prefix": "3"}]}}),
    ({"detail": {"a": [{"suffix": "ld"}]}}, {"detail": {"a": [{"suffix": "x"}]}}),
    ({"detail": {"a": [{"equals-ignore-case": "CHILD"}]}}, {"detail": {"a": [{"equals-ignore-case": "CHIL"}]}}),
    ({"detail": {"a": [{"wildcard": "c*l*"}]}}, {"detail": {"a": [{"wildcard": "c\\*d"}]}}),
    ({"detail": {"a": [{"wildcard": "*h*i*d"}]}}, {"detail": {"a": [{"wildcard": "ch*hild"}]}}),
    ({"detail": {"star": [{"wildcard": "*\\**\\\\*"}]}}, {"detail": {"a": [{"wildcard": "*d*l"}]}}),
    # Whoever tries all places of all pieces is never done.
    ({"detail": {"long": [{"wildcard": "*a" * 60 + "*"}]}}, {"detail": {"long": [{"wildcard": "*a" * 60 + "*b*"}]}}),
    ({"detail": {"a": [{"anything-but": ["x", "y"]}]}}, {"detail": {"a": [{"anything-but": ["x", "child"]}]}}),
    ({"detail": {"a": [{"anything-but": {"prefix": "x"}}]}}, {"detail": {"a": [{"anything-but": {"prefix": "c"}}]}}),
    ({"detail": {"n": [{"anything-but": 1}]}}, {"detail": {"gone": [{"anything-but": 1}]}}),
    ({"detail": {"a": [{"exists": True}]}}, {"detail": {"a": [{"exists": False}]}}),
    ({"detail": {"gone": [{"exists": False}]}}, {"detail": {"gone": [{"exists": True}]}}),
    ({"detail": {"ip": [{"cidr": "10.0.0.0/8"}]}}, {"detail": {"a": [{"cidr": "10.0.0.0/8"}]}}),
    ({"detail": {"n": [{"numeric": [">", 0, "<=", 300]}]}}, {"detail": {"n": [{"numeric": ["<", 300]}]}}),
    ({"detail": {"list": {"k": [2]}}}, {"detail": {"list": {"k": [3]}}}),
    ({"$or": [{"source": ["x"]}, {"detail": {"n": [300]}}]}, {"$or": [{"source": ["x"]}, {"detail": {"n": [1]}}]}),
    ({"source": ["aws.s3"], "detail": {"a": ["child"]}}, {"source": ["aws.s3"], "detail": {"a": ["x"]}}),
]


@pytest.mark.parametrize(("does", "does_not"), MATCHING)
def test_an_event_matches(does: dict[str, Any], does_not: dict[str, Any]) -> None:
    assert wrong(does) == wrong(does_not) == ()
    assert matches(does, EVENT) and not matches(does_not, EVENT)


TAKEN = [
    'source = ["aws.s3"]\ndetail-type = ["Object Created"]\ndetail.bucket.name = ["acme"]',
    'detail.object.key = [{ prefix = "raw/" }]',
    'detail.object.key = [{ suffix = ".csv" }]',
    'detail.a = [{ prefix = { equals-ignore-case = "child" } }]',
    'detail.a = [{ suffix = { equals-ignore-case = "child" } }]',
    'detail.a = [{ equals-ignore-case = "abc" }]',
    'detail.a = [{ wildcard = "a*b*c" }]',
    "detail.a = [{ wildcard = 'a\\*\\\\*' }]",
    'detail.a = [{ anything-but = "child" }]',
    'detail.a = [{ anything-but = ["child0", "child1"] }]',
    "detail.a = [{ anything-but = [111, 222] }]",
    "detail.a = [{ anything-but = 111 }]",
    'detail.a = [{ anything-but = { prefix = "foo" } }]',
    'detail.a = [{ anything-but = { suffix = ["abc", "123"] } }]',
    'detail.a = [{ anything-but = { equals-ignore-case = ["abc", ""] } }]',
    'detail.a = [{ anything-but = { wildcard = ["foo*bar", "*foobar*"] } }]',
    "detail.a = [{ exists = true }]",
    "detail.a = [{ exists = false }]",
    'detail.a = [{ cidr = "10.0.0.0/8" }]',
    'detail.a = [{ cidr = "2001:db8::/32" }]',
    'detail.a = [{ numeric = [">", 0, "<=", 5] }]',
    'detail.a = [{ numeric = ["=", 3.018e2] }]',
    'detail.a = [1, 1.5, true, "x", { exists = false }]',
    'detail.a = [""]',
    'detail."$or" = [{ a = [1] }, { b = [{ numeric = ["<", 10] }] }]',
    '"$or" = [{ source = ["aws.s3"] }, { detail.x = [1] }]',
    'account = ["111122223333"]\nregion = [{ prefix = "eu-" }]',
    'resources = ["arn:aws:s3:::acme"]',
    "replay-name = [{ exists = false }]",
    "unheard-of = [{ exists = false }]",
    'source = ["my.app"]\ndetail-type = ["object created"]',
    'source = ["aws.sagemaker"]\ndetail-type = ["SageMaker Model Package State Change"]\n'
    'detail = { ModelApprovalStatus = ["Approved"] }',
    'source = ["aws.sagemaker"]\ndetail-type = ["A Detail Type That Comes Later"]',
    'version = ["0"]',
]

REFUSED = [
    ('source = "aws.s3"', 'source = ["aws.s3"]'),
    ("Detail-Type = 5", "Detail-Type has to be a list"),
    ('detail.bucket.name = "acme"', 'detail.bucket.name = ["acme"]'),
    ("source = []", "empty list"),
    ("detail = {}", "detail is empty"),
    ("detail.a.b = {}", "detail.a.b is empty"),
    ("detail.a = [[1]]", "a match is"),
    ("detail.a = [2026-01-01]", "a match is"),
    ("detail.a = [nan]", "a match is"),
    ("detail.a = [{ x = 2 }]", "no comparison 'x'"),
    ('detail.a = [{ prefx = "y" }]', "did you mean 'prefix'?"),
    ("detail.a = [{}]", "one key, not 0"),
    ('detail.a = [{ prefix = "a", suffix = "b" }]', "one key, not 2"),
    ("detail.a = [{ exactly = 33 }]", "exactly takes a text"),
    ("detail.a = [{ prefix = 3 }]", "prefix takes a text"),
    ("detail.a = [{ prefix = [1] }]", "prefix takes a text"),
    ("detail.a = [{ suffix = { foo = 1 } }]", "suffix takes a text, or"),
    ("detail.a = [{ prefix = { equals-ignore-case = 5 } }]", "prefix takes a text, or"),
    ('detail.a = [{ suffix = { equals-ignore-case = "a", test = "b" } }]', "suffix takes a text, or"),
    ("detail.a = [{ equals-ignore-case = 5 }]", "takes a text"),
    ('detail.a = [{ equals-ignore-case = ["abc"] }]', "takes a text"),
    ("detail.a = [{ wildcard = 5 }]", "takes a text"),
    ('detail.a = [{ wildcard = "foo**bar" }]', "two asterisks"),
    ("detail.a = [{ wildcard = 'foo\\bar' }]", "escapes nothing"),
    ("detail.a = [{ wildcard = 'foo\\' }]", "escapes nothing"),
    ('detail.a = [{ cidr = "foo" }]', "block of addresses"),
    ('detail.a = [{ cidr = "10.0.0.0/33" }]', "block of addresses"),
    ('detail.a = [{ cidr = "10.0.0.0" }]', "block of addresses"),
    ('detail.a = [{ exists = "true" }]', "true or false"),
    ('detail.a = [{ anything-but = ["a", 1] }]', "all of one kind"),
    ("detail.a = [{ anything-but = [] }]", "all of one kind"),
    ("detail.a = [{ anything-but = true }]", "all of one kind"),
    ("detail.a = [{ anything-but = { foo = 3 } }]", "takes one of prefix"),
    ('detail.a = [{ anything-but = { prefix = "" } }]', "no empty text"),
    ('detail.a = [{ anything-but = { suffix = ["1", ""] } }]', "no empty text"),
    ("detail.a = [{ anything-but = { prefix = 27 } }]", "takes texts"),
    ('detail.a = [{ anything-but = { prefix = "foo", a = 1 } }]', "takes one of prefix"),
    ('detail.a = [{ anything-but = { wildcard = ["1", "foo**bar"] } }]', "two asterisks"),
    ('detail.a = [{ numeric = ">5" }]', "a sign and a number"),
    ('detail.a = [{ numeric = [">"] }]', "a sign and a number"),
    ('detail.a = [{ numeric = [">", "5"] }]', "a sign and a number"),
    ('detail.a = [{ numeric = ["!=", 5] }]', "a sign and a number"),
    ('detail.a = [{ numeric = ["<", 5, ">", 0] }]', "the lower end comes first"),
    ('detail.a = [{ numeric = [">", 5, "<", 5] }]', "not below"),
    ('detail.a = [{ numeric = [">", 5, "<", 1] }]', "not below"),
    ('"$or" = [{ source = ["a"] }]', "at least two"),
    ('"$or" = { source = ["a"] }', "at least two"),
    ('detail."$or" = [{ prefix = ["a"] }, { b = [1] }]', "no name that can stand within $or"),
    ('Source = ["aws.s3"]', "did you mean 'source'?"),
    ('detailType = ["Object Created"]', "did you mean 'detail-type'?"),
    ('bucket.name = ["acme"]', "no event has 'bucket'"),
    ("account = [111122223333]", "write it in quotes"),
    ("version = [0]", "write it in quotes"),
    ('source.name = ["aws.s3"]', "is a text in every event"),
    ('detail = ["x"]', "detail is a table"),
    ('source = ["aws.s3"]\ndetail-type = ["object created"]', "is written 'Object Created'"),
    (
        'source = ["aws.sagemaker"]\ndetail-type = ["Sagemaker Model Package State Change"]',
        "is written 'SageMaker Model Package State Change'",
    ),
    (f'detail.a = ["{"x" * LONGEST}"]', "at most 4096"),
]


def pattern(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


@pytest.mark.parametrize("text", TAKEN)
def test_a_pattern_of_the_engines_own_tests_is_taken(text: str) -> None:
    assert wrong(pattern(text)) == ()


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_a_pattern_that_is_refused_or_matches_nothing_is_told(text: str, said: str) -> None:
    assert said in "\n".join(wrong(pattern(text)))

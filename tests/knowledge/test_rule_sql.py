"""Statements of rules of AWS IoT: those of its guide are sound, and each fault has a row."""

from __future__ import annotations

import re

import pytest

from mlops.knowledge.streams.rule_sql import wrong

SOUND = [
    "SELECT * FROM 'a/b'",
    "SELECT color AS rgb FROM 'topic/subtopic' WHERE temperature > 50",
    "SELECT *, 15 as speed FROM 'a/+/b/#'",
    "select value color from '#'",
    "SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) AS mine FROM '+/a'",
    "SELECT {'latitude': get(lat_long, 0), 'longitude': get(lat_long, 1)} as lat_long FROM 'topic/subtopic'",
    "SELECT [lat,long] as lat_long FROM '$aws/things/+/shadow/update'",
    "SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as temperature FROM 'topic'",
    "SET @level = get(*, 'a') SELECT @level AS level FROM 'a' WHERE @level <> 1 - -2",
    'SELECT *, regexp_replace(topic(), "^[^/]*/\\d", "") AS topic FROM \'a/#\'',
    "SELECT * FROM 'a' WHERE b = 'it\\'s'",
    "SELECT * FROM 'a' WHERE b = '\\'",
    "SELECT 1",
    "SELECT * WHERE a = 1",
    "SELECT *\nFROM 'a/(b'\nWHERE CASE a WHEN 1 THEN true ELSE false END",
]
WRONG = [
    (" ", "it is empty"),
    ("UPDATE a", "it begins with UPDATE"),
    ("a SELECT *", "it begins with a"),
    ("(SELECT * FROM 'a')", r"it begins with \("),
    ("SELECT FROM 'a'", "nothing is selected"),
    ("SELECT", "nothing is selected"),
    ("SELECT * FROM sensors/temperature", "in single quotes, and not sensors"),
    ('SELECT * FROM "a/b"', 'in single quotes, and not "a/b"'),
    ("SELECT * FROM", "in single quotes, and not nothing"),
    ("SELECT * FROM ''", "the topic filter is empty"),
    ("SELECT * FROM 'a/#/b'", "# is the last level of a topic filter, and not a/#/b"),
    ("SELECT * FROM 'a/b#'", r"# and \+ are alone in their level of a topic filter, and not b#"),
    ("SELECT * FROM 'a+/b'", "alone in their level of a topic filter, and not a[+]"),
    (f"SELECT * FROM '{'é' * 129}'", "has 258 bytes, and at most 256"),
    ("SELECT * FROM 'a', 'b'", "comes WHERE or nothing, and not ,"),
    ("SELECT * FROM 'a' GROUP BY b", "comes WHERE or nothing, and not GROUP"),
    ("SELECT * FROM 'a' WHERE", "WHERE has no condition"),
    ("SELECT * FROM 'a' -- all of it", "-- begins a comment"),
    ("SELECT * /* all */ FROM 'a'", r"/\* begins a comment"),
    ("SELECT * FROM 'a", "the quote ' is not closed"),
    ("SELECT * FROM 'a';", "; is no sign of IoT's SQL"),
    ("SELECT `a` FROM 'a'", "` is no sign"),
    ("SELECT a \u2013 1 FROM \u2018b\u2019", "\u2013 is no sign of SQL: write -"),
    ("SELECT upper(a FROM 'a'", r"the bracket \( is not closed"),
    ("SELECT a) FROM 'a'", r"the bracket \) closes none"),
    ("SELECT [a) FROM 'a'", r"the bracket \) closes none"),
]


@pytest.mark.parametrize("statement", SOUND)
def test_a_statement_of_the_guide_is_sound(statement: str) -> None:
    assert [*wrong(statement)] == []


@pytest.mark.parametrize(("statement", "said"), WRONG)
def test_what_is_no_statement_is_told(statement: str, said: str) -> None:
    assert re.search(said, "; ".join(wrong(statement)))

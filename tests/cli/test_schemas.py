"""Each command that tells programs something has a schema of it, which `mlops schema COMMAND` prints; what tests have
commands tell is held against them (`told_json.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
import pytest
from command_line import in_this_process
from jsonschema import Draft202012Validator
from told_json import closed, departures, event_departures

from mlops.cli import cli
from mlops.cli.told_schemas import names, told_schema


def telling(group: click.Command = cli, at: str = "") -> Iterator[str]:
    """Commands with ``--format json``."""
    if isinstance(group, click.Group):
        for name in group.list_commands(click.Context(group)):
            found = group.get_command(click.Context(group), name)
            assert found is not None
            yield from telling(found, f"{at} {name}".strip())
    elif any(
        isinstance(item.type, click.Choice) and "--format" in item.opts and "json" in item.type.choices
        for item in group.params
    ):
        yield at


def test_each_command_that_tells_programs_something_has_one() -> None:
    assert set(names()) == set(telling())


@pytest.mark.parametrize("command", names())
def test_it_is_a_schema(command: str) -> None:
    schema = told_schema(command)
    Draft202012Validator.check_schema(schema)
    assert schema.keys() & {"type", "anyOf"}, "it says nothing"


@pytest.mark.parametrize(
    ("out", "departs"),
    [
        ('{"endpoint": "a", "deleted": true}', []),
        ('{"endpoint": "a"}', ["$: 'deleted' is a required property"]),
        ('{"endpoint": 1, "deleted": true}', ["$.endpoint: 1 is not of type 'string'"]),
        (
            '{"endpoint": "a", "deleted": true, "more": 1}',
            ["$: Additional properties are not allowed ('more' was unexpected)"],
        ),
        ("", []),
    ],
    ids=["as it says", "one lacks", "another type", "one more", "nothing was told"],
)
def test_a_departure_is_seen(out: str, departs: list[str]) -> None:
    assert departures(["endpoints", "delete", "a", "--format", "json"], out) == departs
    assert departures(["endpoints", "delete", "a"], out) == []


@pytest.mark.parametrize(
    ("line", "departs"),
    [
        ('{"event": "note", "text": "read again"}', False),
        ('{"event": "execution", "arn": "a", "status": "Failed", "time": "t", "failure": null}', False),
        ('{"event": "execution", "arn": "a", "status": "Failed", "time": "t"}', True),
        ('{"event": "note", "text": "a", "more": 1}', True),
        ('{"event": "other"}', True),
    ],
)
def test_a_departure_of_an_event_is_seen(line: str, departs: bool) -> None:
    assert bool(event_departures(["run", "--format", "json"], f"error: no\n{line}\n")) == departs
    assert event_departures(["run"], line) == []


def test_a_member_may_be_added_to_what_is_published() -> None:
    text = json.dumps([told_schema(name) for name in names()])
    assert '"additionalProperties": false' not in text
    assert closed({"properties": {"a": {}}})["additionalProperties"] is False


def test_the_command_prints_one(capfd: pytest.CaptureFixture[str]) -> None:
    mlops = in_this_process(capfd)
    assert mlops("schema", "executions", "show").json["title"] == "mlops executions show --format json"
    assert mlops("schema").json["title"] == "mlops.toml"
    assert "watched" in mlops("schema", "--events").json["title"]
    assert "leave COMMAND out" in mlops("schema", "run", "--events", code=2).err
    told = mlops("schema", "executions", "shw", code=2)
    assert "has no --format json" in told.err and "did you mean executions show?" in told.err

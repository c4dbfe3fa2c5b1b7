"""What commands tell programs, held against their schemas wherever a test has a command tell it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import click
from jsonschema import Draft202012Validator

from mlops.cli import cli
from mlops.cli.told_schemas import event_schema, names, told_schema


def departures(arguments: Sequence[str], out: str) -> list[str]:
    """From the schema; nothing where no JSON was asked for or nothing was told."""
    words = [str(word) for word in arguments]
    asked = any(pair == ("--format", "json") for pair in itertools.pairwise(words))
    command = command_of(words)
    if not (asked or "--format=json" in words) or command not in names() or not out.strip():
        return []
    errors = (error for item in documents(out) for error in validator(command).iter_errors(item))
    return [f"{error.json_path}: {error.message}" for error in errors]


def event_departures(arguments: Sequence[str], err: str) -> list[str]:
    """Of the lines that are told while an execution is watched."""
    if "json" not in arguments:
        return []
    lines = (json.loads(line) for line in err.splitlines() if line.startswith('{"event": '))
    errors = (error for line in lines for error in events_validator().iter_errors(line))
    return [f"{error.json_path}: {error.message}" for error in errors]


def command_of(words: Sequence[str]) -> str:
    """
    >>> command_of(["executions", "show", "last", "--format", "json"]), command_of(["check", "show"])
    ('executions show', 'check')
    """
    found: click.Command | None = cli
    at: list[str] = []
    for word in words:
        if not isinstance(found, click.Group):
            break
        found = found.get_command(click.Context(found), word)
        at.append(word)
    return " ".join(at)


def documents(out: str) -> Iterator[Any]:
    """One, or one a line."""
    try:
        yield json.loads(out)
    except ValueError:
        yield from map(json.loads, filter(None, out.split("\n")))


@cache
def events_validator() -> Draft202012Validator:
    return Draft202012Validator(closed(event_schema()))


@cache
def validator(command: str) -> Draft202012Validator:
    """Stricter than what is published: there no member is told that the schema does not name."""
    return Draft202012Validator(closed(told_schema(command)))


def closed(schema: Any) -> Any:
    match schema:
        case dict():
            shut = {name: closed(value) for name, value in schema.items()}
            return {**shut, "additionalProperties": False} if "properties" in schema and "anyOf" not in schema else shut
        case list():
            return [closed(item) for item in schema]
    return schema

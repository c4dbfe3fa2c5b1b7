"""Commands are spelled alike: arguments stand in one order, an option is called and lettered the same in all of them
and means one thing. Spellings that documents once had are still taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import click
import pytest

from mlops.cli import cli
from mlops.cli.options import Renamed

ORDER = (
    "name", "stream", "group", "execution", "source", "folder", "uri", "target", "number", "old", "new", "step", "file",
    "request",
)  # fmt: skip
"""Of arguments beside each other: what holds something stands before that, and a file behind what it is for."""
LETTERS = {"-o": "--output", "-p": "--parameter", "-f": "--follow"}
TWO_MEANINGS = {
    "--alias": "an upsert gives several, a start names one",
    "--check": "`compile` holds a file against what it would write, `lock` knows its own",
    "--debug": "`run` names the step that `executions open` has as its argument",
    "--env": "`init` is given all that the project is to have",
    "--keep": "`local prune` and `search setup` keep so many, `streams replay` keeps all",
    "--remove": "`local mount` removes the place that it names",
}
"""Options that take a value in one command and are a flag, or are repeated, in another."""
OLD = {
    ("assets prune", "--delete"): ["--apply"],
    ("endpoints history", "--last"): ["--limit"],
    ("endpoints rollback", "--to"): ["--version"],
    ("endpoints shadow", "--list"): ["--limit"],
    ("endpoints shadow-start", "--plan"): ["--dry-run"],
    ("endpoints shadow-stop", "--plan"): ["--dry-run"],
    ("executions answer", "-o"): ["--give"],
    ("executions answer", "--output"): ["--give"],
    ("models card", "--out"): ["-o", "--output"],
    ("models datasheet", "--out"): ["-o", "--output"],
    ("models notes", "--out"): ["-o", "--output"],
    ("models package", "--out"): ["-o", "--output"],
    ("monitor show", "--last"): ["--limit"],
    ("plan", "--out"): ["-o", "--output"],
    ("promote", "--env"): ["--to"],
    ("promote", "--plan"): ["--dry-run"],
    ("search query", "--most"): ["--limit"],
    ("selftest", "--report"): ["-o", "--output"],
    **{
        (name, "--as"): ["--user"]
        for name in ("feedback approve", "local exec", "local serve", "models approve", "models reject", "promote")
    },
    ("verdict explain", "--svg"): ["-o", "--output"],
}


def commands(group: click.Command = cli, at: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        for name in group.list_commands(click.Context(group)):
            found = group.get_command(click.Context(group), name)
            assert found is not None, name
            yield from commands(found, f"{at} {name}".strip())
    else:
        yield at, group


ALL = dict(commands())


def options(command: click.Command) -> list[click.Option]:
    return [item for item in command.params if isinstance(item, click.Option)]


@pytest.mark.parametrize("name", ALL)
def test_arguments_stand_in_one_order_and_options_too(name: str) -> None:
    arguments = [item.name for item in ALL[name].params if isinstance(item, click.Argument)]
    if len(arguments) > 1:
        assert arguments == sorted(arguments, key=lambda item: ORDER.index(item or ""))
    longs = [item.opts[-1] for item in options(ALL[name])]
    assert longs == in_order(longs), "the environment first, consent and the form of the answer last"


def in_order(longs: Sequence[str]) -> list[str]:
    first, last = ("--to", "--env"), ("--user", "--yes", "--format")
    between = [item for item in longs if item not in (*first, *last)]
    return [
        *(item for item in first if item in longs),
        *between,
        *(item for item in last if item in longs),
    ]


def test_a_letter_is_one_option_and_an_option_takes_one_thing() -> None:
    letters: dict[str, set[str]] = defaultdict(set)
    kinds: dict[str, set[tuple[bool, bool]]] = defaultdict(set)
    for command in ALL.values():
        for item in options(command):
            for short in item.opts[:-1]:
                letters[short].add(item.opts[-1])
            kinds[item.opts[-1]].add((item.is_flag, item.multiple))
    assert dict(letters) == {letter: {long} for letter, long in LETTERS.items()}
    assert {name for name, found in kinds.items() if len(found) > 1} == set(TWO_MEANINGS)


def test_old_spellings_are_taken_and_not_told() -> None:
    found = {
        (name, old): item.opts
        for name, command in ALL.items()
        for item in options(command)
        if isinstance(item, Renamed)
        for old in item.old
    }
    assert found == OLD
    for (name, old), shown in OLD.items():
        command, value = ALL[name], "1"
        context = click.Context(command, info_name=name)
        flag = next(item for item in options(command) if item.opts == shown).is_flag
        words = [[spelled, *(() if flag else (value,))] for spelled in (old, *shown)]
        given = [command.make_parser(context).parse_args(list(each))[0] for each in words]
        assert given[0] and all(each == given[0] for each in given)
        assert f"{old} " not in command.get_help(context) or old in ("-o", "--output"), name

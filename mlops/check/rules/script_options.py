"""The options of a script's parser, against the hyperparameters or arguments that its step gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.script_reads import (
    Option,
    Reads,
    hyperparameters,
    python_scripts,
)
from mlops.check.scripts import Script
from mlops.check.subject import Subject
from mlops.ir import Severity, Value
from mlops.ir.choices import one_edit
from mlops.ir.members import get
from mlops.ir.values import pointer


@rule(
    "X924",
    "option-the-script-lacks",
    Severity.WARNING,
    source="sagemaker-training-toolkit: hyperparameters become options --<name> <value>; argparse ends on others",
)
def option_the_script_lacks(subject: Subject) -> Iterator[Fault]:
    """A hyperparameter or an argument that the script's parser does not know or cannot take, or one that it requires
    and nobody gives: argparse ends the script with 2. A flag (store_true) cannot be a hyperparameter, which always has
    a value, and what takes an integer or one of some words gets no other. What a parser drops (parse_known_args) is
    told where it has an option of nearly that name. Parsers with groups or commands, and of other libraries, are not
    looked at.

    Bad:  "HyperParameters": {"learning-rte": "0.1"} for a script with --learning-rate
    Good: "HyperParameters": {"learning-rate": "0.1"}
    """
    for script, reads in python_scripts(subject):
        if reads.options is None:
            continue
        if script.member is not None:
            given = hyperparameters(subject, script)
            if given is not None:
                spelled = {f"--{name}" if len(name) > 1 else f"-{name}": at for name, at in given.items()}
                yield from _told(script, reads, spelled, reads.options)
                values = get(script.job.request, script.member)
                given_words = _spelled_values(subject, script, values if isinstance(values, Mapping) else {})
                yield from _values(script, given_words, reads.options)
            continue
        words = _arguments(subject, script)
        if words is not None:
            yield from _told(script, reads, {name: at for name, (at, _) in words.items()}, reads.options)
            # Behind a flag the next word may be one of the script's own.
            flags = {name for option in reads.options if option.is_flag for name in option.names}
            yield from _after_flags(script, reads, {name: words[name] for name in words.keys() & flags})
            yield from _values(script, {name: words[name] for name in words.keys() - flags}, reads.options)


def _after_flags(script: Script, reads: Reads, given: Mapping[str, tuple[str, str | None]]) -> Iterator[Fault]:
    """A word behind a flag, of which a parser without words of its own (positional arguments) makes nothing."""
    takes_words = any(not name.startswith("-") for option in reads.options or () for name in option.names)
    for name, (at, word) in given.items() if not takes_words and not reads.takes_others else ():
        if word is not None:
            message = f"{name} is a flag in {script.name}, which takes no value, and {word} follows it"
            yield Fault(at, message, f"leave {word} out", script.placed)


def _told(script: Script, reads: Reads, given: Mapping[str, str], options: tuple[Option, ...]) -> Iterator[Fault]:
    known = [name for option in options for name in option.names if name.startswith("-")]
    taken = {name: match for name in given if (match := _match(name, known)) is not None}
    for name, at in given.items():
        if name not in taken and not reads.takes_others and name not in ("--help", "-h"):
            help_text = did_you_mean(name, known) or "add it to the script's parser, or leave it out"
            yield Fault(at, f"{script.name} has no option {name}", help_text, script.placed)
        elif name not in taken and reads.drops_others:
            meant = _meant(name, [item for item in known if item not in taken.values()])
            if meant is not None:
                message = f"{script.name} passes over {name}: its parser has no such option"
                yield Fault(at, message, f"did you mean {meant!r}?", script.placed)
    for option in options:
        if option.required and not set(option.names) & set(taken.values()):
            message = f"{script.name} requires {option.names[-1]}, and the step does not give it"
            yield Fault(script.at, message, "add it", script.placed)


def _meant(name: str, known: list[str]) -> str | None:
    """An option that is a letter beside the name, or has some of its words: what is dropped may be meant so."""
    edits = {*one_edit(name)} if len(name) <= _LONGEST else set()
    words = set(_WORDS.findall(name))
    for option in known:
        own = set(_WORDS.findall(option))
        if option in edits or (own and (own < words or words < own)):
            return option
    return None


_LONGEST = 64
_WORDS = re.compile(r"[A-Za-z0-9]{3,}")


def _match(name: str, known: list[str]) -> str | None:
    """argparse takes an option's beginning for the whole, where only one begins so."""
    if name in known:
        return name
    begin = [option for option in known if option.startswith(name)] if name.startswith("--") else []
    return begin[0] if len(begin) == 1 else None


def _spelled_values(subject: Subject, script: Script, values: Mapping[str, Value]) -> dict[str, tuple[str, str | None]]:
    """The place and the word of each hyperparameter by its option."""
    at = f"{script.job.at}/{script.member}"
    return {
        (f"--{name}" if len(name) > 1 else f"-{name}"): (at + pointer(name), _word(literal(subject, value)))
        for name, value in values.items()
    }


def _values(
    script: Script, given: Mapping[str, tuple[str, str | None]], options: tuple[Option, ...]
) -> Iterator[Fault]:
    by_name = {name: option for option in options for name in option.names}
    for name, (at, word) in given.items():
        option = by_name.get(name)
        if option is None:
            continue
        if option.is_flag:
            message = f"{name} is a flag in {script.name}, and a hyperparameter comes with a value"
            yield Fault(at, message, "let the option take a value, e.g. type=str", script.placed)
        elif word is not None and option.choices and word not in option.choices:
            help_text = f"one of {', '.join(option.choices)}"
            yield Fault(at, f"{name} of {script.name} does not take {word}", help_text, script.placed)
        elif word is not None and option.kind in ("int", "float") and not _is(word, option.kind):
            noun = {"int": "an integer", "float": "a number"}[option.kind]
            help_text = f"give {noun}, or let the script take another type"
            yield Fault(at, f"{name} of {script.name} takes {noun}, and gets {word}", help_text, script.placed)


def _word(value: Value) -> str | None:
    """As the toolkit writes it on the command line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return None
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return str(decoded) if isinstance(decoded, str | int | float) else None


def _is(word: str, kind: str) -> bool:
    try:
        _ = int(word) if kind == "int" else float(word)
    except ValueError:
        return False
    return True


def _arguments(subject: Subject, script: Script) -> dict[str, tuple[str, str | None]] | None:
    """The options on a processing job's command line, each with its place and the one word that follows it, as far as
    that is known; None where the list is not."""
    line: list[tuple[str, str | None]] = []
    for member in ("ContainerEntrypoint", "ContainerArguments"):
        listed = get(script.job.request, "AppSpecification", member)
        if listed is not None and not isinstance(listed, tuple):
            return None
        after = member == "ContainerArguments"
        for index, word in enumerate(listed or ()):
            at = script.job.at + pointer("AppSpecification", member, index)
            text = literal(subject, word)
            if after:
                is_number = isinstance(text, int | float) and not isinstance(text, bool)
                line.append((at, str(text) if is_number else text if isinstance(text, str) else None))
            after = after or at == script.at
    found: dict[str, tuple[str, str | None]] = {}
    for index, (at, text) in enumerate(line):
        if text is None or not text.startswith("--") or len(text) == 2:
            continue
        name, equals, value = text.partition("=")
        following = [word for _, word in line[index + 1 : index + 3]]
        alone = following[:1] and (len(following) == 1 or (following[1] or "").startswith("-"))
        word = following[0] if alone and not (following[0] or "-").startswith("-") else None
        found.setdefault(name, (at, value if equals else word))
    return found

"""``[cards.GROUP]`` of ``mlops.toml``: what people say of the models of a group and of their data, for cards.

Read without pydantic and without the environments: a pipeline is compiled with it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError
from mlops.ir.choices import near
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_value
from mlops.knowledge.datasheets import questions
from mlops.knowledge.model_cards import LONGEST, fields
from mlops.project.root import CONFIGURATION
from mlops.project.toml_places import mistake

TABLE = "cards"
STATUSES = ("Draft", "PendingReview", "Approved", "Archived")
_DETAILS, _STATUS, _REGISTER, _DATA, _PRIVATE = "custom_details", "status", "register", "data", "private_columns"
_LONGEST_DETAIL = 1024

Complain = Callable[[tuple[str, ...], str], None]


@dataclass(frozen=True, slots=True)
class Intent:
    """``texts`` are by their name in a model card, ``answers`` by the name of a datasheet's question. ``register``: a
    step that registers a version of the group carries the card. Of ``private`` columns no ranges are told."""

    texts: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    status: str = STATUSES[0]
    register: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)
    private: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        """By section, as a model card has it."""
        found: dict[str, Any] = {}
        for name, spoken in fields().items():
            if name in self.texts:
                found.setdefault(spoken.section, {})[name] = self.texts[name]
        if self.details:
            found.setdefault("additional_information", {})[_DETAILS] = dict(self.details)
        return found


def parse(raw: Any, complain: Complain) -> Mapping[str, Intent]:
    """By group; ``complain`` hears every mistake with the path of its key."""
    if not isinstance(raw, dict):
        complain((TABLE,), "[cards.GROUP] has to be a table")
        return {}
    found: dict[str, Intent] = {}
    for group, table in raw.items():
        if not isinstance(table, dict):
            complain((TABLE, group), f"cards.{group} has to be a table, [cards.{group}]")
            continue
        mistakes = [*_mistakes(group, table)]
        characters = 0 if mistakes else len(json.dumps(_intent(table).content()))
        if characters > LONGEST:
            mistakes.append(((_DETAILS,), f"cards.{group} has {characters} characters, and a card takes {LONGEST}"))
        for inside, said in mistakes:
            complain((TABLE, group, *inside), said)
        if not mistakes:
            found[group] = _intent(table)
    return found


def _intent(table: Mapping[str, Any]) -> Intent:
    data = table.get(_DATA, {})
    return Intent(
        {name: table[name].strip() for name in fields() if table.get(name, "").strip()},
        table.get(_DETAILS, {}),
        table.get(_STATUS, STATUSES[0]),
        table.get(_REGISTER, False),
        {item.name: data[item.name].strip() for item in questions() if data.get(item.name, "").strip()},
        tuple(data.get(_PRIVATE, ())),
    )


def _mistakes(group: str, table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    at = f"{TABLE}.{group}"
    known = fields()
    for key, value in table.items():
        told = f"{at}.{key}"
        if key in known:
            said = _wrong_text(told, key, value, known[key].longest, known[key].choices)
        elif key == _DETAILS:
            yield from (((key, name), text) for name, text in _wrong_details(told, value))
            continue
        elif key == _DATA:
            yield from (((key, *inside), text) for inside, text in _wrong_data(told, value))
            continue
        elif key == _STATUS:
            said = None if value in STATUSES else f"{told} = {value!r}: choose one of {', '.join(STATUSES)}"
        elif key == _REGISTER:
            said = None if isinstance(value, bool) else f"{told} = {value!r}: write true or false"
        else:
            said = _unknown(key, (*known, _DETAILS, _STATUS, _REGISTER, _DATA), at)
        if said is not None:
            yield (key,), said


def _wrong_text(told: str, name: str, value: Any, longest: int, choices: tuple[str, ...] = ()) -> str | None:
    if not isinstance(value, str):
        return f"{told} has to be a text; it is {value!r}"
    if choices and value not in choices:
        guess = near(value, choices)
        meant = f"; did you mean {guess!r}?" if guess is not None else ""
        return f"{told} = {value!r}: choose one of {', '.join(choices)}{meant}"
    if len(value) > longest:
        return f"{told} has {len(value)} characters, and a card takes {longest}"
    if hide_value(name, value) != value:
        return f"{told} holds what looks like a secret, which has no place in a card"
    return None


def _wrong_details(told: str, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield "", f"{told} has to be a table of texts"
        return
    for name, text in value.items():
        said = _wrong_text(f"{told}.{name}", name, text, _LONGEST_DETAIL)
        if said is not None:
            yield name, said


def _wrong_data(told: str, value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(value, dict):
        yield (), f"{told} has to be a table"
        return
    asked = [item.name for item in questions()]
    for name, given in value.items():
        if name == _PRIVATE:
            if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
                yield (name,), f"{told}.{name} has to be a list of names of columns"
            continue
        said = (
            _wrong_text(f"{told}.{name}", name, given, LONGEST)
            if name in asked
            else _unknown(name, (*asked, _PRIVATE), told)
        )
        if said is not None:
            yield (name,), said


def _unknown(key: str, known: tuple[str, ...], table: str) -> str:
    guess = near(key, known)
    return f"{key!r} is not a key of [{table}]; " + (
        f"did you mean {guess!r}?" if guess is not None else f"known: {', '.join(known)}"
    )


def read_intent(root: Path, group: str) -> Intent:
    """Of a group; an empty one where nothing is declared. Raises ConfigurationError for mistakes in the tables."""
    file = root / CONFIGURATION
    try:
        status = file.stat()
    except OSError:
        return Intent()
    return _read(file, status.st_mtime_ns, status.st_size).get(group, Intent())


@lru_cache(maxsize=16)
def _read(file: Path, written: int, size: int) -> Mapping[str, Intent]:
    """Kept while the file stays as it is: each step that registers asks."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(text) if TABLE in text else {}
    except (OSError, ValueError):  # told by whoever needs the environments
        return {}
    mistakes: list[str] = []
    found = parse(raw.get(TABLE, {}), lambda path, said: mistakes.append(mistake(file, text, path, said)))
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return found

"""Seeded ways to spoil a definition, as a value or as text, for tests and for ``benchmarks/fuzz.py``."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

Path = tuple[Any, ...]

ODD_TEXTS = (
    "", " ", "\u0000", "\ud800", "\u202e", "é" * 300, "\U0001d518", "a\nb", "${x}", "{{x}}", "../../x", "x" * 5000,
    "arn:aws:iam::111122223333:role/x", "s3://", "s3://b//k", "Steps.", "Parameters.", "Steps.Train", "[0]", "['", "$[",
    "P", "PT", "ml.", "ml.m5.large", "1e400", "NaN", "true", "\u212a", "(((((((((a+)+)+)+)+)+)+)+)+)b", "(?P<x>", "\\",
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e308, 1e-320, True, False)
ODD_VALUES: tuple[Any, ...] = (
    None, [], {}, [[]], [{}], [None], {"": None}, {"Get": ""}, {"Get": 1}, {"Get": "Steps.Train.x"}, {"Get": "Steps"},
    {"Get": "Parameters.Depth"}, {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"},
    {"Get": "Steps.Tune.TrainingJobSummaries[999999999].X"}, {"Std:Join": {}}, {"Std:Join": {"On": "", "Values": []}},
    {"Std:Join": {"On": "/", "Values": [{"Std:Join": {"On": "", "Values": [None, 1, {"Get": "Parameters.Data"}]}}]}},
    {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Prepare.PropertyFiles.quality"}, "Path": 1}}, {"Std:X": 1},
    {"Get": "ForEach.CurrentItem.a"}, {"Get": "IterationOutput.Fit.x"}, ["x"] * 300, {str(n): n for n in range(150)},
)  # fmt: skip


def spoil(document: Mapping[str, Any], chance: random.Random) -> str:
    """The text of the document after one to five mutations of its value and, sometimes, one of its text."""
    value: Any = copy.deepcopy(dict(document))
    for _ in range(chance.randint(1, 5)):
        _MUTATIONS[chance.randrange(len(_MUTATIONS))](value, chance)
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.15:
        text = _TEXTS[chance.randrange(len(_TEXTS))](text, chance)
    return text


def _spot(value: Any, chance: random.Random) -> tuple[Any, Any]:
    """A random place: its container and its key; a fair walk, so that deep places come as often as shallow ones."""
    holder, key = value, chance.choice(list(value) or ["Steps"])
    while isinstance(holder, list) or key in holder:
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.08:
            break
        holder = inner
        key = chance.choice(list(inner)) if isinstance(inner, dict) else chance.randrange(len(inner))
    return holder, key


def _drop(value: Any, chance: random.Random) -> None:
    holder, key = _spot(value, chance)
    if isinstance(holder, list) or key in holder:
        del holder[key]


def _rename(value: Any, chance: random.Random) -> None:
    holder, key = _spot(value, chance)
    if isinstance(holder, dict) and key in holder and key:
        cut = chance.randrange(len(key))
        holder[chance.choice((key.lower(), key[:cut] + key[cut + 1 :], key + "s", chance.choice(ODD_TEXTS)))] = (
            holder.pop(key)
        )


def _replace(value: Any, chance: random.Random) -> None:
    holder, key = _spot(value, chance)
    odd = chance.choice((ODD_TEXTS, ODD_NUMBERS, ODD_VALUES))
    holder[key] = copy.deepcopy(chance.choice(odd))  # type: ignore[arg-type]


def _wrap(value: Any, chance: random.Random) -> None:
    holder, key = _spot(value, chance)
    if isinstance(holder, list) or key in holder:
        holder[key] = chance.choice(
            ([holder[key]], {"Get": holder[key]}, {"Value": holder[key]}, str(holder[key])[:200])
        )


def _swap(value: Any, chance: random.Random) -> None:
    one, first = _spot(value, chance)
    other, second = _spot(value, chance)
    if (isinstance(one, list) or first in one) and (isinstance(other, list) or second in other):
        # Copies, so that no part of the document comes to hold itself.
        one[first], other[second] = copy.deepcopy(other[second]), copy.deepcopy(one[first])


def _repeat(value: Any, chance: random.Random) -> None:
    holder, key = _spot(value, chance)
    if isinstance(holder, list):
        holder.extend(copy.deepcopy(holder[key]) for _ in range(chance.choice((1, 2, 40))))


def _nest(value: Any, chance: random.Random) -> None:
    holder, key = _spot(value, chance)
    deep: Any = "x"
    for _ in range(chance.choice((20, 110, 3000))):
        deep = [deep] if chance.random() < 0.5 else {"Std:Join": {"On": "", "Values": [deep]}}
    try:
        json.dumps(deep)
    except RecursionError:
        deep = [["x"]]
    holder[key] = deep


_MUTATIONS: tuple[Callable[[Any, random.Random], None], ...] = (
    _drop, _rename, _replace, _replace, _replace, _wrap, _swap, _repeat, _nest,
)  # fmt: skip


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _double_key(text: str, chance: random.Random) -> str:
    places = [index for index, letter in enumerate(text) if letter == "{"][:400]
    at = chance.choice(places) + 1 if places else 0
    return text[:at] + '"Name": "Train", "Name": "Train"' + (", " if text[at : at + 1] != "}" else "") + text[at:]


def _flip(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice('{}[]",:\\0\u0000\ufeff') + text[at + 1 :]


def _deep(text: str, chance: random.Random) -> str:
    return "[" * chance.choice((130, 10_000, 200_000)) + text


def _digits(text: str, chance: random.Random) -> str:
    return text.replace(": 1", ": " + "9" * chance.choice((19, 500, 6000)), 1)


_TEXTS: tuple[Callable[[str, random.Random], str], ...] = (_cut, _double_key, _flip, _deep, _digits)

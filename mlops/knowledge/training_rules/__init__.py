"""Rules that watch a training's metrics, a file each with its ``RULE``: the class whose fields are its parameters.

They follow the built-in rules of SageMaker Debugger, which looks at tensors and is closed to new customers since July
2026; these look at the values that ``MetricDefinitions`` find in the log. A job carries them in its environment, as
``MLOPS_RULE_1`` and so on, in JSON with the name of the file.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir.choices import instead
from mlops.ir.discovery import modules
from mlops.ir.training_rule import VARIABLE, Ruled, TrainingRule

_ENDS = typing.get_args(typing.get_type_hints(Ruled)["then"])
_LONGEST = 512  # botocore: TrainingEnvironmentValue


class WrongRule(ValueError):
    """The text says which and why."""


def names() -> Sequence[str]:
    return tuple(modules(sys.modules[__name__]))


def rule_named(name: str) -> type[Any]:
    """Raises :class:`WrongRule`."""
    found = modules(sys.modules[__name__]).get(name)
    if found is None:
        raise WrongRule(f"there is no rule {name!r}{instead(name, names())}")
    rule: type[Any] = found.load().RULE
    return rule


def written(name: str, parameters: Mapping[str, object], then: str) -> str:
    """The variable's text: what is not as it would be anyway. Raises :class:`WrongRule`."""
    usual = {item.name: item.default for item in dataclasses.fields(rule_named(name))}
    told = {key: value for key, value in parameters.items() if usual.get(key) != value}
    text = json.dumps({"rule": name, **told, **({"then": then} if then != "fail" else {})}, ensure_ascii=False)
    if len(text) > _LONGEST:
        raise WrongRule(f"rule {name} takes {len(text)} letters to write, of {_LONGEST} that a variable may have")
    read("rule", text)
    return text


def rules_of(environment: Mapping[str, object]) -> tuple[Ruled, ...]:
    """Those of a job, in the order of their numbers. Raises :class:`WrongRule`."""
    found = [name for name in environment if re.fullmatch(VARIABLE + r"[0-9]+", name)]
    return tuple(read(name, environment[name]) for name in sorted(found, key=lambda name: int(name[len(VARIABLE) :])))


def read(variable: str, text: object) -> Ruled:
    """
    >>> read("MLOPS_RULE_1", '{"rule": "plateau", "metric": "loss", "values": 5}').rule
    Plateau(metric='loss', values=5, relative=1e-05, absolute=1e-08)
    >>> read("MLOPS_RULE_1", '{"rule": "plateau", "values": 5}')
    Traceback (most recent call last):
    mlops.knowledge.training_rules.WrongRule: MLOPS_RULE_1: rule plateau needs metric
    """
    try:
        told = json.loads(str(text))
    except (ValueError, RecursionError) as error:
        raise WrongRule(f"{variable}: {text!r} is no JSON: {error}") from None
    if not isinstance(told, dict) or not isinstance(told.get("rule"), str):
        raise WrongRule(f'{variable}: {text!r} names no rule; write {{"rule": NAME, …}}')
    name, then = told.pop("rule"), told.pop("then", "fail")
    try:
        rule = _made(name, rule_named(name), told)
    except WrongRule as error:
        raise WrongRule(f"{variable}: {error}") from None
    if then not in _ENDS:
        raise WrongRule(f"{variable}: then = {then!r}; choose of {', '.join(_ENDS)}")
    return Ruled(name, rule, then)


def _made(name: str, rule: type[Any], told: Mapping[str, Any]) -> TrainingRule:
    kinds = typing.get_type_hints(rule)
    known = [item.name for item in dataclasses.fields(rule)]
    for key, value in told.items():
        if key not in known:
            raise WrongRule(f"rule {name} has no {key!r}{instead(key, known)}")
        if not _is(value, kinds[key]):
            raise WrongRule(f"rule {name}: {key} = {value!r} is of the wrong kind")
    needed = [item.name for item in dataclasses.fields(rule) if item.default is dataclasses.MISSING]
    if missing := [key for key in needed if key not in told]:
        raise WrongRule(f"rule {name} needs {missing[0]}")
    found: TrainingRule = rule(**told)
    if (wrong := found.wrong()) is not None:
        raise WrongRule(f"rule {name}: {wrong}")
    return found


def _is(value: object, kind: Any) -> bool:
    kinds = typing.get_args(kind) or (kind,)
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (isinstance(value, int) and float in kinds)

"""Rules and step types of other packages, and what is to be said of a plug-in that does not work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import ModuleType
from typing import TypeVar

from mlops.check.own_step_types import own_step_types
from mlops.check.rule import Rule, own_rules
from mlops.ir import Finding, Severity, StepType
from mlops.ir.dataclass import dataclass
from mlops.ir.plugins import RULES, STEP_TYPES, Plugin, plugins

T = TypeVar("T")

PLUGINS: Mapping[str, tuple[str, str]] = {
    "A010": (
        "broken-plug-in",
        """An installed package announces a rule or a step type that cannot be loaded, clashes with another, or raises
when it is used. Its part of the check did not happen, so nobody knows what it would have found.

Bad:  an entry point in mlops.rules that names a module which is not there
Good: an entry point that names a rule, several, or a module with rules""",
    ),
}
"""Name and text of what a plug-in can have wrong; an error."""

_CODE = re.compile(r"[A-Z]{1,8}\d{1,5}\Z")


@dataclass(frozen=True, slots=True)
class Plugged:
    """``findings`` are about plug-ins that are broken; ``owners`` names the plug-in of each rule."""

    rules: tuple[Rule, ...]
    step_types: Mapping[str, StepType]
    findings: tuple[Finding, ...]
    owners: Mapping[str, Plugin]


@cache
def plugged() -> Plugged:
    """What is installed beside this package, none of whose rules and step types a plug-in may replace."""
    rules: dict[str, Rule] = {}
    owners: dict[str, Plugin] = {}
    types: dict[str, StepType] = {}
    findings: list[Finding] = []
    announced = plugins(RULES)
    # Whoever wants but the step types need not load all rules, which is most of the time that a run takes to start.
    taken = {rule.code for rule in own_rules()} if announced else frozenset[str]()
    for plugin in announced:
        for rule in _items(plugin, Rule, "a rule", findings):
            if rule.code in taken or rule.code in rules:
                findings.append(broken(plugin, f"the code {rule.code} is taken"))
            elif not _CODE.match(rule.code):
                findings.append(broken(plugin, f"{rule.code!r} is no code: write capital letters, then digits"))
            else:
                rules[rule.code], owners[rule.code] = rule, plugin
    for plugin in plugins(STEP_TYPES):
        for step_type in _items(plugin, StepType, "a StepType", findings):
            if step_type.type in own_step_types() or step_type.type in types:
                findings.append(broken(plugin, f"the step type {step_type.type} is there already"))
            else:
                types[step_type.type] = step_type
    return Plugged(tuple(rules[code] for code in sorted(rules)), types, tuple(findings), owners)


def all_rules() -> tuple[Rule, ...]:
    """Our rules and those of plug-ins, by code."""
    return tuple(sorted((*own_rules(), *plugged().rules), key=lambda rule: rule.code))


def broken(plugin: Plugin, why: str) -> Finding:
    """The finding that a plug-in does not work."""
    message = f"{plugin.label} is left out: {why}"
    help = "mend or remove that package; the rest of the check is not touched by it"
    return Finding("A010", PLUGINS["A010"][0], Severity.ERROR, message, help=help)


def _items(plugin: Plugin, kind: type[T], noun: str, findings: list[Finding]) -> Iterable[T]:
    """An entry point names one item, several, or a module that holds them."""
    value = plugin.value
    if plugin.broken is not None:
        findings.append(broken(plugin, plugin.broken))
        return ()
    if isinstance(value, ModuleType):
        value = tuple(item for item in vars(value).values() if isinstance(item, kind))
    if isinstance(value, kind):
        return (value,)
    if isinstance(value, tuple | list) and value and all(isinstance(item, kind) for item in value):
        return tuple(value)
    findings.append(broken(plugin, f"it names neither {noun}, several, nor a module with one"))
    return ()

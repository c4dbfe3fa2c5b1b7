"""A pipeline by the values that an execution is given: they stand for defaults, and have to fit where those would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mlops.check.filled import typed
from mlops.check.subject import Subject
from mlops.ir import Checked, Definition, Finding
from mlops.ir.hiding import hide_value
from mlops.ir.local_files import names_a_file

_OF_A_DEFAULT = "R331"


def concerning(findings: Iterable[Finding], definition: Definition, values: Mapping[str, str]) -> tuple[Finding, ...]:
    """Without what is said of defaults that do not fit, where another value takes their place."""
    replaced = {
        f"/Parameters/{index}/DefaultValue"
        for index, parameter in enumerate(definition.parameters)
        if parameter.name in values
    }
    return tuple(item for item in findings if item.code != _OF_A_DEFAULT or item.path not in replaced)


def misfits(checked: Checked, values: Mapping[str, str]) -> list[str]:
    """What values break, in words: the service would refuse the job when its step begins."""
    from mlops.check.rules.expression_types import breaking_defaults  # few runs are given values

    given = tuple(
        replace(parameter, members={**parameter.members, "DefaultValue": typed(parameter, values[parameter.name])})
        for parameter in checked.definition.parameters
        if parameter.name in values and not names_a_file(values[parameter.name], parameter.default)
    )
    subject = Subject(replace(checked.definition, parameters=given), checked.step_types)
    return [
        f"{declared.parameter.name}: {_told(declared.parameter.name, values, message)}; it fills {feed.at}"
        for declared, _, feed, (message, doubtful) in breaking_defaults(subject)
        if not doubtful
    ]


def _told(name: str, values: Mapping[str, str], message: str) -> str:
    return message if hide_value(name, values[name]) == values[name] else "its value does not fit"

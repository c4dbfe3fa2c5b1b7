"""Names of the local account in a definition that is for another one: what was compiled here and copied, or written out
by a program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.declare.mistakes import MISTAKES
from mlops.ir import Checked, Finding, Severity, Unknown, Value, Where
from mlops.ir.placeholders import placeholders
from mlops.ir.values import pointer, to_json, transform
from mlops.project.environments import Environment

_CODE = "D109"


def with_local_names(checked: Checked, environment: Environment) -> Iterator[Finding]:
    """Nothing of a definition that is for the local account."""
    if environment.is_local:
        return
    account = environment.account_id

    def told(value: object, path: str, where: Where, step: str | None = None) -> Iterator[Finding]:
        match value:
            case Mapping() if "Std:Join" not in value:
                for key, item in value.items():
                    yield from told(item, path + pointer(str(key)), where, step)
                return
            case list():
                for index, item in enumerate(value):
                    yield from told(item, path + pointer(index), where, step)
                return
        for text in dict.fromkeys(placeholders(value, account=account, bucket=environment.bucket)):
            yield Finding(
                _CODE,
                MISTAKES[_CODE].name,
                Severity.ERROR,
                f"{text} is of the local account, and names nothing in {environment.name}",
                help="leave role, bucket and account out, the environment gives them; what lies elsewhere goes into a "
                "parameter that mlops.toml sets for each environment",
                step=step,
                path=path,
                where=where,
            )

    definition = checked.definition
    for index, parameter in enumerate(definition.parameters):
        default = parameter.members.get("DefaultValue")
        yield from told(default, pointer("Parameters", index, "DefaultValue"), parameter.where)
    for placed in definition.placed():
        step = placed.step
        yield from told(_json(step.arguments), f"{placed.pointer}/Arguments", step.where, step.name)
        members = {name: _json(item) for name, item in step.members.items()}
        yield from told(members, placed.pointer, step.where, step.name)


def _json(value: Value) -> Any:
    """What has a mistake of its own names nothing."""
    return to_json(transform(value, lambda item: None if isinstance(item, Unknown) else item))

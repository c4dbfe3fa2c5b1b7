"""What a file asks of an account that is on this machine, and that nobody has said in ``mlops.toml``.

The closed process asks nobody. What it could not answer it tells; whoever started it looks that up, and the file runs
once more with what was found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from mlops.ports import Port
from mlops.project.environments import Environment

MOST_ROUNDS = 8
"""A file that fails for want of an answer shows one question in each."""
_READ_BY = ("Get", "Describe", "List", "Head", "Search")


class Question(NamedTuple):
    """``request`` is JSON, its members in order."""

    service: str
    operation: str
    request: str

    @property
    def key(self) -> str:
        return " ".join(self)


class LookUp(Protocol):
    def __call__(
        self, environment: Environment, service: str, operation: str, request: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The answer as JSON has it, a Body in base64; None where the account is not here or does not know."""
        ...


LOOK_UP: Port[LookUp] = Port("account")


def question(service: str, operation: str, request: Mapping[str, Any]) -> Question:
    return Question(service, operation, json.dumps(request, sort_keys=True, default=str))


def looked_up(
    asked: list[Any], environment: Environment, known: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """By the question's key, what was not ``known`` before. The file had its hands on ``asked``: only reads go on."""
    found: dict[str, Mapping[str, Any]] = {}
    if environment.state is None or not environment.state.is_dir():
        return found
    for each in (Question(*map(str, item)) for item in asked):
        if each.key not in known and each.operation.startswith(_READ_BY):
            answer = LOOK_UP.get()(environment, each.service, each.operation, json.loads(each.request))
            if answer is not None:
                found[each.key] = answer
    return found


def typed(value: Any, shape: Any) -> Any:
    """As botocore gives an answer of that shape: with moments for its texts."""
    from botocore.utils import parse_timestamp

    kind = getattr(shape, "type_name", None)
    if kind == "structure" and isinstance(value, dict):
        return {name: typed(item, shape.members.get(name)) for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [typed(item, shape.member) for item in value]
    if kind == "map" and isinstance(value, dict):
        return {name: typed(item, shape.value) for name, item in value.items()}
    return parse_timestamp(value) if kind == "timestamp" and isinstance(value, str | int | float) else value

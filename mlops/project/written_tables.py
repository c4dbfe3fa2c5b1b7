"""Tables of ``mlops.toml`` that are not plainly right: pydantic judges them, and what it says is told in the file's
words."""

from __future__ import annotations

import sys
import typing
from collections.abc import Collection, Iterator
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from mlops.ir.secrecy import is_secret
from mlops.project import ci_identity, cost, feedback, search, starts
from mlops.project.table_places import Place, holds, unknown_key
from mlops.project.toml_places import mistake


@cache
def model_of(cls: type) -> type[BaseModel]:
    """The pydantic model of a dataclass of :mod:`mlops.project.environments`."""
    hints = typing.get_type_hints(
        cls,
        vars(sys.modules[cls.__module__]),
        {**vars(starts), **vars(feedback), **vars(search), **vars(cost), **vars(ci_identity)},
        include_extras=True,
    )
    members: dict[str, Any] = {}
    for item in fields(cls):
        made = item.default if item.default_factory is MISSING else item.default_factory()
        members[item.name] = (hints[item.name], ... if made is MISSING else made)
    strict = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
    model: type[BaseModel] = create_model(cls.__name__, __config__=strict, __doc__=cls.__doc__, **members)
    return model


def judged(
    cls: type,
    raw: Any,
    at: tuple[str, ...],
    file: Path,
    text: str,
    place: Place | None,
    *,
    more: Collection[str] = (),
    hidden: Collection[str] = (),
) -> tuple[dict[str, Any] | None, list[str]]:
    """The fields of ``cls`` out of a table, or None and a sentence for every mistake. ``more`` are keys that the table
    has beside the fields, ``hidden`` are fields that nobody writes."""
    model = model_of(cls)
    try:
        found = model.model_validate(raw)
    except ValidationError as error:
        own = {*model.model_fields, *more} - {*hidden}
        return None, list(_sentences(error, raw, at, file, text, place, model, own))
    return {name: getattr(found, name) for name in model.model_fields}, []


def _sentences(
    error: ValidationError,
    raw: Any,
    at: tuple[str, ...],
    file: Path,
    text: str,
    place: Place | None,
    model: type[BaseModel],
    own: Collection[str],
) -> Iterator[str]:
    kinds: dict[tuple[str, ...], list[Any]] = {}
    for detail in error.errors(include_url=False):
        told = tuple(str(part) for part in detail["loc"] if not isinstance(part, int))
        # What follows a value is the kind that pydantic tried.
        inside = next((told[:end] for end in range(len(told), 0, -1) if holds(raw, told[:end])), ())
        if detail["type"] == "missing":
            kinds[told] = [detail]
        else:
            kinds.setdefault(inside, []).append(detail)
    for inside, details in kinds.items():
        # A text that lacks the form is nearer than another kind of value.
        detail = next((item for item in details if item["type"] == "string_pattern_mismatch"), details[0])
        path = place.path(inside) if place else (*at, *inside)
        match detail["type"]:
            case "missing":
                path = (*at, *inside[:-1])
                message = f"[{'.'.join(path)}] lacks {inside[-1]!r}"
            case "extra_forbidden":
                message = unknown_key(inside[-1], _keys(model, inside, own), ".".join(path[:-1]))
            case _:
                said = "give a text, a number, true or false" if len(details) > 2 else _said(inside, detail)
                message = f"{'.'.join(path)} = {_input(inside, detail['input'])}: {said}"
        yield mistake(file, text, path, message)


_WANTED = {
    "string_type": 'give a text, in quotes ("...")',
    "int_type": "give a whole number, without quotes",
    "bool_type": "give true or false, without quotes",
    "list_type": 'give a list, ["...", "..."]',
    "dict_type": 'give a table, { NAME = "..." }',
    "model_type": "give a table",
}
_EXAMPLES = {
    "account": "111122223333",
    "region": "eu-west-1",
    "role": "arn:aws:iam::111122223333:role/pipelines",
    "assume_role": "arn:aws:iam::111122223333:role/deployer",
    "bucket": "acme-ml",
    "prefix": "teams/growth",
    "endpoint_url": "http://127.0.0.1:5000",
    "mlflow": "http://127.0.0.1:5000",
    "expression": "rate(1 day)",
    "sns": "arn:aws:sns:eu-west-1:111122223333:ml",
    "webhook_env": "SLACK_WEBHOOK",
    "secrets": "$DB_PASSWORD",
    "url": "https://search-events.eu-west-1.es.amazonaws.com",
    "password_env": "OPENSEARCH_PASSWORD",
}


def _said(inside: tuple[str, ...], detail: Any) -> str:
    key = "secrets" if "secrets" in inside[:-1] else inside[-1] if inside else ""
    kind, example = detail["type"], _EXAMPLES.get(key)
    if kind == "string_pattern_mismatch" and example is not None:
        return f'that is none; one is, for example, "{example}"'
    if kind == "value_error":  # ours, and it may begin with a name that the user wrote
        return str(detail["msg"]).removeprefix("Value error, ")
    said = _WANTED.get(kind) or detail["msg"]
    return f"{said[0].lower()}{said[1:]}"


def _input(inside: tuple[str, ...], value: Any) -> str:
    """A URL of a webhook is a secret, and is easily put where the variable's name belongs; so is a secret's value."""
    name = inside[-1] if inside else ""
    hidden = name == "webhook_env" or "secrets" in inside or (isinstance(value, str) and is_secret(name, value))
    return "(hidden)" if hidden else repr(value)


def _keys(model: type[BaseModel], inside: tuple[str, ...], own: Collection[str]) -> Collection[str]:
    """Of the table that holds the last key: ``own`` of the model or, deeper, those of what its member is made of."""
    waiting: list[Any] = [model.model_fields[inside[0]].annotation] if len(inside) > 1 else []
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return [*kind.model_fields]
        waiting.extend(get_args(kind))
    return own

"""``[env.NAME.schedules.X]``, ``[env.NAME.triggers.X]`` and ``[env.NAME.notify]``: what starts a pipeline by itself,
and who is told how it went."""

from __future__ import annotations

import difflib
import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_Role = Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$")]


_CRON = (
    ("minutes", 0, 59),
    ("hours", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 1, 7),
    ("year", 1970, 2199),
)


def _cron(inside: str) -> str | None:
    """What is wrong: the number of fields, a number beyond its range, two days at once. Names, L, W and # are left to
    the service."""
    fields = inside.split()
    if len(fields) != len(_CRON):
        names = ", ".join(name for name, _, _ in _CRON)
        return f"cron has six fields ({names}), not {len(fields)}, as in cron(0 6 * * ? *)"
    if (fields[2] == "?") == (fields[4] == "?"):
        return "one of day of the month and day of the week has to be ?, as in cron(0 6 * * ? *)"
    for field, (name, low, high) in zip(fields, _CRON, strict=True):
        # Behind a slash stands a step and behind # a count, which are no such numbers.
        for number in re.findall(r"(?<![/#\w])\d+", field):
            if not low <= int(number) <= high:
                return f"{name} goes from {low} to {high}, not {number}"
    return None


def _rate(inside: str) -> str | None:
    if re.fullmatch(r"1 (minute|hour|day)|(?!1 )[1-9]\d* (minutes|hours|days)", inside):
        return None
    return "rate is a number and minutes, hours or days, one of them in the singular: rate(1 day), rate(5 minutes)"


def _at(inside: str) -> str | None:
    try:
        datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return "at is a time without a zone: at(2026-11-22T06:00:00)"
    return None


_READERS = {"cron": _cron, "rate": _rate, "at": _at}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _Start(_Strict):
    """``role`` is what EventBridge takes on to start the pipeline; the environment's by default."""

    pipeline: str
    role: _Role | None = None
    parameters: dict[str, str] = {}
    description: Annotated[str, Field(max_length=512)] | None = None
    enabled: bool = True


class Schedule(_Start):
    """By the clock: ``expression`` is EventBridge Scheduler's, e.g. ``cron(0 6 * * ? *)`` or ``rate(1 day)``."""

    expression: Annotated[str, Field(pattern=r"^(cron|rate|at)\([^()]+\)$", max_length=256)]
    timezone: Annotated[str, Field(min_length=1, max_length=50)] | None = None

    @field_validator("expression")
    @classmethod
    def _fires(cls, value: str) -> str:
        kind, _, inside = value.removesuffix(")").partition("(")
        said = _READERS[kind](inside)
        if said is not None:
            raise ValueError(said)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        import zoneinfo

        # A machine without the data base of time zones knows none.
        if value is not None and (known := zoneinfo.available_timezones()) and value not in known:
            close = difflib.get_close_matches(value, known, n=1)
            raise ValueError(f"there is no such time zone{f'; did you mean {close[0]!r}?' if close else ''}")
        return value


class Trigger(_Start):
    """By an event: ``event`` is an EventBridge pattern."""

    event: dict[str, Any]

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.event:
            raise ValueError("an empty pattern would match every event")
        return self


class Notify(_Strict):
    """Who is told of what. ``webhook_env`` names the variable that holds the URL: the URL is a secret, the name not."""

    on: list[Literal["failed", "succeeded", "approval", "drift"]] = ["failed", "approval", "drift"]
    sns: Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:\d{12}:.+$")] | None = None
    webhook_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    slack: bool = True
    file: str | None = None
    command: list[str] | None = None

"""``[env.NAME.schedules.X]``, ``[env.NAME.triggers.X]`` and ``[env.NAME.notify]``: what starts a pipeline by itself,
and who is told how it went."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from mlops.ir.choices import near
from mlops.knowledge.eventbridge.event_patterns import wrong
from mlops.knowledge.eventbridge.schedule_expressions import judge

_Role = Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$")]


def _named(value: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z_.\-]+", value):
        raise ValueError("its name takes letters, digits, dots, dashes and underscores")
    return value


Name = Annotated[str, AfterValidator(_named)]
"""Of a schedule or trigger. botocore: scheduler Name, events RuleName."""


_Values = dict[str, str | int | float | bool]


def parameters_as_texts(given: Any) -> Any:
    """EventBridge starts with texts; a number may be written as one, as among an environment's parameters."""
    if not isinstance(given, dict):
        return given
    return {
        name: json.dumps(value) if isinstance(value, bool | int | float) else value for name, value in given.items()
    }


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _Start(_Strict):
    """``role`` is what EventBridge takes on to start the pipeline; the environment's by default."""

    pipeline: str
    role: _Role | None = None
    parameters: Annotated[dict[str, str], BeforeValidator(parameters_as_texts, json_schema_input_type=_Values)] = {}
    description: Annotated[str, Field(max_length=512)] | None = None
    enabled: bool = True


class Schedule(_Start):
    """By the clock: ``expression`` is EventBridge Scheduler's, e.g. ``cron(0 6 * * ? *)`` or ``rate(1 day)``."""

    expression: Annotated[str, Field(pattern=r"^(cron|rate|at)\([^()]+\)$", max_length=256)]
    timezone: Annotated[str, Field(min_length=1, max_length=50)] | None = None

    @field_validator("expression")
    @classmethod
    def _fires(cls, value: str) -> str:
        judge(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        import zoneinfo

        # A machine without the data base of time zones knows none.
        if value is not None and (known := zoneinfo.available_timezones()) and value not in known:
            guess = near(value, known)
            raise ValueError(f"there is no such time zone{f'; did you mean {guess!r}?' if guess else ''}")
        return value


class Trigger(_Start):
    """By an event: ``event`` is an EventBridge pattern."""

    event: dict[str, Any]

    @field_validator("event")
    @classmethod
    def _matches(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not value:
            raise ValueError("an empty pattern would match every event")
        if found := wrong(value):
            raise ValueError("; ".join(found))
        return value


class Notify(_Strict):
    """Who is told of what. ``webhook_env`` names the variable that holds the URL: the URL is a secret, the name not."""

    on: list[Literal["failed", "succeeded", "approval", "drift"]] = ["failed", "approval", "drift"]
    sns: Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:sns:[a-z0-9\-]+:\d{12}:.+$")] | None = None
    webhook_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    slack: bool = True
    file: str | None = None
    command: list[str] | None = None

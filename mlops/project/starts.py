"""``[env.NAME.schedules.X]``, ``[env.NAME.triggers.X]`` and ``[env.NAME.notify]``: what starts a pipeline by itself,
and who is told how it went."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_Role = Annotated[str, Field(pattern=r"^arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$")]


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

"""``[env.NAME.feedback.X]``: what is done about an alarm or a violation that a monitor has found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from mlops.ir.duration import seconds_of
from mlops.project.starts import Trigger, parameters_as_texts

if TYPE_CHECKING:
    from mlops.project.environments import Environment

PLACEHOLDERS = ("since", "until", "captures", "labels", "reason")
"""What a parameter of the retraining may be given: the window of new data, the S3 prefixes of what the endpoint
captured and of what became of its requests, and why it is trained anew."""
_OF_ENDPOINT = ("{captures}", "{labels}")

MOST_PER_DAY = 200
"""That a machine's journal has room for."""
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_Values = dict[str, str | int | float | bool]


class Feedback(BaseModel):
    """By ``alarm`` or ``monitor``. ``endpoint`` is the one that is watched: a shift of its traffic that is under way is
    taken back with ``rollback``. ``pipeline`` is started with ``parameters``, and the version of ``group`` that it
    registers is promoted. ``approval`` says where a person stands in between. Within ``cooldown`` of the last time, and
    more than ``per_day`` times in 24 hours, nothing is done."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    alarm: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    monitor: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    notify: bool = True
    endpoint: str | None = None
    rollback: bool = False
    pipeline: str | None = None
    parameters: Annotated[dict[str, str], BeforeValidator(parameters_as_texts, json_schema_input_type=_Values)] = {}
    window: str | float = "7d"
    group: str | None = None
    approval: list[Literal["rollback", "start", "promote"]] = []
    cooldown: str | float = "1h"
    per_day: Annotated[int, Field(ge=0)] = 3
    enabled: bool = True
    _place: str | None = PrivateAttr(None)

    @field_validator("window", "cooldown")
    @classmethod
    def _lasts(cls, value: str | float) -> str | float:
        seconds_of(value)
        return value

    @field_validator("parameters")
    @classmethod
    def _are_known(cls, values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            for found in _PLACEHOLDER.findall(value):
                if found not in PLACEHOLDERS:
                    known = ", ".join(f"{{{item}}}" for item in PLACEHOLDERS)
                    raise ValueError(f"{name} = {value!r}: {{{found}}} is not known here; known: {known}")
        return values

    @model_validator(mode="after")
    def _does_something(self) -> Any:
        if (self.alarm is None) == (self.monitor is None):
            raise ValueError("one of alarm and monitor says when")
        if self.rollback and self.endpoint is None:
            raise ValueError("rollback needs endpoint")
        if "rollback" in self.approval and not self.rollback:
            raise ValueError('approval = ["rollback"] needs rollback = true, which it is about')
        asks_for_a_pipeline = set(self.approval) - {"rollback"}
        if self.pipeline is None and (self.group is not None or self.parameters or asks_for_a_pipeline):
            raise ValueError("group, parameters and approval are for a pipeline, and none is named")
        if "promote" in self.approval and self.group is None:
            raise ValueError('approval = ["promote"] needs group, whose version it is about')
        if self.endpoint is None and any(item in value for value in self.parameters.values() for item in _OF_ENDPOINT):
            raise ValueError("{captures} and {labels} need endpoint, whose they are")
        if not (self.notify or self.rollback or self.pipeline):
            raise ValueError("nothing is done: give pipeline, rollback or notify")
        return self

    def at(self, place: str) -> Feedback:
        """It as a file declares it at ``place``, its file and line."""
        found = self.model_copy()
        found._place = place
        return found

    def said(self, environment: str, name: str) -> str:
        """Where it is declared, for messages about it."""
        table = f"[env.{environment}.feedback.{name}]"
        return table if self._place is None else f"{self._place}: the feedback {name}"

    @property
    def watches(self) -> tuple[str, str]:
        """``alarm`` or ``monitor``, and its name."""
        return ("alarm", self.alarm) if self.alarm is not None else ("monitor", self.monitor or "")

    @staticmethod
    def is_filled(value: str) -> bool:
        """Whether it has something that is known only when it is started."""
        return _PLACEHOLDER.search(value) is not None

    def placed(self, environment: Environment) -> Feedback:
        """With the place of what became of the endpoint's requests, which no event has to tell."""
        labels = environment.uri("outcomes", self.endpoint or "") + "/"
        told = {name: value.replace("{labels}", labels) for name, value in self.parameters.items()}
        return self.model_copy(update={"parameters": told})

    def trigger(self, name: str) -> Trigger:
        """What EventBridge does of it in an account: an alarm, or a monitor's job that found violations, starts a
        pipeline. Parameters take their values from the event by paths, as of any trigger."""
        kind, watched = self.watches
        return Trigger.model_validate(
            {
                "pipeline": self.pipeline,
                "event": event_of(kind, watched),
                "parameters": {key: _AS_PATH[kind].get(value, value) for key, value in self.parameters.items()},
                "description": f"feedback {name}: the {kind} {watched} starts {self.pipeline}",
                "enabled": self.enabled,
            }
        )

    def needs_a_machine(self, environment: Environment) -> bool:
        """Whether a rule of EventBridge that starts the pipeline would not do all of it."""
        tells = self.notify and environment.notify is not None
        more = self.rollback or self.group is not None or self.approval or environment.approval
        known, given = _AS_PATH[self.watches[0]], self.placed(environment).parameters.values()
        filled = any(_PLACEHOLDER.search(value) and value not in known for value in given)
        return bool(tells or more or filled or seconds_of(self.cooldown) or self.per_day)

    def beyond_a_machine(self, environment: Environment) -> Iterator[str]:
        """What nobody would do in an account while the laptop is off."""
        topic = environment.notify is not None and environment.notify.sns is not None
        if self.pipeline is None:
            yield "no pipeline is started: an alarm's actions tell people, and `alarms` of promote take a shift back"
        if self.per_day > MOST_PER_DAY:
            yield f"per_day = {self.per_day}: a machine counts to {MOST_PER_DAY}; give 0 for as often as it likes"
        if self.notify and environment.notify is not None and not topic:
            yield f"notify: a machine tells by SNS alone; give [env.{environment.name}.notify] sns, or notify = false"
        if (self.approval or environment.approval) and not topic:
            yield f"approval: a machine asks by SNS alone; give [env.{environment.name}.notify] sns"


_AS_PATH: Mapping[str, Mapping[str, str]] = {
    "alarm": {"{until}": "$.time", "{reason}": "$.detail.state.reason"},
    "monitor": {"{until}": "$.time"},
}
"""Where an event has what a parameter asks for."""


def event_of(kind: str, watched: str) -> dict[str, Any]:
    """The pattern of an alarm that goes off, or of a monitor that has found violations."""
    if kind == "alarm":
        return {
            "source": ["aws.cloudwatch"],
            "detail-type": ["CloudWatch Alarm State Change"],
            "detail": {"alarmName": [watched], "state": {"value": ["ALARM"]}},
        }
    return {
        "source": ["mlops.monitor"],
        "detail-type": ["Monitor Ended"],
        "detail": {"monitor": [watched], "violations": [{"numeric": [">", 0]}]},
    }


def triggers_of(environment: Environment) -> Mapping[str, Trigger]:
    """Those that are declared, and feedback that in another account than the local one, which runs it, is no more than
    a rule."""
    if environment.is_local or not environment.feedback:
        return environment.triggers
    made = {
        f"feedback-{name}": item.trigger(name)
        for name, item in ((name, item.placed(environment)) for name, item in environment.feedback.items())
        if item.pipeline is not None and not item.needs_a_machine(environment)
    }
    return {**environment.triggers, **made}

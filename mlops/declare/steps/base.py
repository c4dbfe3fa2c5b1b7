"""What all steps share: validated construction, the place in the author's file, and the envelope."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from typing_extensions import TypedDict, Unpack

from mlops.declare.members import envelope_of, members, merge, record_of, request_of
from mlops.declare.misuse import misuse, speaking_of
from mlops.declare.pipeline import add
from mlops.declare.records import checked_call, record, strict_table
from mlops.declare.references import Poison, PropertyReference
from mlops.declare.slips import slip
from mlops.declare.source_line import author_line
from mlops.declare.wrong_arguments import WrongArguments
from mlops.ir import Step as StepRecord
from mlops.ir import StepType, Unknown, Value, Where
from mlops.ir.fields import (
    COUNT,
    NUMBER,
    PLAIN,
    WORDS,
    Constructor,
    Field,
    Given,
    Made,
    Record,
    Said,
    Spoken,
    StepNamed,
    each,
)

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["After", "Retry", "Step"]

S = TypeVar("S", bound="Step")


class _StepMeta(type):
    """Construction of a step: wrong arguments become findings, and the step joins the open block."""

    # Hidden from type checkers, so that they see each class's own signature.
    if not TYPE_CHECKING:

        def __call__(cls: type[S], *args: Any, **kwargs: Any) -> S:
            where = author_line()
            step = cls.__new__(cls)
            step.where = where
            try:
                step.__init__(*args, **kwargs)
            except WrongArguments as error:
                from mlops.declare.argument_errors import report

                named = kwargs.get("name", args[0] if args else None)
                step.name = named if isinstance(named, str) else cls.__name__
                step.poisoned = True
                report(
                    error.details, cls.__name__, cls._arguments(), step.name, where, (*cls.constructor.fields, *SHARED)
                )
            add(step)
            return step


@record
class After:
    """A step that must end first, and how: ``after=[After(train, "Failed")]``. A bare step means Completed; Any means
    that it has ended, whatever came of it."""

    step: Step | str
    trigger: Literal["Completed", "Failed", "Stopped", "Any"] = "Any"


STEP_FAULTS: Final = ("Step.SERVICE_FAULT", "Step.THROTTLING")
JOB_FAULTS: Final = (
    *STEP_FAULTS,
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)

RetryOn: TypeAlias = Literal[
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
]


@record
class Retry:
    """What is tried again, and how often: ``attempts`` times, or for ``expire_after`` minutes. ``interval`` is the
    first pause in seconds, ``backoff`` its factor from pause to pause. Without ``on``: whatever the type of step may
    try again, which is never the script's own failure. What is left out is the service's default."""

    on: Sequence[RetryOn] | RetryOn = ()
    attempts: int | None = None
    expire_after: int | None = None
    interval: int | None = None
    backoff: float | None = None


@strict_table
class Shared(TypedDict, total=False):
    """Arguments that every step takes.

    ``after`` lists steps that must end first without giving data. ``cache`` is how long an earlier result serves again
    (``"P30D"``), or whether one does. ``retries`` is a number of attempts, or policies. ``arguments`` is merged into
    the request, ``members`` into the step itself: whatever SageMaker accepts and we do not name.
    """

    after: Sequence[Step | str | After]
    display_name: str | None
    description: str | None
    cache: str | bool | None
    retries: int | Retry | Sequence[Retry] | None
    arguments: Mapping[str, Any] | None
    members: Mapping[str, Any] | None


def _check_of(cls: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """An author's own class may name types that only the frame that it is made in knows: it is judged from there."""
    if cls.__module__.startswith("mlops.declare."):
        return checked_call
    from mlops.declare.argument_judge import judge

    return judge


class Step(metaclass=_StepMeta):
    """A step of a pipeline. ``where`` is the line that made it."""

    step_type: ClassVar[StepType]
    shared_arguments: ClassVar[type] = Shared
    """What ``**shared`` of the constructor may hold."""
    constructor: ClassVar[Constructor] = Constructor(())
    """Where the arguments go in the document."""
    faults: ClassVar[Sequence[str]] = JOB_FAULTS
    """What ``retries=`` tries again where nothing is named."""

    name: str
    where: Where
    poisoned = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = _check_of(cls)(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, name: str, **shared: Unpack[Shared]) -> None:
        self.share(name, shared)

    def share(self, name: str, shared: Shared) -> None:
        """Keep what every step takes. Constructors whose ``**shared`` hold more than :class:`Shared` call this."""
        self.name = name
        self.after = list(shared.get("after", ()))
        self.display_name = shared.get("display_name")
        self.description = shared.get("description")
        self.cache = shared.get("cache")
        self.retries = shared.get("retries")
        self.arguments = dict(shared.get("arguments") or {})
        self.members = dict(shared.get("members") or {})
        defaults = {field.name: field.default for field in self.constructor.fields}
        for key in type(self).shared_arguments.__annotations__:
            if key not in Shared.__annotations__:
                setattr(self, key, shared.get(key, defaults.get(key)))

    def property(self, path: str) -> PropertyReference:
        """A member of what SageMaker answers about this step, by its path, e.g. ``TrainingJobName``."""
        return PropertyReference(self.name, path)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        """The step's Arguments, before ``arguments=`` is merged in."""
        return request_of(self, lowering)

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        """Members of the step itself besides the shared ones."""
        return envelope_of(self, lowering)

    def record(self, lowering: Lowering) -> StepRecord:
        """The IR step."""
        if self.poisoned:
            return StepRecord(self.name, self.step_type.type, Unknown(), where=self.where)
        with speaking_of(self.where):
            try:
                return self._record(lowering)
            except RecursionError:
                misuse("D004", f"an argument of {self.name} is nested too deeply, or holds itself", step=self.name)
                return StepRecord(self.name, self.step_type.type, Unknown(), where=self.where)

    def _record(self, lowering: Lowering) -> StepRecord:
        return StepRecord(
            name=self.name,
            type=self.step_type.type,
            arguments=merge(self.request(lowering), self.arguments),
            members=merge({**members(self, SHARED, lowering, self), **self.envelope(lowering)}, self.members),
            where=self.where,
        )

    @classmethod
    def _arguments(cls) -> list[str]:
        """Names that the constructor takes; what a subclass hands on by ``**more`` counts."""
        signature = inspect.signature(cls.__init__).parameters.values()
        names = [item.name for item in signature if item.name != "self" and item.kind not in _VARIADIC]
        more = [item.name for item in signature if item.kind is inspect.Parameter.VAR_KEYWORD]
        if more == ["shared"]:
            names += cls.shared_arguments.__annotations__
        elif more:
            base = next((item for item in cls.__mro__[1:] if issubclass(item, Step)), None)
            names += [] if base is None else [name for name in base._arguments() if name not in names]
        return names

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Only reached for attributes that a failed construction never set, or that do not exist.
            if name.startswith("__"):
                raise AttributeError(name)
            if not self.poisoned:
                known = sorted(
                    key for key in {*vars(self), *dir(type(self))} if not key.startswith("_") and key not in _INTERNAL
                )
                edit = slip(name, known)
                mend = f"did you mean {edit.new}? " if edit else ""
                misuse(
                    "D031",
                    f"{type(self).__name__} {self.__dict__.get('name', '')} has no {name}",
                    help=f"{mend}it has {', '.join(known)}",
                    step=self.__dict__.get("name"),
                    edit=edit,
                )
            return Poison()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
_INTERNAL = frozenset(
    {
        "request",
        "envelope",
        "record",
        "step_type",
        "poisoned",
        "where",
        "arguments",
        "members",
        "faults",
        "share",
        "shared_arguments",
        "constructor",
    }
)


def dependency(item: Step | str | After) -> Value:
    """An item of DependsOn."""
    if isinstance(item, After):
        name = item.step if isinstance(item.step, str) else item.step.name
        return name if item.trigger == "Completed" else {"Step": name, "Trigger": item.trigger}
    return item if isinstance(item, str) else item.name


_TRIGGERS = ("Failed", "Stopped", "Any")


def _said_after(given: Given) -> Spoken | None:
    listed = given.at("/DependsOn")
    said: list[Spoken] = []
    for item in listed if isinstance(listed, tuple) else ():
        match item:
            case str():
                said.append(StepNamed(item))
            case {"Step": str(name), "Trigger": str(trigger), **rest} if trigger in _TRIGGERS and not rest:
                said.append(Made("After", [StepNamed(name), *([] if trigger == "Any" else [Said(trigger)])]))
            case _:
                return None
    return said or None


def _cache(step: Step, *_: object) -> Value:
    if isinstance(step.cache, str):
        return {"Enabled": True, "ExpireAfter": step.cache}
    return None if step.cache is None else {"Enabled": step.cache}


def _said_cache(given: Given) -> Spoken | None:
    match given.at("/CacheConfig"):
        case {"Enabled": True, "ExpireAfter": str(period), **rest} if not rest:
            return Said(period)
        case {"Enabled": bool(enabled), **rest} if not rest:
            return Said(enabled)
    return None


def _faults(retry: Retry, _: Lowering, step: Step) -> Value:
    return (retry.on,) if isinstance(retry.on, str) else tuple(retry.on) or tuple(step.faults)


RETRY = Record(
    Retry,
    (
        Field("on", "ExceptionType", WORDS, (), to=_faults),
        Field("interval", "IntervalSeconds", COUNT),
        Field("backoff", "BackoffRate", NUMBER),
        Field("attempts", "MaxAttempts", COUNT),
        Field("expire_after", "ExpireAfterMin", COUNT),
    ),
    positional=0,
)


def _retries(step: Step, lowering: Lowering, _: Step) -> Value:
    if step.retries is None:
        return None
    given = Retry(attempts=step.retries) if isinstance(step.retries, int) else step.retries
    policies = (given,) if isinstance(given, Retry) else given
    return tuple(record_of(policy, RETRY, lowering, step) for policy in policies)


def _said_retries(given: Given) -> Spoken | None:
    listed = given.at("/RetryPolicies")
    said = [_said_policy(item) for item in listed] if isinstance(listed, tuple) else []
    known = [policy for policy in said if policy is not None]
    if not known or len(known) != len(said):
        return None
    return known[0] if len(known) == 1 else [*known]


def _said_policy(policy: Value) -> Spoken | None:
    faults = policy.get("ExceptionType") if isinstance(policy, Mapping) else None
    if not isinstance(policy, Mapping) or not isinstance(faults, tuple):
        return None
    numbers = {field.name: policy.get(field.path) for field in RETRY.in_order if field.name != "on"}
    given = {name: number for name, number in numbers.items() if number is not None}
    if not all(isinstance(item, str) for item in faults) or any(
        type(number) not in (int, float) for number in given.values()
    ):
        return None
    on: Spoken = Said(faults[0]) if len(faults) == 1 else [Said(fault) for fault in faults]
    return Made("Retry", (), {"on": on, **{name: Said(number) for name, number in given.items()}})


SHARED = (
    Field("display_name", "/DisplayName", PLAIN),
    Field("description", "/Description", PLAIN),
    Field(
        "after",
        "/DependsOn",
        WORDS,
        to=lambda step, *_: tuple(dependency(item) for item in step.after) or None,
        said=_said_after,
    ),
    Field("cache", "/CacheConfig", PLAIN, to=_cache, said=_said_cache),
    Field("retries", "/RetryPolicies", each(RETRY), to=_retries, said=_said_retries),
)
"""What every step takes; after that only what those that start something do."""
WITHOUT_REQUEST = SHARED[:3]

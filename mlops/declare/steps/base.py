"""What all steps share: validated construction, the place in the author's file, and the envelope."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias, TypeVar

from typing_extensions import TypedDict, Unpack

from mlops.declare.by_name import ByName
from mlops.declare.given import GivenByName
from mlops.declare.members import envelope_of, members, merge, record_of, request_of
from mlops.declare.misuse import collecting, misuse, recorded, speaking_of
from mlops.declare.other_uses import no_block, no_function
from mlops.declare.pipeline import add
from mlops.declare.records import checked_call, record, strict_table
from mlops.declare.references import Poison, PropertyReference
from mlops.declare.shown import Labelled
from mlops.declare.source_line import author_line
from mlops.declare.unknown_attributes import among, unknown_attribute
from mlops.declare.wrong_arguments import WrongArguments, unjudged
from mlops.ir import Edit, StepType, Unknown, Value, Where
from mlops.ir import Step as StepRecord
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


class StepMeta(type):
    """Construction of a step: wrong arguments become findings, and the step joins the open block."""

    # Hidden from type checkers, so that they see each class's own signature.
    if not TYPE_CHECKING:

        def __call__(cls: type[S], *args: Any, **kwargs: Any) -> S:
            step = make(cls, author_line(), args, kwargs)
            step.join()
            return step


def make(cls: type[S], where: Where, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> S:
    """One that belongs to no block yet."""
    step = cls.__new__(cls)
    step.where = where
    try:
        step.__init__(*args, **kwargs)  # type: ignore[misc]
    except WrongArguments as error:
        _tell(step, error, args, kwargs)
    _readable(step)
    return step


def _readable(step: Step) -> None:
    """What was given by name may be read back, and tells a name that was not given."""
    for name, value in vars(step).items():
        if type(value) is dict and name not in _MERGED:
            setattr(step, name, GivenByName(step.name, name, value, step.values_of(name)))


_MERGED = ("arguments", "members")
"""Parts of the document as they are."""


def _tell(step: Step, error: WrongArguments, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """What is wrong with the call that makes ``step``, which is made all the same: what else is wrong with it and what
    follows from its name is to be told at once. What was wrong is left unknown in the document."""
    from mlops.declare.argument_errors import Call, report

    made = type(step)
    named = kwargs.get("name", args[0] if args else None)
    # No two steps may have one name, and that is not the mistake.
    step.name = named if isinstance(named, str) else f"{made.__name__}-{step.where.line}"
    fields = (*made.constructor.fields, *SHARED)
    label = named if isinstance(named, str) else None
    known = made._arguments()
    own = [name for name in known if name not in made.shared_arguments.__annotations__]
    call = Call(made.called, made.__init__, own, known, fields, label, step.where, args, kwargs)
    left = report(error.details, call)
    step.wrong = left.wrong
    with collecting() as found, unjudged():
        try:
            made.__init__(step, **{**left.arguments, "name": step.name})
        except Exception:  # its own code found no way with what is left; nothing more can be said of it
            step.poisoned = True
    for name in left.wrong:
        if isinstance(given := vars(step).get(name), ByName):
            given.poison()
    # What excludes each other may be what was wrong, and what is not there what was meant.
    followers = ("D041", "D064") if left.lost else ("D064",)
    for finding in found:
        if finding.code not in followers:
            recorded(finding)
    step.poisoned = step.poisoned or left.lost


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


class Step(Labelled, metaclass=StepMeta):
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
    wrong: frozenset[str] = frozenset()
    """Arguments with a reported mistake: what becomes of them is unknown."""
    poisoned = False
    """Nothing is known of it as a whole."""
    called: ClassVar[str]
    """As an author calls its constructor."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.called = cls.__dict__.get("called", cls.__name__)
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

    def join(self) -> None:
        """Become part of what is being declared."""
        add(self)

    @property
    def label(self) -> str:
        return f"the step {self.name}"

    @property
    def instead(self) -> str | None:
        given = self._given()
        return f"its {given[0]}" if given else None

    def property(self, path: str) -> PropertyReference:
        """A member of what SageMaker answers about this step, by its path, e.g. ``TrainingJobName``."""
        return PropertyReference(self.name, path)

    def values_of(self, given: str) -> Callable[[str], object] | None:
        """What the names of the argument ``given`` stand for when the pipeline runs, where that can be read."""
        return None

    def request(self, lowering: Lowering) -> dict[str, Value]:
        """The step's Arguments, before ``arguments=`` is merged in."""
        return request_of(self, lowering)

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        """Members of the step itself besides the shared ones."""
        return envelope_of(self, lowering)

    def record(self, lowering: Lowering) -> StepRecord:
        """The IR step."""
        unknown = StepRecord(self.name, self.step_type.type, Unknown(), where=self.where)
        with speaking_of(self.where):
            try:
                found = self._record(lowering)
            except RecursionError:
                misuse(
                    "D004",
                    f"an argument of {self.name} is nested too deeply, or holds itself",
                    help="JSON has no place for it: give less of it, or a file in S3",
                    step=self.name,
                )
                return unknown
            except Exception:
                if not self.wrong and not self.poisoned:
                    raise
                return unknown  # made of arguments whose mistakes are told
        return unknown if self.poisoned else found

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

    def _given(self) -> list[str]:
        """What can be read of it, as an author writes that; what stands first is meant most often."""
        by_name = [item.instead for item in vars(self).values() if isinstance(item, ByName) and item.instead]
        typed = [yielded.attribute for yielded in self.constructor.yields.values() if yielded.key is None]
        methods = [f"{name}(…)" for name in dir(type(self)) if inspect.isfunction(vars(type(self)).get(name))]
        return list(dict.fromkeys([*by_name, *typed, *(name for name in methods if _is_told(name.partition("(")[0]))]))

    # Hidden from type checkers, so that they find an attribute that is not there.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Only reached for attributes that a failed construction never set, or that do not exist.
            if name.startswith("_"):
                raise AttributeError(name)
            if self.poisoned:
                return Poison()
            help, edit = self._meant(name)
            message = f"{self.called} {self.name} has no {name}"
            return unknown_attribute(name, message, help=help, step=self.name, edit=edit, instead=Poison())

        def __call__(self, *_: object, **__: object) -> Poison:
            if self.poisoned:
                return Poison()
            made = f"what it is to do stands where it is made, in {self.called}(…)"
            help = f"{made}; it gives {', '.join([*self._given(), PROPERTY])}"
            return no_function(f"{self.called} {self.name}", help, Poison(), step=self.name)

        def __rshift__(self, later: object) -> object:
            named = later.name if isinstance(later, Step) else "the later one"
            return self._not_in_order(f"write after=[…] with {self.name} where {named} is made", later)

        def __lshift__(self, earlier: object) -> object:
            named = earlier.name if isinstance(earlier, Step) else "the earlier one"
            return self._not_in_order(f"write after=[…] with {named} where {self.name} is made", earlier)

        def __rrshift__(self, earlier: object) -> object:
            return self._not_in_order(f"write after=[…] with them where {self.name} is made", self)

        def __rlshift__(self, later: object) -> object:
            return self._not_in_order(f"write after=[…] with {self.name} where they are made", self)

        def _not_in_order(self, help: str, instead: object) -> object:
            message = f"{self.called} {self.name}: arrows put no steps in order"
            misuse("D031", message, help=f"{help}; a step waits by itself for what it reads", step=self.name)
            return instead

        def __enter__(self) -> Step:
            help = "write it as a call; only when(…) and ForEach(…) hold steps"
            no_block(f"{self.called} {self.name}", help, step=self.name)
            return self

        def __exit__(self, *_: object) -> None:
            return

        __iter__ = None  # what has brackets would else be looped over by number

        def __getitem__(self, key: object) -> Poison:
            if not self.poisoned:
                held = [item for item in vars(self).values() if isinstance(item, ByName) and key in list(item)]
                given = [f'{item.kind}s["{key}"]' for item in held]
                help = f"here it is {given[0]}" if given else f"it gives {', '.join([*self._given(), PROPERTY])}"
                misuse("D031", f"{self.called} {self.name} has nothing in brackets", help=help, step=self.name)
            return Poison()

    def _meant(self, attribute: str) -> tuple[str, Edit | None]:
        given = [*self._given(), PROPERTY]
        if attribute in DONE_ELSEWHERE:
            return DONE_ELSEWHERE[attribute], None
        words = ATTRIBUTES.get(attribute, ())
        ours = next((name for word in words for name in given if name.startswith(word)), None)
        if ours is not None:
            return f"here it is {ours}", Edit(attribute, ours) if ours.isidentifier() else None
        known = {key for key in {*vars(self), *dir(type(self))} if _is_told(key)}
        near_by, edit = among(attribute, known)
        return (near_by if edit or near_by.startswith("did") else f"it gives {', '.join(given)}"), edit

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


def _is_told(attribute: str) -> bool:
    return not attribute.startswith("_") and attribute not in _INTERNAL


PROPERTY = 'property("…")'
ATTRIBUTES: Mapping[str, Sequence[str]] = {
    "properties": ("property",),
    "model_data": ("model",),
    "model_artifacts": ("model",),
    "model_uri": ("model",),
    "artifacts": ("model",),
    "artifact": ("model",),
    "best_training_job": ("best_model", "model"),
    "model_package_arn": ("package",),
    "metrics": ("metric",),
    "metric_value": ("metric",),
    "final_metric_data_list": ("metric",),
    "output": ("outputs", "output", "model"),
    "outputs": ("output", "model", "package"),
    "output_path": ("outputs", "output", "model"),
    "property_files": ("reports",),
    "report": ("reports",),
}
"""What the official SDK and others call what a step gives, and what it may be here, the likeliest first."""

_JOB = 'the service names each job: property("TrainingJobName"), property("ProcessingJobName")'
_AFTER = "give it to the constructor: after=[prepare]"
DONE_ELSEWHERE: Mapping[str, str] = {
    "add_depends_on": _AFTER,
    "depends_on": _AFTER,
    "env": "the variables that were given are its environment",
    "environ": "the variables that were given are its environment",
    "job_name": _JOB,
    "latest_training_job": _JOB,
    "training_job_name": _JOB,
    "latest_job": _JOB,
    "fit": "a step runs with its pipeline: `mlops run FILE --only STEP`",
    "run": "a step runs with its pipeline: `mlops run FILE --only STEP`",
    "wait": "a pipeline does not wait for its steps here",
    "create": "the service makes it when the pipeline runs",
    "register": "here it is a RegisterModel step",
    "deploy": "`mlops promote GROUP --to ENV` serves a registered version",
    "transform": "here it is a Transform step",
    "step_args": "arguments stand in the constructor; what no argument names goes into arguments={…}",
}
"""Other attributes of the official SDK's objects, and where that is done here."""

_VARIADIC = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
_INTERNAL = frozenset(
    {
        "program",
        "values_of",
        "request",
        "envelope",
        "record",
        "step_type",
        "poisoned",
        "wrong",
        "called",
        "label",
        "instead",
        "where",
        "arguments",
        "members",
        "faults",
        "share",
        "join",
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

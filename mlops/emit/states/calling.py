"""A step that makes something by one call: a task that waits, or a call, a look and a wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops.emit.states.jsonata import DATA, Unspelled, braces, expression, literal, merged, name, obj, spelled
from mlops.emit.states.naming import name_of
from mlops.emit.states.retrying import Again, retries
from mlops.emit.states.work import Work, members_of
from mlops.emit.states.writing import PAUSE_SECONDS
from mlops.ir import StepType
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.step_type import Awaited

_NOUN = re.compile(r"(Create)(\w+)(Input|Request)")


@dataclass(frozen=True, slots=True)
class Call:
    """``member`` is the request's with the name of what is made, ``named`` the JSONata of that; both are empty where
    the service gives the name."""

    known: StepType
    member: str
    named: str
    request: Mapping[str, Any]


def call_of(work: Work, *, is_named: bool = True) -> Call:
    """A name that a definition gives is the whole name where the service appends nothing. Raises Unspelled."""
    known = work.known
    if known is None or known.states_resource is None:
        why = known.not_in_states if known is not None else None
        raise Unspelled(why or "Step Functions has nothing that does it as the service does")
    arguments = work.step.arguments if isinstance(work.step.arguments, Mapping) else {}
    member, named = name_member(known) or "", ""
    if member and is_named:
        given = arguments.get(member)
        is_whole = given is not None and known.name_member is None
        named = expression(given, work.words()) if is_whole else name_of(work, given)
    # A list of nothing is none: a pipeline takes it, and InputDataConfig asks for one item at least.
    asked = {key: value for key, value in arguments.items() if key != member and value != ()}
    request = spelled(asked, work.words(named or None))
    return Call(known, member, named, {member: as_text(named), **request} if named else request)


def write_call(work: Work, call: Call, wanted: frozenset[str] | None = None, then: str | None = None) -> None:
    """``wanted`` of the result is kept, or what is read later; ``then`` comes behind, or what comes behind the step.
    Raises Unspelled."""
    step, known = work.step, call.known
    wanted, then = work.wanted if wanted is None else wanted, then or work.then
    service, action = (known.states_resource or "").removeprefix("arn:aws:states:::").rsplit(":", 1)
    strange = sorted(wanted & {item.partition(".")[0] for item in known.extra_response})
    if strange:
        raise Unspelled(f"{', '.join(strange)} of it is told to pipelines alone")
    state: dict[str, Any] = {"Type": "Task", **work.comment(), "Resource": work.resource(f"{service}:{action}")}
    state["Arguments"] = call.request
    state["Retry"] = retries(step)
    if action.endswith(".sync"):
        state["Output"] = work.recorded(members_of(wanted, "$states.result"))
    elif known.awaited is not None:
        then = _awaited(work, known.awaited)
        made = f"$states.result.{known.awaited.told}" if known.awaited.told is not None else call.named
        state["Output"] = braces(merged(obj({"Made": made})))
    else:
        told = {call.member: call.named} if call.named else {}
        if wanted - {*told}:
            then = _described(work, call)
        state["Output"] = work.recorded(told)
    state["Next"] = then
    if Again.keys(step):
        lost = work.lost(f"{step.name}: has failed", f"{DATA}.Trouble")
        state["Catch"] = Again(step).write(work.scope, lost)
    else:
        state.update(work.failing())
    work.put(step.name, state)


def name_member(known: StepType) -> str | None:
    """The request's member with the name of what is made, which definitions leave out."""
    if known.job is not None:
        return known.job.name_member
    wanted = f"{noun(known)}Name"
    return wanted if wanted in known.omits else None


def noun(known: StepType) -> str:
    """What is made, as operations are called by it.

    >>> noun(StepType("RegisterModel", request="CreateModelPackageInput"))
    'ModelPackage'
    """
    found = _NOUN.fullmatch(known.request or "")
    return found[2] if found is not None else known.type


def as_text(found: str) -> str:
    """A literal stays one.

    >>> as_text("'churn'"), as_text("$now()")
    ('churn', '{% $now() %}')
    """
    plain = re.fullmatch(r"'([^']*)'", found)
    return plain[1] if plain is not None else braces(found)


def _awaited(work: Work, awaited: Awaited) -> str:
    step = work.step
    looks, over, pause = (f"{step.name}: {what}" for what in ("looks", "is it over", "waits"))
    known = members_of(work.wanted, "$states.result")
    seen = members_of(frozenset({awaited.status, "FailureReason", *awaited.same}), "$states.result")
    status = f"{DATA}.Seen.{awaited.status}"
    work.put(
        looks,
        {
            "Type": "Task",
            "Resource": work.resource(f"aws-sdk:sagemaker:{awaited.describe}"),
            "Arguments": {awaited.ask: braces(f"{DATA}.Made")},
            "Retry": retries(None),
            "Output": braces(
                merged(obj({"Steps": f"$merge([{DATA}.Steps, {obj({step.name: obj(known)})}])", "Seen": obj(seen)}))
            ),
            **work.failing(),
            "Next": over,
        },
    )
    done = f"{status} in [{', '.join(map(literal, awaited.done))}]"
    for member in awaited.same:
        value = get(step.arguments, member)
        done += f" and {DATA}.Seen.{member} = {expression(value, work.words())}"
    told = obj({"Error": "'StepFailed'", "Cause": f"{status} & ' ' & {DATA}.Seen.FailureReason"})
    work.put(
        over,
        {
            "Type": "Choice",
            "Choices": [
                {"Condition": braces(done), "Next": work.then},
                {"Condition": braces(f"{status} in [{', '.join(map(literal, awaited.under_way))}]"), "Next": pause},
            ],
            "Default": work.lost(f"{step.name}: did not come", told),
        },
    )
    work.put(pause, {"Type": "Wait", "Seconds": PAUSE_SECONDS, "Next": looks})
    return looks


def _described(work: Work, call: Call) -> str:
    """What is told of what is made at once."""
    looks = f"{work.step.name}: looks"
    made = f"{DATA}.Steps.{name(work.step.name)}.{call.member}"
    work.put(
        looks,
        {
            "Type": "Task",
            "Resource": work.resource(f"aws-sdk:sagemaker:describe{noun(call.known)}"),
            "Arguments": {call.member: braces(made)},
            "Retry": retries(None),
            "Output": work.recorded(members_of(work.wanted, "$states.result")),
            **work.failing(),
            "Next": work.then,
        },
    )
    return looks

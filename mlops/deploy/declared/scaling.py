"""How a declared endpoint is scaled: what is declared of it beside what there is. It is a part of the endpoint, and
goes with what serves: a variant that took another's place is scaled in its stead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.ir.resource import Resource
from mlops.ir.shift import Scaling

MEMBER = "Scaling"
_GIVEN = ("ServiceNamespace", "ScalableDimension")


def declared(endpoint: Resource) -> tuple[Scaling, ...] | None:
    """None where nothing is said of it: then whoever scales it goes on to."""
    listed: Sequence[Mapping[str, Any]] | None = endpoint.plain.get(MEMBER)
    return None if listed is None else tuple(map(_scaling, listed))


def _scaling(told: Mapping[str, Any]) -> Scaling:
    return Scaling(
        str(told["VariantName"]),
        str(told["ScalableDimension"]),
        int(told["MinCapacity"]),
        int(told["MaxCapacity"]),
        {},
        tuple(_without(item) for item in told.get("Policies") or ()),
        tuple(_without(item) for item in told.get("Scheduled") or ()),
    )


def _without(item: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in item.items() if member not in _GIVEN}


def on(wanted: Sequence[Scaling], serving: Sequence[str]) -> tuple[Scaling, ...]:
    """``wanted`` on the variants that serve: the only one may be called otherwise, since two names take turns."""
    if len(wanted) == 1 and len(serving) == 1:
        return (replace(wanted[0], variant=serving[0]),)
    return tuple(wanted)


def differs(there: Sequence[Scaling], wanted: Sequence[Scaling]) -> bool:
    """What the service fills in, and what somebody suspended, is no difference."""
    by_key = {item.key: item for item in there}
    return set(by_key) != {item.key for item in wanted} or any(not same(by_key[one.key], one) for one in wanted)


def same(there: Scaling, wanted: Scaling) -> bool:
    return (
        (there.minimum, there.maximum) == (wanted.minimum, wanted.maximum)
        and _named(there.policies, "PolicyName", wanted.policies)
        and _named(there.scheduled, "ScheduledActionName", wanted.scheduled)
    )


def _named(there: Sequence[Mapping[str, Any]], name: str, wanted: Sequence[Mapping[str, Any]]) -> bool:
    by_name = {item[name]: item for item in there}
    return by_name.keys() == {item[name] for item in wanted} and all(_holds(by_name[one[name]], one) for one in wanted)


def _holds(there: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_holds(there.get(member), value) for member, value in wanted.items())
    if isinstance(wanted, list | tuple):
        return len(wanted) == len(there or ()) and all(map(_holds, there, wanted))
    return bool(there == wanted)


def told(scaling: Sequence[Scaling]) -> dict[str, Any]:
    """By variant, for who reads a plan."""
    return {
        item.variant: {
            "least": item.minimum,
            "most": item.maximum,
            **({"policies": {one["PolicyName"]: _how(one) for one in item.policies}} if item.policies else {}),
            **(
                {"schedule": {one["ScheduledActionName"]: _when(one) for one in item.scheduled}}
                if item.scheduled
                else {}
            ),
        }
        for item in scaling
    }


def _how(policy: Mapping[str, Any]) -> Any:
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
    return policy.get("PolicyType") if tracking is None else tracking["TargetValue"]


def _when(action: Mapping[str, Any]) -> str:
    bounds = action.get("ScalableTargetAction") or {}
    return f"{action.get('Schedule')}: {bounds.get('MinCapacity')} to {bounds.get('MaxCapacity')}"

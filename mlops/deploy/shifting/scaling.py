"""What Application Auto Scaling has of an endpoint's variants, and the calls that change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mlops.account import Account
from mlops.account.missing import error_code, unless_missing
from mlops.deploy.pages import items
from mlops.ir import Refusal
from mlops.ir.shift import RemoveScaling, RestoreScaling, Scaling, SuspendScaling

SERVICE = "application-autoscaling"
_NAMESPACE = "sagemaker"
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_OF_A_POLICY = (
    "PolicyName",
    "PolicyType",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScalingPolicyConfiguration",
)
_OF_AN_ACTION = ("ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})


def see(account: Account, endpoint: str, variants: Sequence[str]) -> tuple[Scaling, ...]:
    """By the variants' order. Raises Refusal where that may not be asked: then nobody knows what would be lost."""
    client = account.client(SERVICE)
    of = {f"endpoint/{endpoint}/variant/{name}": name for name in variants}
    try:
        targets = list(
            items(
                client,
                "describe_scalable_targets",
                "ScalableTargets",
                ServiceNamespace=_NAMESPACE,
                ResourceIds=list(of),
            )
        )
        found = [_scaling(client, target, of[target["ResourceId"]]) for target in targets if target["ResourceId"] in of]
    except Exception as error:
        if error_code(error) in _DENIED:
            raise Refusal(
                f"whether {endpoint} is scaled may not be asked, and a promotion that does not know it might lose it",
                hint="allow application-autoscaling:DescribeScalableTargets, DescribeScalingPolicies and "
                "DescribeScheduledActions to who promotes",
            ) from error
        raise
    order = list(variants)
    return tuple(sorted(found, key=lambda item: (order.index(item.variant), item.dimension)))


def _scaling(client: Any, target: Mapping[str, Any], variant: str) -> Scaling:
    of = {member: target[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    policies = items(client, "describe_scaling_policies", "ScalingPolicies", **of)
    actions = items(client, "describe_scheduled_actions", "ScheduledActions", **of)
    suspended = target.get("SuspendedState") or {}
    return Scaling(
        variant,
        str(target["ScalableDimension"]),
        int(target["MinCapacity"]),
        int(target["MaxCapacity"]),
        {member: bool(suspended.get(member, False)) for member in _SUSPENDED},
        tuple(_told(item, _OF_A_POLICY) for item in policies),
        tuple(_told(item, _OF_AN_ACTION) for item in actions),
    )


def _told(described: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """As it is given again; times as text, since that is kept."""
    found = {member: described[member] for member in members if described.get(member) is not None}
    return {member: value.isoformat() if isinstance(value, datetime) else value for member, value in found.items()}


def change(
    account: Account,
    endpoint: str,
    move: SuspendScaling | RemoveScaling | RestoreScaling,
    say: Callable[[str], None],
    between: Callable[[], None] = lambda: None,
) -> None:
    """May be done twice. ``between`` two calls it is asked whether it may go on, and what that raises is raised."""
    client = account.client(SERVICE)
    match move:
        case SuspendScaling(variant, dimension):
            if any(item.dimension == dimension for item in see(account, endpoint, (variant,))):
                say(f"{endpoint}: scaling of {variant} is suspended")
                client.register_scalable_target(
                    **_named(endpoint, variant, dimension), SuspendedState=dict.fromkeys(_SUSPENDED, True)
                )
        case RemoveScaling(variant, dimension):
            of = _named(endpoint, variant, dimension)
            if unless_missing(lambda: client.deregister_scalable_target(**of)) is not None:
                say(f"{endpoint}: {variant} is not scaled any more")
        case RestoreScaling(scaling):
            _restore(account, endpoint, scaling, say, between)


def bring(
    account: Account, endpoint: str, there: Sequence[Scaling], wanted: Sequence[Scaling], say: Callable[[str], None]
) -> None:
    """To what is ``wanted``, all of it; may be done twice."""
    client = account.client(SERVICE)
    for gone in (item for item in there if item.key not in {one.key for one in wanted}):
        change(account, endpoint, RemoveScaling(gone.variant, gone.dimension), say)
    for one in wanted:
        of = _named(endpoint, one.variant, one.dimension)
        before = next((item for item in there if item.key == one.key), None)
        client.register_scalable_target(**of, MinCapacity=one.minimum, MaxCapacity=one.maximum)
        for policy in one.policies:
            client.put_scaling_policy(**of, **policy)
        for action in one.scheduled:
            client.put_scheduled_action(**of, **action)
        for name in _left(before.policies if before else (), one.policies, "PolicyName"):
            client.delete_scaling_policy(**of, PolicyName=name)
        for name in _left(before.scheduled if before else (), one.scheduled, "ScheduledActionName"):
            client.delete_scheduled_action(**of, ScheduledActionName=name)
        say(f"{endpoint}: {one.variant} is scaled between {one.minimum} and {one.maximum}")


def _left(there: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    return sorted({str(item[name]) for item in there} - {str(item[name]) for item in wanted})


def _restore(
    account: Account, endpoint: str, wanted: Scaling, say: Callable[[str], None], between: Callable[[], None]
) -> None:
    client, of = account.client(SERVICE), _named(endpoint, wanted.variant, wanted.dimension)
    there = next((item for item in see(account, endpoint, (wanted.variant,)) if item.key == wanted.key), None)
    policies = {item["PolicyName"] for item in there.policies} if there is not None else set()
    actions = {item["ScheduledActionName"] for item in there.scheduled} if there is not None else set()
    bounds = {} if there is not None else {"MinCapacity": wanted.minimum, "MaxCapacity": wanted.maximum}
    held = dict.fromkeys(_SUSPENDED, True)
    if there is None:
        # Suspended, until all that steers it is there: whoever is cut off here leaves nothing that scales by half.
        client.register_scalable_target(**of, **bounds, SuspendedState=held)
        between()
    for policy in wanted.policies:
        if policy["PolicyName"] not in policies:
            client.put_scaling_policy(**of, **policy)
            between()
    for action in wanted.scheduled:
        if action["ScheduledActionName"] not in actions:
            _schedule(client, of, action, say)
            between()
    client.register_scalable_target(**of, SuspendedState=dict(wanted.suspended))
    say(f"{endpoint}: {wanted.variant} is scaled between {wanted.minimum} and {wanted.maximum}, as before")


def _schedule(client: Any, of: Mapping[str, str], action: Mapping[str, Any], say: Callable[[str], None]) -> None:
    try:
        client.put_scheduled_action(**of, **action)
    except Exception as error:
        if error_code(error) != "ValidationException":
            raise
        # Of one whose time has come meanwhile the service wants to know nothing.
        say(f"the scheduled action {action['ScheduledActionName']} cannot be put again: {error}")


def _named(endpoint: str, variant: str, dimension: str) -> dict[str, str]:
    return {
        "ServiceNamespace": _NAMESPACE,
        "ResourceId": f"endpoint/{endpoint}/variant/{variant}",
        "ScalableDimension": dimension,
    }

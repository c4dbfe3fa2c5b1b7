"""The numbers of a deployment that goes in steps: how many instances have traffic, how many of the old ones are left,
how long is waited. Shares of traffic are those of the new instances; old ones are never fewer than theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlops.account.local.process.serving.happenings import Progress, Rollout, Variant
from mlops.account.local.services.sagemaker.deployments import Policy


def production(variants: Iterable[Variant]) -> list[Variant]:
    return [variant for variant in variants if not variant.shadow]


def steps(policy: Policy, variants: Iterable[Variant]) -> int:
    """Of the variant that takes most."""
    return max(len(policy.steps(variant.count)) for variant in production(variants))


def active(policy: Policy, variants: Iterable[Variant], step: int) -> dict[str, int]:
    """New instances that have traffic in a step.

    >>> active(Policy(None), [Variant("A", 1.0, 3)], 0)
    {'A': 3}
    """
    found = {variant.name: policy.steps(variant.count) for variant in production(variants)}
    return {name: counts[min(step, len(counts) - 1)] for name, counts in found.items()}


def needed(total: int, share_of: int, whole: int) -> int:
    """Of ``total`` instances, how many serve what is left when ``share_of`` of ``whole`` others have traffic.

    >>> [needed(3, given, 4) for given in range(5)]
    [3, 3, 2, 1, 0]
    """
    return -(-total * (whole - share_of) // whole)


def bake_seconds(rollout: Rollout) -> float:
    policy = rollout.policy
    return policy.last_wait if rollout.step == steps(policy, rollout.fleet.variants) - 1 else policy.wait


def share(rollout: Rollout, variant: Variant) -> float:
    """Of a variant's traffic, the new fleet's."""
    return rollout.active.get(variant.name, 0) / variant.count


def told(rollout: Rollout, present: Mapping[str, int]) -> tuple[Progress, ...]:
    """In the words of the service's own events (guide: automating-sagemaker-with-eventbridge). ``present`` are
    instances of the new fleet that are up."""
    return tuple(_told(rollout, variant, present) for variant in production(rollout.fleet.variants))


def _told(rollout: Rollout, variant: Variant, present: Mapping[str, int]) -> Progress:
    name, policy = variant.name, rollout.policy
    there, has = present.get(name, 0), rollout.active.get(name, 0)
    capacity = "full capacity" if has == variant.count else "canary capacity"
    if policy.rolling and has != variant.count:
        capacity = "batch capacity"
    rest = (there, rollout.kept.get(name, 0), has / variant.count)
    match rollout.phase:
        case "creating":
            wanted = active(policy, [variant], rollout.step)[name] if policy.rolling else variant.count
            return Progress(
                name,
                "Updating" if rollout.step else "Creating",
                f"Launching {max(wanted - there, 0)} instance(s).",
                *rest,
            )
        case "baking" if seconds := bake_seconds(rollout):
            last = not policy.rolling and has == variant.count
            which = "TerminationWaitInSeconds" if last else "WaitIntervalInSeconds"
            said = f"Baking for {seconds:g} seconds ({which}) with traffic enabled on {capacity} of {has} instance(s)."
            return Progress(name, "Baking", said, *rest)
        case "baking":
            return Progress(name, "ActivatingTraffic", f"Activating traffic on {capacity} of {has} instance(s).", *rest)
        case _:
            return Progress(name, "Deleting", f"Terminating {there} instance(s).", *rest)

"""The new version as a shadow of what serves, before the moves of a shift: a configuration with both, a look at what
the shadow answers, and back to what serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from mlops.deploy.shifting.mirroring import Mirroring
from mlops.deploy.shifting.moves import config_name, needed
from mlops.ir import Refusal
from mlops.ir.shift import MakeConfig, Mirror, Move, PointTo, Serving, Variant

_BOTH = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]


def shadow_first(
    mirroring: Mirroring,
    endpoint: str,
    old: Serving,
    new: Variant,
    members: Mapping[str, Any],
    *,
    prefix: str,
    marketplace: bool = False,
) -> tuple[Move, ...]:
    """``members`` are those of the configuration that serves, beside its variants. Raises Refusal for what shadow
    variants do not go with."""
    against = {
        "several variants": len(old.variants) > 1,
        "a serverless variant": any(variant.request.get("ServerlessConfig") for variant in (*old.variants, new)),
        "another shadow variant": bool(members.get("ShadowProductionVariants")),
        "asynchronous inference": bool(members.get("AsyncInferenceConfig")),
        "Inf1 instances": any(
            str(variant.request.get("InstanceType", "")).startswith("ml.inf1.") for variant in (*old.variants, new)
        ),
        "Marketplace containers": marketplace,
    }
    found = next((what for what, is_so in against.items() if is_so), None)
    if found is not None:
        raise Refusal(
            f"{endpoint} cannot have the new version as a shadow first: a shadow does not go with {found}",
            hint="leave out `shadow` of the environment's promote table",
        )
    (serving,) = old.variants
    shadow = replace(new, weight=mirroring.share / 100, count=needed(mirroring.share, new.count))
    request = {
        **members,
        **_captured(mirroring, members),
        "ProductionVariants": [replace(serving, weight=1.0).as_request()],
        "ShadowProductionVariants": [shadow.as_request()],
    }
    config = config_name(prefix, request)
    return (
        MakeConfig(config, request),
        PointTo(Serving(config, old.variants)),
        Mirror(mirroring.share, mirroring.seconds),
        PointTo(old),
    )


def is_shadowed(move: Move) -> TypeGuard[MakeConfig]:
    """Whether it makes the configuration that a shadow is looked at in."""
    return isinstance(move, MakeConfig) and bool(move.request.get("ShadowProductionVariants"))


def _captured(mirroring: Mirroring, members: Mapping[str, Any]) -> dict[str, Any]:
    """Payloads are kept where that is asked for: as what serves has it, else beside the environment's own objects."""
    if mirroring.payloads is None or members.get("DataCaptureConfig"):
        return {}
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": mirroring.payloads}
    return {"DataCaptureConfig": {**capture, "CaptureOptions": _BOTH}}

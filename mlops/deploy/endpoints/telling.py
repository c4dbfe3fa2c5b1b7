"""What a promotion would do, line by line."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.deploy.endpoints.promotion import (
    Action,
    CopyArchive,
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteEndpoint,
    HooksAround,
    Settle,
    Shift,
    SmokeTest,
    TakeBack,
    UpdateEndpoint,
    Wait,
)
from mlops.ir.duration import said
from mlops.ir.shift import (
    Bake,
    CallHooks,
    MakeConfig,
    Mirror,
    Move,
    PointTo,
    Probe,
    RemoveScaling,
    RestoreScaling,
    Scale,
    SuspendScaling,
    Weigh,
)


def told(action: Action) -> Iterator[str]:
    match action:
        case CopyArchive(copy):
            yield f"copy {copy.source} to {copy.target}: {copy.size} bytes, SHA-256 {copy.sha256}"
        case CreateModel(name):
            yield f"CreateModel {name}"
        case CreateEndpointConfig(name):
            yield f"CreateEndpointConfig {name}"
        case DeleteEndpoint(name):
            yield f"DeleteEndpoint {name}, which had failed"
        case CreateEndpoint(name, config):
            yield f"CreateEndpoint {name} with {config}"
        case UpdateEndpoint(name, config, before):
            yield f"UpdateEndpoint {name} from {before} to {config}"
        case Shift():
            yield f"a shift of {action.name} by {action.engine.value}: {action.why}"
            for move in action.moves:
                if not (isinstance(move, MakeConfig) and move.config in action.there):
                    yield f"  {told_move(move)}"
            for note in action.notes:
                yield f"  beware: {note}"
        case Settle(name):
            yield f"wait until what is under way at {name} has ended, and decide then"
        case Wait(name, config):
            yield f"wait until {name} serves {config}"
        case TakeBack(name, config):
            yield f"UpdateEndpoint {name} back to {config}"
        case HooksAround(moment):
            yield f"call the hooks of {moment}"
        case SmokeTest(name):
            count = action.samples.count
            yield f"ask {name} {count} sample{'s' if count != 1 else ''}" if count else f"no sample to ask {name}"


def told_move(move: Move) -> str:
    match move:
        case MakeConfig():
            variants = ", ".join(item["VariantName"] for item in move.request["ProductionVariants"])
            shadows = [item["VariantName"] for item in move.request.get("ShadowProductionVariants") or ()]
            shadowed = f" and {', '.join(shadows)} as its shadow" if shadows else ""
            return f"CreateEndpointConfig {move.config} with {variants}{shadowed}"
        case PointTo():
            by = f" by {next(iter(move.deployment))}" if move.deployment else ""
            return f"UpdateEndpoint to {move.serving.config}{by}"
        case Probe(variant):
            return f"ask {variant or 'the endpoint'} the samples"
        case Scale():
            return f"UpdateEndpointWeightsAndCapacities: {move.variant} to {move.count} instances"
        case Weigh():
            weights = ", ".join(f"{name} {weight:g}" for name, weight in move.weights.items())
            return f"UpdateEndpointWeightsAndCapacities: traffic {weights}"
        case CallHooks(moment, stage):
            return f"call the hooks of {moment}{f' {stage}' if moment == 'stage' else ''}"
        case SuspendScaling(variant):
            return f"RegisterScalableTarget: scaling of {variant} suspended"
        case RemoveScaling(variant):
            return f"DeregisterScalableTarget: {variant}"
        case RestoreScaling(scaling):
            hangs = len(scaling.policies) + len(scaling.scheduled)
            and_so = f", with {hangs} polic{'ies' if hangs != 1 else 'y'}" if hangs else ""
            return f"RegisterScalableTarget: {scaling.variant} from {scaling.minimum} to {scaling.maximum}{and_so}"
        case Mirror():
            shown = "all requests" if move.share >= 100 else f"{move.share:g} % of the requests"
            return f"look at the shadow, which is shown {shown}, for {said(move.seconds)}"
        case Bake():
            return f"look at {move.share:g} % of the traffic for {said(move.seconds)}"

"""Why a request is asked of no model, in the service's words where those are known; None where it is."""

from __future__ import annotations

from mlops.account.local.process.router.routing import Routing


def no_component(routing: Routing, name: str, endpoint: str) -> str | None:
    if routing.components is None:
        return (
            "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference "
            "components. Please remove the Inference Component Name header and try again."
        )
    if not name:
        return (
            "Inference Component Name header is required for endpoints to which you plan to deploy inference "
            "components. Please include Inference Component Name header or consider using SageMaker models."
        )
    found = routing.components.get(name)
    if found is None:
        return f"Inference Component {name} was not found for endpoint {endpoint}."
    if found.none:
        return (
            "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress "
            "(if configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
        )
    return None


def no_container(variant: str, hostnames: tuple[str, ...], wanted: str) -> str:
    if not hostnames:
        return (
            f"Target container hostname is not allowed: the containers of variant {variant} are not invoked directly."
        )
    there = f"variant {variant} has {', '.join(hostnames)}"
    if not wanted:
        return f"Target container hostname is required for direct invocation: {there}."
    return f"Target container hostname {wanted} was not found: {there}."

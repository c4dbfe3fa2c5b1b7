"""What of an endpoint Application Auto Scaling holds: SageMaker refuses to remove or retype such a variant, and lets go
of it with the endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops.account.local.refusal import invalid
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State

TARGET, POLICY, ACTION = "ScalableTarget", "ScalingPolicy", "ScheduledAction"


def need_free(
    state: State, endpoint: str, serving: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]
) -> None:
    """``serving`` and ``wanted`` are production variants, as configurations have them."""
    types = {str(variant["VariantName"]): variant.get("InstanceType") for variant in wanted}
    before = {str(variant["VariantName"]): variant.get("InstanceType") for variant in serving}
    held = sorted(
        name for name in _held(state, endpoint) if name in before and (name, before[name]) not in types.items()
    )
    if held:
        raise invalid(
            f"The variant(s) {', '.join(held)} must be deregistered as a scalable target with AWS Auto Scaling before "
            "they can be removed or have their instance type updated."
        )


def let_go(state: State, endpoint: str) -> None:
    """As DeleteEndpoint does."""
    for row in state.store.all("SELECT name FROM resource WHERE kind = ?", TARGET):
        if row["name"].startswith(f"endpoint/{endpoint}/variant/"):
            forget(state, row["name"])


def let_go_component(state: State, component: str) -> None:
    """As DeleteInferenceComponent does."""
    for row in state.store.all("SELECT name FROM resource WHERE kind = ?", TARGET):
        if row["name"].startswith(f"inference-component/{component} "):
            forget(state, row["name"])


def forget(state: State, target: str) -> None:
    """A target by its name, with what hangs on it."""
    with state.store.transaction() as connection:
        connection.execute("DELETE FROM resource WHERE kind = ? AND name = ?", (TARGET, target))
        for kind in (POLICY, ACTION):
            connection.execute(
                "DELETE FROM resource WHERE kind = ? AND substr(name, 1, ?) = ?", (kind, len(target) + 1, f"{target} ")
            )


def _held(state: State, endpoint: str) -> list[str]:
    found = []
    for row in state.store.all("SELECT * FROM resource WHERE kind = ?", TARGET):
        first, name, *rest = str(resources.body_of(row)["ResourceId"]).split("/")
        if (first, name) == ("endpoint", endpoint):
            found.append(rest[-1])
    return found

"""What domains of Studio, their users and their spaces have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.ir import Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__: list[str] = []

LAB, EDITOR = "JupyterLabAppSettings", "CodeEditorAppSettings"


def user_settings(
    lowering: Lowering | None,
    *,
    role: Text | None,
    security_groups: Sequence[Text] | None,
    idle: Count | None,
    repositories: Sequence[Text],
) -> dict[str, Value]:
    """UserSettings. With a ``lowering`` what is left out is the environment's."""
    told: dict[str, Value] = {}
    if role is not None or lowering is not None:
        told["ExecutionRole"] = lower(role) if role is not None or lowering is None else lowering.environment.role
    if security_groups is not None:
        told["SecurityGroups"] = lower(tuple(security_groups))
    elif lowering is not None and lowering.environment.security_groups:
        told["SecurityGroups"] = tuple(lowering.environment.security_groups)
    stops = idle_settings(idle)
    cloned = cloned_settings(repositories)
    if stops or cloned:
        told[LAB] = {**stops, **cloned}
    if stops:
        told[EDITOR] = stops
    return told


def idle_settings(idle: Count | None) -> dict[str, Value]:
    if idle is None:
        return {}
    return {
        "AppLifecycleManagement": {
            "IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": lower(idle)}
        }
    }


def cloned_settings(repositories: Sequence[Text]) -> dict[str, Value]:
    urls = tuple({"RepositoryUrl": lower(url)} for url in repositories)
    return {"CodeRepositories": urls} if urls else {}

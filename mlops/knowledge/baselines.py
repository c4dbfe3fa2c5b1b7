"""Where a check's previous baseline is: what is supplied, else what the latest approved version of a model package
group was registered with (developer guide: pipelines-quality-clarify-baseline-lifecycle). Running takes it from there,
and checking tells before where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from mlops.ir.members import get

_BOTH = ("Statistics", "Constraints")
REGISTERED: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "DATA_QUALITY": {part: ("ModelDataQuality", part) for part in _BOTH},
    "MODEL_QUALITY": {part: ("ModelQuality", part) for part in _BOTH},
    "DATA_BIAS": {"Constraints": ("Bias", "PreTrainingConstraints")},
    "MODEL_BIAS": {"Constraints": ("Bias", "PostTrainingConstraints")},
    "MODEL_EXPLAINABILITY": {"Constraints": ("Explainability", "Constraints")},
}
"""Where DriftCheckBaselines has what, by the type of the check."""

Latest: TypeAlias = Callable[[str], Mapping[str, Any] | None]
"""What is told of the newest approved version of a group; None without one. Raises :class:`NoGroup`."""


class NoGroup(Exception):
    """There is none of that name; the text says so."""


def is_needed(members: Mapping[str, Any]) -> bool:
    """Unless the check skips and registers, something is compared with the previous one or told of it."""
    return not (members.get("SkipCheck") is True and members.get("RegisterNewBaseline") is True)


def previous(check: str, members: Mapping[str, Any], latest: Latest) -> dict[str, str]:
    """URIs by part; what was supplied counts before what was registered. Raises :class:`NoGroup`."""
    wanted = REGISTERED[check]
    found = {part: str(uri) for part in wanted if (uri := members.get(f"SuppliedBaseline{part}"))}
    group = members.get("ModelPackageGroupName")
    if len(found) == len(wanted) or not group:
        return found
    version = latest(str(group))
    for part, place in wanted.items():
        uri = get(version, "DriftCheckBaselines", *place, "S3Uri") if version is not None else None
        if isinstance(uri, str):
            found.setdefault(part, uri)
    return found


def missing(check: str, members: Mapping[str, Any], latest: Latest) -> str | None:
    """What is said where the check would have nothing to compare with."""
    try:
        if "Constraints" in previous(check, members, latest):
            return None
    except NoGroup as none:
        return _without(str(none).rstrip("."))
    place, group = ".".join(REGISTERED[check]["Constraints"]), members.get("ModelPackageGroupName")
    if group:
        return _without(
            f"no version of {group} is approved, or the latest approved one has no DriftCheckBaselines.{place}"
        )
    return _without("there is neither SuppliedBaselineConstraints nor ModelPackageGroupName")


def _without(why: str) -> str:
    return (
        f"there is no previous baseline: {why}. A first execution sets SkipCheck and RegisterNewBaseline, and "
        "registers BaselineUsedForDriftCheckConstraints as DriftCheckBaselines"
    )

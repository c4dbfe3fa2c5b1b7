"""What a shadow variant answers beside production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mlops.deploy.endpoints import serving, shadowing
from mlops.deploy.endpoints.shadowing import Shadowed
from mlops.ir import UsageError
from mlops.use_cases.connecting import connect_here


def shadow(
    environment: str,
    endpoint: str,
    *,
    labels: Path | None = None,
    within: float = 0.0,
    threshold: float = 0.5,
) -> Shadowed:
    """``labels`` is a file of what was right, by inference id. Raises UsageError where no shadow has answered."""
    connected = connect_here(environment)
    here = connected.account.here
    if here is None:
        raise UsageError(
            "answers of a shadow are held against production's in the local account only",
            hint="with a DataCaptureConfig SageMaker keeps both variants' answers in its DestinationS3Uri",
        )
    serving.need(connected.account, endpoint)
    known = None
    if labels is not None:
        try:
            known = shadowing.labels_of(labels.read_text("utf-8"), str(labels))
        except UnicodeDecodeError:
            raise UsageError(f"{labels} is no text in UTF-8") from None
    pairs, unknown = here.shadow_pairs(endpoint)
    found = shadowing.judge(pairs, unknown, known, within=within, threshold=threshold)
    if found is None:
        raise UsageError(
            f"no shadow variant of {endpoint} has answered yet",
            hint="ShadowProductionVariants of its configuration name one; pairs are written each second",
        )
    return found


def as_dictionary(endpoint: str, found: Shadowed, most: int) -> Mapping[str, object]:
    """For programs, with so many of the requests that disagree."""
    return {
        "endpoint": endpoint,
        **asdict(found),
        "disagreements": len(found.disagreeing),
        "disagreeing": [pair._asdict() for pair in found.disagreeing[-most:]] if most else [],
    }

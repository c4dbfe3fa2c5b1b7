"""Reports that the version has to carry, by their place in its ModelMetrics, as ``ModelQuality.Statistics``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops.ir.choices import instead
from mlops.ir.gate import Asked, Gate, Judgement

KNOWN = (
    "ModelQuality.Statistics",
    "ModelQuality.Constraints",
    "ModelDataQuality.Statistics",
    "ModelDataQuality.Constraints",
    "Bias.Report",
    "Bias.PreTrainingReport",
    "Bias.PostTrainingReport",
    "Explainability.Report",
)


def read(raw: Any) -> Sequence[str]:
    if not isinstance(raw, list) or not raw:
        raise ValueError('give a list, for example ["ModelQuality.Statistics"]')
    for name in raw:
        if not isinstance(name, str):
            raise ValueError(f"{name!r} is no text; known: {', '.join(KNOWN)}")
        if name not in KNOWN:
            raise ValueError(f"there is no report {name!r}{instead(name, KNOWN)}")
    return raw


def judge(settings: Sequence[str], asked: Asked) -> Judgement:
    there = asked.details.get("ModelMetrics") or {}
    missing = [
        name
        for name in settings
        if not ((there.get(name.partition(".")[0]) or {}).get(name.partition(".")[2]) or {}).get("S3Uri")
    ]
    if missing:
        return Judgement(False, f"it lacks {', '.join(missing)}")
    return Judgement(True, f"it has {', '.join(settings)}")


GATE = Gate("reports", "reports that it has to carry", read, judge)

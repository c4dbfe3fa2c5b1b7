"""What a transform job is told by GET ``/execution-parameters`` (developer guide, your-algorithms-batch-code)."""

from __future__ import annotations

import json
import os

from mlops.run.serving.handlers import Answer

MOST = 6 * 1024 * 1024
"""Bytes of a body, where nothing else is said."""


def told(path: str, most: int) -> Answer | None:
    """None for another path. ``most`` is how many bytes a body may have."""
    if path != "/execution-parameters":
        return None
    parameters = {
        "MaxConcurrentTransforms": os.cpu_count(),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": most // 1024**2,
    }
    return Answer(json.dumps(parameters).encode(), "application/json")

"""What another AWS API, at an endpoint of one's own, answers otherwise than AWS: put right before anybody sees it."""

from __future__ import annotations

import ast
import json
from typing import Any


def put_right(client: Any) -> None:
    """``client`` is boto3's, of any service."""
    if client.meta.service_model.service_name == "sagemaker":
        client.meta.events.register("after-call.sagemaker.DescribePipeline", _definition)


def _definition(parsed: dict[str, Any], **_: Any) -> None:
    """moto 5.2 gives back a definition that it read from S3 as Python's spelling of the parsed object."""
    told = str(parsed.get("PipelineDefinition", ""))
    if not told.startswith("{'"):
        return
    try:
        parsed["PipelineDefinition"] = json.dumps(ast.literal_eval(told))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return

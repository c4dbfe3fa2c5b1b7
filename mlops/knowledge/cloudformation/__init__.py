"""What resources may have in a template: ``types.json`` has the provider schemas' date and source, and is written again
by ``docs/write_cloudformation.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _known() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(files(__name__).joinpath("types.json").read_text(encoding="utf-8"))
    return found


def schema(kind: str) -> Mapping[str, Any] | None:
    """A JSON schema with its ``definitions``, and ``attributes`` that only the service tells; None for types of others.

    >>> sorted(schema("AWS::SageMaker::Pipeline")["required"])
    ['PipelineDefinition', 'PipelineName', 'RoleArn']
    """
    found: Mapping[str, Any] | None = _known()["types"].get(kind)
    return found


def names(service: str) -> tuple[str, ...]:
    """All types of a service, also those whose schema is not kept here; empty for a service of others.

    >>> "AWS::IAM::Role" in names("AWS::IAM")
    True
    """
    return tuple(name for name in _known()["names"] if name.rpartition("::")[0] == service)

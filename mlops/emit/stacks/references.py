"""Which resources a value names: as it is declared, and as a template refers to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ir import Ref, Value
from mlops.ir.values import RefPath, expressions


def told_by(logical_id: str, kind: str, arn: bool) -> Mapping[str, Any]:
    """``AWS::SageMaker::Model`` tells its name as ModelName, and its ARN is what a Ref gives; with others that is the
    name."""
    if kind == "AWS::SageMaker::Domain" and not arn:
        # Users and spaces ask for its id.
        return {"Ref": logical_id}
    if kind.startswith("AWS::SageMaker::"):
        return {"Ref": logical_id} if arn else {"Fn::GetAtt": [logical_id, f"{kind.rpartition(':')[2]}Name"]}
    return {"Fn::GetAtt": [logical_id, "Arn"]} if arn else {"Ref": logical_id}


def paths(value: Value) -> Iterator[RefPath]:
    """What the references in a declared value name."""
    for _, expression in expressions(value):
        path = expression.path if isinstance(expression, Ref) else None
        if path is not None:
            yield path


def referred(value: Any) -> Iterator[str]:
    """The resources that a value of a template refers to."""
    match value:
        case {"Ref": str(id_)} | {"Fn::GetAtt": [str(id_), *_]}:
            yield id_
        case Mapping():
            for inner in value.values():
                yield from referred(inner)
        case list() | tuple():
            for inner in value:
                yield from referred(inner)

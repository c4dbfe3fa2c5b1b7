"""An AWS provider that has nothing but its schema: Terraform's core validates and plans against it. It is a program
of its own, by the Python of the judge ``terraform``, and Terraform is told where it listens."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tf.gen import tfplugin_pb2
from tf.iface import DataSource, Provider, Resource
from tf.runner import run_provider
from tf.schema import Attribute, Block, NestedBlock, NestMode, Schema

from mlops.knowledge.terraform import schema as schema_of
from tests.emit.terraform_check import TYPES

ANSWERS = {
    "aws_caller_identity": {"account_id": "111122223333"},
    "aws_partition": {"partition": "aws"},
    "aws_region": {"region": "us-east-1"},
}
_NESTING = tfplugin_pb2.Schema.NestedBlock.NestingMode


class AsItIs:
    """A type whose values are passed on."""

    def __init__(self, written: str) -> None:
        inside = re.fullmatch(r"(\w+)\((\w+)\)", written)
        self.written = json.dumps(list(inside.groups()) if inside else written).encode()

    def tf_type(self) -> bytes:
        return self.written

    def encode(self, value: Any) -> Any:
        return value

    decode = encode

    def semantically_equal(self, one: Any, other: Any) -> bool:
        return bool(one == other)


class Nested(NestedBlock):
    def __init__(self, name: str, told: Mapping[str, Any]) -> None:
        super().__init__(name, NestMode.Set, Block(*parts(told)), told.get("min"), told.get("max"))
        self.nesting = told["nesting"].upper()

    def to_pb(self) -> Any:
        found = tfplugin_pb2.Schema.NestedBlock(
            type_name=self.type_name,
            block=self.block.to_pb(),
            min_items=self.min_items or 0,
            max_items=self.max_items or 0,
            nesting=_NESTING.Value(self.nesting),
        )
        return found

    def encode(self, value: Any) -> Any:
        return value

    decode = encode

    def semantically_equal(self, one: Any, other: Any) -> bool:
        return bool(one == other)


def parts(told: Mapping[str, Any]) -> tuple[list[Attribute], list[NestedBlock]]:
    return (
        [attribute(name, kind) for name, kind in told["attributes"].items()],
        [Nested(name, inside) for name, inside in told.get("blocks", {}).items()],
    )


def attribute(name: str, kind: str) -> Attribute:
    """What is optional may be told by the provider, too: whether it is, is not known here."""
    required, told = kind.endswith("!"), kind.endswith("=")
    return Attribute(
        name,
        AsItIs(kind.rstrip("!=")),  # type: ignore[arg-type] - a Protocol of its own making
        required=required,
        optional=not (required or told),
        computed=not required,
    )


def schema(told: Mapping[str, Any]) -> Schema:
    return Schema(*parts(told)[:1], block_types=parts(told)[1])


def resource(name: str) -> type[Resource]:
    class OfSchema(Resource):
        def __init__(self, provider: Provider) -> None: ...

        @classmethod
        def get_name(cls) -> str:
            return name.removeprefix("aws_")

        @classmethod
        def get_schema(cls) -> Schema:
            return schema(schema_of(name))

        def create(self, *_: Any) -> None:
            raise NotImplementedError("it only plans")

        read = update = delete = create

    return OfSchema


def data_source(name: str) -> type[DataSource]:
    class OfSchema(DataSource):
        def __init__(self, provider: Provider) -> None: ...

        @classmethod
        def get_name(cls) -> str:
            return name.removeprefix("aws_")

        @classmethod
        def get_schema(cls) -> Schema:
            return schema(TYPES["data"][name])

        def read(self, context: Any, config: Mapping[str, Any]) -> Any:
            return {**config, **ANSWERS[name]}

    return OfSchema


class Aws(Provider):
    def get_model_prefix(self) -> str:
        return "aws_"

    def full_name(self) -> str:
        return "registry.terraform.io/hashicorp/aws"

    def get_provider_schema(self, _: Any) -> Schema:
        return Schema([Attribute("region", AsItIs("string"), optional=True)])  # type: ignore[arg-type]

    def validate_config(self, *_: Any) -> None: ...

    configure_provider = validate_config

    def get_resources(self) -> list[type[Resource]]:
        return [resource(name) for name in TYPES["resources"]]

    def get_data_sources(self) -> list[type[DataSource]]:
        return [data_source(name) for name in TYPES["data"]]


if __name__ == "__main__":
    run_provider(Aws())

"""The bucket that a file of the official SDK looked up in its environment, as ``environment.bucket`` and not by name:
the program serves each environment as the file did."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from mlops.ir import Block, Definition, Join, JsonGet, Ref, Step, Value
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Fact(Ref):
    """``environment.<expression>`` of a program; no document has one."""


BUCKET = Fact("bucket")


def with_facts(definition: Definition, bucket: str, apart: Collection[str]) -> Definition:
    """Texts that name a place in ``bucket``, put together of it. Those that hold one of ``apart`` stay."""
    texts = _Texts(bucket, apart)
    return replace(
        definition,
        parameters=tuple(
            replace(parameter, members={key: texts.of(item) for key, item in parameter.members.items()})
            if isinstance(parameter.members.get("DefaultValue"), str) and "EnumValues" not in parameter.members
            else parameter
            for parameter in definition.parameters
        ),
        steps=tuple(_step(step, texts) for step in definition.steps),
    )


def _step(step: Step, texts: _Texts) -> Step:
    return replace(
        step,
        arguments=texts.of(step.arguments),
        members={key: texts.of(item) for key, item in step.members.items()},
        blocks=tuple(Block(block.member, tuple(_step(inner, texts) for inner in block.steps)) for block in step.blocks),
    )


class _Texts:
    def __init__(self, bucket: str, apart: Collection[str]) -> None:
        self._bucket, self._apart = bucket, apart
        self._place = re.compile(rf"s3://{re.escape(bucket)}(?![a-z0-9.\-])")

    def of(self, value: Value) -> Value:
        match value:
            case str():
                return self._text(value)
            case Join():
                return Join(value.on, self._parts(value.values))
            case JsonGet():
                return replace(value, s3_uri=self.of(value.s3_uri))
            case Mapping():
                return {key: self.of(item) for key, item in value.items()}
            case tuple():
                return tuple(self.of(item) for item in value)
        return value

    def _parts(self, parts: tuple[Value, ...]) -> tuple[Value, ...]:
        """A bucket's name that follows the scheme; not where all is text, which as a program would be one."""
        found = tuple(self.of(part) for part in parts)
        if len(parts) > 1 and isinstance(parts[0], str) and parts[0].startswith("s3:") and parts[1] == self._bucket:
            found = (found[0], BUCKET, *found[2:])
        return found if any(isinstance(part, Ref | Join | JsonGet) for part in parts) else parts

    def _text(self, text: str) -> Value:
        if any(item in text for item in self._apart):
            return text
        parts: list[Value] = []
        end = 0
        for place in self._place.finditer(text):
            parts += [f"{text[end : place.start()]}s3://", BUCKET]
            end = place.end()
        if not parts:
            return text
        return Join("", (*parts, text[end:]) if text[end:] else tuple(parts))

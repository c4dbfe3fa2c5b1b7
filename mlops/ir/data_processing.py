"""What DataProcessing of a Transform step wants of the rest of the request: checking and running judge by the same.

By the guide's page batch-transform-data-processing: records are CSV, JSON or JSON lines, on both sides, and are split
and put together by the same delimiter; a row of CSV is a list, so a filter names its cells by number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from mlops.ir.dataclass import dataclass
from mlops.ir.record_filter import NoFilter, by_name, parse

CSV = "text/csv"
JSON, JSON_LINES = "application/json", "application/jsonlines"
FILTERS = ("InputFilter", "OutputFilter")
_TYPES = (CSV, JSON, JSON_LINES)
Kind = Literal["filter", "content", "unsaid", "answer", "delimiter", "split"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a CreateTransformJob request says, each None where it is not said. Of the members in ``unknown`` nothing is
    judged: only the execution decides them."""

    filters: Mapping[str, str | None]
    join: str | None = None
    content: str | None = None
    accept: str | None = None
    split: str | None = None
    assemble: str | None = None
    unknown: frozenset[str] = frozenset()

    @property
    def joins(self) -> bool:
        return self.join == "Input"

    @property
    def is_active(self) -> bool:
        return self.joins or any(text not in (None, "$") for text in self.filters.values())


@dataclass(frozen=True, slots=True)
class Breach:
    """``member`` is the place in the request; ``kind`` tells those apart who say some of them in other words."""

    member: tuple[str, ...]
    kind: Kind
    message: str


def breaches(asked: Asked) -> Iterator[Breach]:
    """
    >>> [breach.message for breach in breaches(Asked({"InputFilter": "$.id"}, content="text/csv", split="Line",
    ...     assemble="Line"))]
    ["'$.id' names 'id', and a row of CSV has cells by number only, such as $[0] or $[1:]"]
    """
    if not asked.is_active:
        return
    content = _plain(asked.content)
    for name, text in asked.filters.items():
        if text is None or name in asked.unknown:
            continue
        try:
            named = by_name(parse(text))
        except NoFilter as fault:
            yield Breach(("DataProcessing", name), "filter", str(fault))
            continue
        if named is not None and content == CSV:
            message = f"{text!r} names {named!r}, and a row of CSV has cells by number only, such as $[0] or $[1:]"
            yield Breach(("DataProcessing", name), "filter", message)
    place = ("TransformInput", "ContentType")
    if content is not None and content not in _TYPES:
        yield Breach(place, "content", f"records of {content} cannot be filtered or joined; {_listed()} can")
    elif content is None and "ContentType" not in asked.unknown:
        yield Breach(
            place, "unsaid", f"records are filtered or joined only where it is said what they are: {_listed()}"
        )
    accept = _plain(asked.accept)
    if accept is not None and content is not None and accept != content:
        yield Breach(("TransformOutput", "Accept"), "answer", f"records of {content}, and answers of {accept}")
    if asked.unknown & {"SplitType", "AssembleWith"}:
        return
    split, assemble = asked.split or "None", asked.assemble or "None"
    if split != assemble:
        message = f"records are split by {split} and put together by {assemble}"
        yield Breach(("TransformOutput", "AssembleWith"), "delimiter", message)
    if split != "Line" and content in (CSV, JSON_LINES):
        yield Breach(
            ("TransformInput", "SplitType"), "split", f"rows of {content} are filtered, and nothing splits them"
        )


def _plain(content: str | None) -> str | None:
    return content.partition(";")[0].strip().lower() if content is not None else None


def _listed() -> str:
    return f"{CSV}, {JSON} or {JSON_LINES}"

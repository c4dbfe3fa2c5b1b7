"""A page for people before it has a form: cards, datasheets, release notes and reports. It holds texts, and
pictures that emit drew, and no other markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What is not there and should be, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with what they are, one below the other."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """``numeric`` are the columns that hold numbers, from 0."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Heading:
    """Of a part of a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program printed, or is to be typed: line for line."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """``svg`` is of our own drawing, and stands on the page as it is; ``said`` tells it in words."""

    svg: str
    said: str


Block: TypeAlias = Paragraph | Gap | Facts | Table | Heading | Printed | Picture


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Sheet:
    """``under`` stands below the title, ``badges`` are a word or two each."""

    title: str
    under: str
    sections: Sequence[Section]
    badges: Sequence[str] = ()

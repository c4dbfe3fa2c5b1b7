"""Write ``sdk_words.md`` from ``sdk/arguments.json``, which the official SDK's constructors take, and from our answers;
``--check`` fails where it is stale."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.declare.sdk_words import NOTHING, Family, families

DOCS = Path(__file__).resolve().parent
PAGE = DOCS / "sdk_words.md"
VERSIONS = ("2", "3")
_OURS = re.compile(r"`(?:([\w.]+)\()?(\w+)=\)?`")

HEAD = """\
# SDK word → our word

Each argument of each constructor that an author of pipelines writes with the official SDK, of version 2 (2.257) and 3,
and what says it here. Where it is no argument of ours it says why: it is not needed, or it is refused. `mlops check`
tells the same of a pipeline that is written here with a word of the SDK's. A pipeline of the SDK need not be rewritten
at all: see [Coming from the official SDK](migration.md). Made by `docs/write_sdk_words.py`; that these are the
arguments which the SDK takes is asked of both versions (`tests/oracle/test_sdk_arguments.py`).
"""


@dataclass(frozen=True, slots=True)
class Row:
    """``answer`` is empty where there is none."""

    argument: str
    classes: Sequence[str]
    versions: Sequence[str]
    answer: str


def arguments() -> Mapping[str, Mapping[str, Sequence[str]]]:
    """By version and class."""
    found: Mapping[str, Mapping[str, Sequence[str]]] = json.loads((DOCS / "sdk" / "arguments.json").read_text("utf-8"))
    return found


def rows(family: Family) -> Iterator[Row]:
    met: dict[str, tuple[list[str], list[str]]] = {}
    for version, taken in arguments().items():
        for cls in family.classes:
            for name in taken.get(cls, ()):
                classes, versions = met.setdefault(name, ([], []))
                classes += [cls] if cls not in classes else []
                versions += [version] if version not in versions else []
    for name, (classes, versions) in met.items():
        yield Row(name, sorted(classes, key=family.classes.index), versions, family.words.get(name, ""))


def ours(family: Family, answer: str) -> list[tuple[str, str]]:
    """Which arguments of which of our constructors an answer names.

    >>> ours(Family("", (), ("Training",), {}), "`Network(subnets=)`, or `spot=`")
    [('Network', 'subnets'), ('Training', 'spot')]
    """
    named = [] if answer.startswith(NOTHING) else _OURS.findall(answer)
    return [(given, name) if given else ("|".join(family.here), name) for given, name in named]


def page() -> str:
    lines = [HEAD]
    for family in families():
        lines += [f"## {family.title}", "", _lead(family), "", "| SDK | of | in | here |", "|---|---|---|---|"]
        lines += [_row(row, family) for row in rows(family)]
        lines.append("")
    return "\n".join(lines)


def _lead(family: Family) -> str:
    there = ", ".join(f"`{name}`" for name in family.classes)
    here = " and ".join(f"`{name}`" for name in family.here)
    return f"{there}: here {here}." if here else f"{there}: here nothing is made of that kind."


def _row(row: Row, family: Family) -> str:
    of = "all" if len(row.classes) == len(family.classes) > 1 else ", ".join(f"`{name}`" for name in row.classes)
    versions = " and ".join(row.versions)
    return f"| `{row.argument}` | {of} | {versions} | {row.answer.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    from generated import written

    sys.exit(written(PAGE, page(), "write_sdk_words.py"))

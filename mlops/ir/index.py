"""What an index is: the alias that is written, and the field of each member of its documents.

Whoever writes documents, makes a template of them or draws a board over them knows them from here. A member that has no
field is in no index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from mlops.ir.dataclass import dataclass

Kind: TypeAlias = Literal["date", "keyword", "text", "long", "double", "geo_point"]
"""``text`` is a sentence: found by its words, and counted whole below ``.keyword`` where it is short."""

TIME = "@timestamp"


@dataclass(frozen=True, slots=True)
class Index:
    """``name`` is the alias that is read and written; the indices behind it are numbered. ``holds`` says what is in it,
    in the plural. ``fields`` are by the paths under which they are searched; those ``inside`` of a table may be named
    without it. ``order`` is the field by which those of one time stand behind each other."""

    name: str
    holds: str
    fields: Mapping[str, Kind]
    inside: tuple[str, ...] = ()
    order: str = "sequence"

    def countable(self, path: str) -> str:
        """The field that buckets are made of.

        >>> index = Index("a", "events", {"said": "text", "kind": "keyword"})
        >>> index.countable("said"), index.countable("kind")
        ('said.keyword', 'kind')
        """
        return f"{path}.keyword" if self.fields[path] == "text" else path

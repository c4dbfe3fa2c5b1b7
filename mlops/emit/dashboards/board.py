"""What a board is, and what it is made of: names that a file declares."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Panel
from mlops.ir.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A saved search: events themselves, with these columns."""

    title: str
    query: str
    columns: tuple[str, ...]
    width: int = 48
    height: int = 14


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares, by names: what is shown is of these. ``title`` names the boards."""

    title: str
    pipelines: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def of(self, field: str, names: tuple[str, ...]) -> str:
        """
        >>> Declared("churn").of("ids.pipeline", ("churn", "a b"))
        'ids.pipeline:("a b" OR "churn")'
        """
        quoted = " OR ".join(f'"{_escaped(name)}"' for name in sorted(names))
        return f"{field}:({quoted})"

    @property
    def own_pipelines(self) -> str:
        return self.of("ids.pipeline", self.pipelines)

    @property
    def own_endpoints(self) -> str:
        return self.of("ids.endpoint", self.endpoints)


@dataclass(frozen=True, slots=True)
class Board:
    """``panels`` in the order in which they are read."""

    title: str
    description: str
    panels: tuple[Panel | Table, ...]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')

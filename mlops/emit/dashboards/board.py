"""What a board is, and what it is made of: names that a file declares."""

from __future__ import annotations

from dataclasses import field

from mlops.emit.dashboards.panel import Panel
from mlops.ir.captured_fields import Features
from mlops.ir.dataclass import dataclass
from mlops.ir.event_fields import EVENTS
from mlops.ir.index import Index
from mlops.ir.log_fields import Source


@dataclass(frozen=True, slots=True)
class Table:
    """A saved search: documents themselves, with these columns."""

    title: str
    query: str
    columns: tuple[str, ...]
    width: int = 48
    height: int = 14
    index: Index = EVENTS


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares, by names: what is shown is of these. ``title`` names the boards. ``logs`` says whose lines
    an environment puts beside its events, ``captured`` which features of requests."""

    title: str
    pipelines: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    logs: tuple[Source, ...] = ()
    captured: Features = field(default_factory=dict)

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

    @property
    def step_lines(self) -> bool:
        return bool(self.pipelines) and "steps" in self.logs

    @property
    def endpoint_lines(self) -> bool:
        return bool(self.endpoints) and "endpoints" in self.logs

    @property
    def own_lines(self) -> str | None:
        """None where none are put."""
        of = [self.own_pipelines] * self.step_lines + [self.own_endpoints] * self.endpoint_lines
        return f"({' OR '.join(of)})" if of else None


@dataclass(frozen=True, slots=True)
class Board:
    """``panels`` in the order in which they are read."""

    title: str
    description: str
    panels: tuple[Panel | Table, ...]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')

"""What happened at an endpoint of the local account: its requests, and what it was, over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops.account.local import LocalAccount
from mlops.account.local.process.router import records
from mlops.project.environments import read_project


@dataclass(frozen=True, slots=True)
class Asked:
    """``at`` is when the request came, ``seconds`` until its answer went out."""

    at: float
    seconds: float
    variant: str
    good: bool


@dataclass(frozen=True, slots=True)
class State:
    """Of the endpoint, from ``at`` on. ``weights`` are those that hold, in percent."""

    at: float
    status: str
    weights: dict[str, float]


@dataclass(frozen=True, slots=True)
class Stage:
    """While the split was asked for and held."""

    start: float
    end: float
    share: float


@dataclass(frozen=True, slots=True)
class Timeline:
    asked: Sequence[Asked]
    states: Sequence[State]

    @property
    def old(self) -> str:
        """The variant that had all traffic first."""
        return _first(self.states[0])

    @property
    def new(self) -> str:
        """The one that joined it."""
        return next((name for state in self.states for name in state.weights if name != self.old), "")

    def stages(self, new: str) -> Iterator[Stage]:
        """Those in which ``new`` has traffic beside another variant, or all of it."""
        for state, following in zip(self.states, self.states[1:], strict=False):
            share = state.weights.get(new, 0.0)
            if state.status == "in service" and share and len(state.weights) > 1:
                yield Stage(state.at, following.at, share / 100)

    def within(self, stage: Stage) -> list[Asked]:
        return [item for item in self.asked if stage.start <= item.at < stage.end]


def _first(state: State) -> str:
    return max(state.weights, key=lambda name: state.weights[name])


def read(project: Path, endpoint: str, start: float, end: float) -> Timeline:
    """From ``start`` to ``end``, in seconds since 1970."""
    environment = read_project(project).environment("local")
    account = LocalAccount(environment.state or project, environment.region)
    folder = account.state.endpoint_folder(endpoint) / records.FOLDER
    asked = []
    for record in records.between(folder, start, end + 5):
        seconds = (record.model_microseconds + record.overhead_microseconds) / 1e6
        asked.append(Asked(record.time - seconds, seconds, record.variant, record.status == 200))
    states, weights = [], dict[str, float]()
    for event in account.events.read(ids={"endpoint": endpoint}, limit=10_000):
        if not event.kind.startswith("endpoint."):
            continue
        status = event.kind.removeprefix("endpoint.").replace("-", " ")
        given = event.detail.get("weights")
        if status == "in service" and isinstance(given, dict):
            total = sum(given.values())
            weights = {name: 100 * weight / total for name, weight in given.items()}
        states.append(State(event.time.timestamp(), status, weights))
    before = [state for state in states if state.at < start][-1:]
    return Timeline(sorted(asked, key=lambda item: item.at), [*before, *(s for s in states if start <= s.at <= end)])

"""Declared monitors: what there is, run by hand, and what their runs found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mlops.account import answers
from mlops.deploy.monitors import running, windows
from mlops.deploy.monitors.running import Monitor as Monitor
from mlops.deploy.monitors.running import Run as Run
from mlops.ir import Listener
from mlops.ir.dataclass import dataclass
from mlops.use_cases.approval import Consent, need_consent
from mlops.use_cases.connecting import Where, connect_here
from mlops.use_cases.moments import moment
from mlops.use_cases.news import Said

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shown:
    """``runs`` are the newest, the newest first."""

    monitor: Monitor
    runs: Sequence[Run]


def run(
    environment: str,
    name: str,
    since: str | None,
    until: str | None,
    consent: Consent,
    listener: Listener,
    *,
    once: bool = False,
) -> Run:
    """Times are ISO 8601, in UTC where they say no other. ``once``: of one window there is one job, which whoever asks
    again follows. Raises UsageError and Refusal."""
    begin, end = moment(since, "--since"), moment(until, "--until")
    connected = connect_here(environment)
    with answers():
        monitor = running.find(connected.account, name)
        window = windows.given(begin, end, monitor.window, datetime.now(UTC))
        need_consent(connected, f"run the monitor {name}, which starts a job", consent)
        return running.run(
            connected.account,
            connected.environment,
            monitor,
            window,
            say=lambda text: listener(Said(text=text)),
            once=once,
        )


def listed(environment: Where) -> list[Monitor]:
    with answers():
        return running.listed(connect_here(environment).account)


def show(environment: Where, name: str, most: int) -> Shown:
    connected = connect_here(environment)
    with answers():
        monitor = running.find(connected.account, name)
        places = running.runs(connected.account, connected.environment, monitor)
        found = []
        for place in places[::-1][:most]:
            try:
                found.append(running.read(connected.account, place))
            except running.NothingLeft:
                continue  # it is under way, or was cut off
        return Shown(monitor, found)


def course(environment: Where, runs: Sequence[Run], beginning: Sequence[str]) -> Mapping[str, tuple[Point, ...]]:
    """What the runs measured whose names begin so, over time: seconds since 1970 at which a window ended, and the last
    value."""
    account = connect_here(environment).account
    found: dict[str, list[Point]] = {}
    for item in reversed(runs):
        at = datetime.fromisoformat(item.until).timestamp()
        with answers():
            measured = running.measured(account, item.place)
        for name, value in measured.items():
            if name.startswith(tuple(beginning)):
                found.setdefault(name, []).append((at, value))
    return {name: tuple(points) for name, points in sorted(found.items())}


def as_dictionary(found: Run | Monitor | Shown) -> dict[str, Any]:
    match found:
        case Monitor():
            return {
                "name": found.name,
                "endpoint": found.endpoint,
                "window": found.window,
                "scheduled": found.scheduled,
                "schedule": found.told.get("schedule"),
                "kinds": list(found.kinds),
            }
        case Shown():
            told: Mapping[str, Any] = found.monitor.told
            return {
                **as_dictionary(found.monitor),
                "declared": told,
                "runs": [as_dictionary(item) for item in found.runs],
            }
    return asdict(found)

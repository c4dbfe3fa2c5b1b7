"""The state machine of an endpoint: ``(state, happening, now) -> (state, effects)``. Knows no clock, process, store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops.account.local.process.serving.happenings import (
    Asked,
    Close,
    Discard,
    Drain,
    Drained,
    Effect,
    Ended,
    Exit,
    Fleet,
    Happening,
    Kill,
    Launch,
    Launched,
    Read,
    ReadConfig,
    Ready,
    Route,
    Routed,
    Rules,
    Server,
    ServerId,
    State,
    Stop,
    Tell,
    Tick,
    Unreachable,
    Unreadable,
    Variant,
    WriteFailed,
    WriteKept,
    WriteServing,
    WriteUpdated,
)

_LEAVING = ("draining", "stopping")


def advance(state: State, happening: Happening, now: float, rules: Rules) -> tuple[State, tuple[Effect, ...]]:
    step = _Step(state, now, rules)
    match happening:
        case Asked():
            step.asked(happening)
        case Read():
            step.read(happening)
        case Unreadable():
            if state.coming is not None and state.coming.number == happening.fleet:
                step.give_up(happening.reason)
        case Launched():
            step.launched(happening)
        case Ready():
            step.ready(happening)
        case Ended():
            step.ended(happening)
        case Unreachable():
            step.unreachable(happening.server)
        case Drained():
            step.drained(happening.server)
        case Tick():
            step.tick()
    step.settle()
    return step.state(), tuple(step.effects)


def next_due(state: State) -> float | None:
    """When a :class:`Tick` has something to do."""
    return min((server.due for server in state.servers.values() if server.due is not None), default=None)


def servers_of(variant: Variant, count: int, rules: Rules) -> int:
    """
    >>> servers_of(Variant("A", 1.0, 3, workers=1), 3, Rules(servers=4))
    3
    >>> servers_of(Variant("A", 1.0, 3, workers=2), 3, Rules(servers=4))
    4
    """
    return max(1, min(count * variant.workers, rules.servers))


class _Step:
    """One transition while it is worked out."""

    def __init__(self, state: State, now: float, rules: Rules) -> None:
        self._now, self._rules = now, rules
        self._serving, self._coming, self._fleets = state.serving, state.coming, state.fleets
        self._servers = dict(state.servers)
        self._weights, self._counts = state.weights, state.counts
        self._answers_update, self._closing = state.answers_update, state.closing
        self._heard, self._failure = state.heard, state.failure
        self.effects: list[Effect] = []

    def state(self) -> State:
        return State(
            self._serving,
            self._coming,
            self._servers,
            self._weights,
            self._counts,
            self._fleets,
            self._answers_update,
            self._heard,
            self._closing,
            self._failure,
        )

    # What happens.

    def asked(self, asked: Asked) -> None:
        if asked.status == "Deleting":
            self._close()
        elif self._closing or asked.at == self._heard:
            return
        elif asked.config is not None:
            if self._coming is None:
                self._heard = asked.at
                self._fleets += 1
                self._coming = Fleet(self._fleets, asked.config)
                self.effects.append(ReadConfig(self._fleets, asked.config))
        elif asked.status == "Updating" and self._serving is not None and self._coming is None:
            self._heard = asked.at
            self._weights, self._counts = dict(asked.weights), {**self._counts, **asked.counts}
            self._answers_update = True
            self._scale(self._serving)
            self._route()

    def read(self, read: Read) -> None:
        if self._coming is None or self._coming.number != read.fleet:
            return
        initial = {variant.name: variant.weight for variant in read.variants if not variant.shadow}
        weights = {name: read.weights.get(name, weight) for name, weight in initial.items()}
        variants = tuple(
            replace(
                variant,
                weight=weights.get(variant.name, variant.weight),
                count=read.counts.get(variant.name, variant.count),
            )
            for variant in read.variants
        )
        if not any(weights.values()):
            variants = tuple(replace(variant, weight=initial.get(variant.name, variant.weight)) for variant in variants)
        self._coming = replace(self._coming, variants=variants)
        for variant in variants:
            for number in range(servers_of(variant, variant.count, self._rules)):
                self._launch(ServerId(read.fleet, variant.name, number))

    def launched(self, launched: Launched) -> None:
        server = self._current(launched.server, launched.attempt)
        if server is None:
            return
        if server.phase == "stopping":
            self.effects.append(Stop(server.id))
            self._put(replace(server, due=self._now + self._rules.stop_seconds))
        elif server.phase == "launching":
            seconds = self._variant(server.id).startup_seconds
            self._put(replace(server, phase="starting", due=self._now + seconds))

    def ready(self, ready: Ready) -> None:
        server = self._current(ready.server, ready.attempt)
        if server is None or server.phase != "starting":
            return
        self._put(replace(server, phase="ready", due=None, failed=None))
        if self._is_serving(server.id):
            self._route()
            kind = "variant.revived" if server.attempt > 1 else "variant.scaled-out"
            self.effects.append(Tell(kind, self._config(server.id), server.id.variant))

    def ended(self, ended: Ended) -> None:
        server = self._current(ended.server, ended.attempt)
        if server is None or server.phase == "down":
            return
        if server.phase in _LEAVING or self._closing:
            self._drop(server)
        elif self._coming is not None and server.id.fleet == self._coming.number:
            self._drop(server)
            self.give_up(ended.reason)
        else:
            # The first revival is at once; one that dies again and again is not revived in a rush.
            failed = None if server.phase == "ready" else server.killed_for or ended.reason
            due = max(self._now, server.launched + self._rules.revival_seconds)
            self._put(replace(server, phase="down", due=due, failed=failed))
            self._route()
            self.effects.append(Tell("variant.ended", self._config(server.id), server.id.variant))
            self.tick()

    def unreachable(self, id_: ServerId) -> None:
        server = self._servers.get(id_)
        if server is not None and server.phase == "ready":
            self.effects.append(Kill(id_))

    def drained(self, id_: ServerId) -> None:
        server = self._servers.get(id_)
        if server is not None and server.phase == "draining":
            self._stop(server)

    def tick(self) -> None:
        for server in list(self._servers.values()):
            if server.due is None or server.due > self._now:
                continue
            match server.phase:
                case "starting":
                    self._too_late(server)
                case "down":
                    self._launch(server.id, server)
                case "draining":
                    self._stop(server)
                case "stopping":
                    self.effects.append(Kill(server.id))
                    self._put(replace(server, due=self._now + self._rules.stop_seconds))
                case _:
                    self._put(replace(server, due=None))

    def give_up(self, reason: str) -> None:
        """What is coming does not come."""
        coming, self._coming = self._coming, None
        if coming is None:
            return
        for server in [item for item in self._servers.values() if item.id.fleet == coming.number]:
            self._stop(server)
        if self._serving is None:
            self._closing, self._failure = True, reason
            self.effects.append(Close())
        else:
            self.effects.append(WriteKept(coming.config, reason))

    def settle(self) -> None:
        """What follows when all of something is so."""
        coming, serving = self._coming, self._serving
        if coming is not None and coming.variants and self._all_ready(coming.number):
            self._switch(coming)
        elif self._answers_update and serving is not None and self._steady(serving.number):
            self._answers_update = False
            self.effects.append(WriteUpdated(self._weights))
        if self._closing and not self._servers:
            self.effects += [WriteFailed(self._failure)] if self._failure is not None else []
            self.effects.append(Exit())

    # How it is done.

    def _switch(self, coming: Fleet) -> None:
        before, self._serving, self._coming = self._serving, coming, None
        production = [variant for variant in coming.variants if not variant.shadow]
        self._weights = {variant.name: variant.weight for variant in production}
        self._counts = {variant.name: variant.count for variant in production}
        self._answers_update = False
        self._route()
        self.effects.append(WriteServing(coming, self._weights, self._counts))
        if before is not None:
            for server in [item for item in self._servers.values() if item.id.fleet == before.number]:
                self._retire(server)

    def _scale(self, fleet: Fleet) -> None:
        """Only as many as are missing or too many: the others go on. A number is never used again, since the processes
        of the one that had it may still be there."""
        for variant in fleet.variants:
            wanted = servers_of(variant, self._counts.get(variant.name, variant.count), self._rules)
            mine = self._of(fleet, variant)
            staying = [server for server in mine if server.phase not in _LEAVING]
            for server in staying[wanted:]:
                self._retire(server)
            first = max((server.id.number for server in mine), default=-1) + 1
            for number in range(first, first + wanted - len(staying)):
                self._launch(ServerId(fleet.number, variant.name, number))

    def _of(self, fleet: Fleet, variant: Variant) -> list[Server]:
        wanted = (fleet.number, variant.name)
        return sorted(
            (server for server in self._servers.values() if (server.id.fleet, server.id.variant) == wanted),
            key=lambda server: server.id.number,
        )

    def _launch(self, id_: ServerId, before: Server | None = None) -> None:
        attempt = before.attempt + 1 if before is not None else 1
        self._put(Server(id_, "launching", attempt, self._now, failed=before.failed if before is not None else None))
        self.effects.append(Launch(id_, attempt))

    def _retire(self, server: Server) -> None:
        """Requests that are inside are answered first."""
        if server.phase == "ready":
            self._put(replace(server, phase="draining", due=self._now + self._rules.drain_seconds))
            self.effects.append(Drain(server.id))
        elif server.phase not in _LEAVING:
            self._stop(server)

    def _stop(self, server: Server) -> None:
        match server.phase:
            case "down":
                self._drop(server)
            case "stopping":
                pass
            case "launching":
                # It is stopped when there is something to stop.
                self._put(replace(server, phase="stopping", due=None))
            case _:
                self._put(replace(server, phase="stopping", due=self._now + self._rules.stop_seconds))
                self.effects.append(Stop(server.id))

    def _drop(self, server: Server) -> None:
        del self._servers[server.id]
        self.effects.append(Discard(server.id))

    def _too_late(self, server: Server) -> None:
        seconds = self._variant(server.id).startup_seconds
        reason = f"the model server did not answer /ping within {seconds:g} seconds"
        if self._is_serving(server.id):
            self._put(replace(server, due=None, killed_for=reason))
            self.effects.append(Kill(server.id))
        else:
            self.give_up(reason)

    def _close(self) -> None:
        if self._closing:
            return
        self._closing, self._coming = True, None
        self.effects.append(Close())
        for server in list(self._servers.values()):
            self._stop(server)

    def _route(self) -> None:
        if self._serving is None or self._closing:
            return
        routed = []
        for variant in self._serving.variants:
            mine = self._of(self._serving, variant)
            down = next((server.failed for server in mine if server.failed is not None), None)
            routed.append(
                Routed(
                    variant.name,
                    tuple(server.id for server in mine if server.phase == "ready"),
                    variant.weight if variant.shadow else self._weights.get(variant.name, variant.weight),
                    down,
                    variant.shadow,
                    variant.most,
                )
            )
        self.effects.append(Route(self._serving.config, tuple(routed)))

    def _all_ready(self, fleet: int) -> bool:
        return all(server.phase == "ready" for server in self._servers.values() if server.id.fleet == fleet)

    def _steady(self, fleet: int) -> bool:
        """Nothing of it is on its way, unless it is on its way again and again."""
        return not any(
            server.phase in ("launching", "starting") and server.failed is None
            for server in self._servers.values()
            if server.id.fleet == fleet
        )

    def _current(self, id_: ServerId, attempt: int) -> Server | None:
        server = self._servers.get(id_)
        return server if server is not None and server.attempt == attempt else None

    def _put(self, server: Server) -> None:
        self._servers[server.id] = server

    def _is_serving(self, id_: ServerId) -> bool:
        return self._serving is not None and self._serving.number == id_.fleet

    def _fleet(self, id_: ServerId) -> Fleet | None:
        fleets = (fleet for fleet in (self._serving, self._coming) if fleet is not None)
        return next((fleet for fleet in fleets if fleet.number == id_.fleet), None)

    def _variant(self, id_: ServerId) -> Variant:
        fleet = self._fleet(id_)
        variants: Mapping[str, Variant] = {item.name: item for item in fleet.variants} if fleet is not None else {}
        return variants.get(id_.variant) or Variant(id_.variant, 1.0, 1)

    def _config(self, id_: ServerId) -> str:
        fleet = self._fleet(id_)
        return fleet.config if fleet is not None else ""

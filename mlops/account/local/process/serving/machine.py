"""The state machine of an endpoint: ``(state, happening, now) -> (state, effects)``. Knows no clock, process, store.

A deployment takes its traffic over at once, or by a policy in steps: then both fleets serve, each its share
(:class:`Rollout`). The share of the instances is never below the share of the traffic, on the way and on the way back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlops.account.local.process.serving.happenings import (
    AlarmsTold,
    AskAlarms,
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
    Rollout,
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
    WriteMixed,
    WriteProgress,
    WriteServing,
    WriteUpdated,
)
from mlops.account.local.process.serving.rollouts import active, bake_seconds, needed, production, share, steps, told
from mlops.account.local.services.sagemaker.deployments import Policy

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
        case AlarmsTold():
            step.alarms_told(happening)
        case Tick():
            step.tick()
    step.settle()
    return step.state(), tuple(step.effects)


def next_due(state: State) -> float | None:
    """When a :class:`Tick` has something to do."""
    dues = [server.due for server in state.servers.values()]
    if state.rollout is not None:
        dues.append(state.rollout.due)
    return min((due for due in dues if due is not None), default=None)


def servers_of(variant: Variant, count: int, rules: Rules) -> int:
    """
    >>> servers_of(Variant("A", 1.0, 3, workers=1), 3, Rules(servers=4))
    3
    >>> servers_of(Variant("A", 1.0, 3, workers=2), 3, Rules(servers=4))
    4
    >>> servers_of(Variant("A", 1.0, 3, models=True), 3, Rules())
    0
    >>> servers_of(Variant("component/A", 1.0, 3, may_be_none=True), 0, Rules())
    0
    """
    if variant.models or variant.hosts:
        return 0
    return max(0 if variant.may_be_none else 1, min(count * variant.workers, rules.servers))


class _Step:
    """One transition while it is worked out."""

    def __init__(self, state: State, now: float, rules: Rules) -> None:
        self._now, self._rules = now, rules
        self._serving, self._coming, self._fleets = state.serving, state.coming, state.fleets
        self._servers = dict(state.servers)
        self._weights, self._counts = state.weights, state.counts
        self._answers_update, self._closing = state.answers_update, state.closing
        self._heard, self._failure = state.heard, state.failure
        self._rollout = state.rollout
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
            self._rollout,
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
            self._scale(self._serving, self._counts)
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
        first = {variant.name: variant.count for variant in variants}
        if self._serving is not None and self._rollout is None and not read.policy.is_plain:
            first |= self._begin(self._coming, read.policy)
        self._scale(self._coming, first)

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
        came_late = self._is_rolled_out(server.id) and server.attempt > 1
        if self._is_serving(server.id) or came_late:
            self._route()
            kind = "variant.revived" if server.attempt > 1 else "variant.scaled-out"
            self.effects.append(Tell(kind, self._config(server.id), server.id.variant))

    def ended(self, ended: Ended) -> None:
        server = self._current(ended.server, ended.attempt)
        if server is None or server.phase == "down":
            return
        came = server.phase == "ready" or server.attempt > 1
        back = self._rollout is not None and self._rollout.phase == "back"
        if server.phase in _LEAVING or self._closing:
            self._drop(server)
        elif self._is_coming(server.id) and not (came and self._is_rolled_out(server.id)):
            self._drop(server)
            self.give_up(ended.reason)
        elif back and not came and self._is_serving(server.id):
            self._drop(server)
            self._stick(server.killed_for or ended.reason)
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

    def alarms_told(self, told: AlarmsTold) -> None:
        rollout = self._rollout
        if rollout is None or rollout.phase != "baking":
            return
        if told.red is not None:
            self._roll_back(told.red)
        elif told.at >= rollout.until:
            self._step_on()
        elif rollout.look is None:
            self._rollout = replace(rollout, look=min(self._now + self._rules.look_seconds, rollout.until))

    def give_up(self, reason: str) -> None:
        """What is coming does not come."""
        rollout = self._rollout
        if rollout is not None and rollout.phase != "stuck":
            if rollout.phase != "back":
                self._roll_back(reason)
            return
        coming, self._coming = self._coming, None
        if coming is None:
            return
        for server in [item for item in self._servers.values() if item.id.fleet == coming.number]:
            self._stop(server)
        if self._serving is None:
            self._closing, self._failure = True, reason
            self.effects.append(Close())
        elif rollout is not None:
            self.effects.append(WriteMixed(coming.config, reason))
        else:
            self.effects.append(WriteKept(coming.config, reason))

    def settle(self) -> None:
        """What follows when all of something is so."""
        if self._rollout is not None and self._rollout.phase != "stuck":
            self._roll()
        coming, serving = self._coming, self._serving
        if self._rollout is not None and self._rollout.fleet is coming:
            pass
        elif coming is not None and coming.variants and self._all_ready(coming.number):
            self._switch(coming)
        elif self._answers_update and serving is not None and self._steady(serving.number):
            self._answers_update = False
            self.effects.append(WriteUpdated(self._weights))
        if self._closing and not self._servers:
            self.effects += [WriteFailed(self._failure)] if self._failure is not None else []
            self.effects.append(Exit())

    # How it is done.

    def _switch(self, coming: Fleet) -> None:
        self._serving, self._coming, self._rollout = coming, None, None
        self._weights = {variant.name: variant.weight for variant in production(coming.variants)}
        self._counts = {variant.name: variant.count for variant in production(coming.variants)}
        self._answers_update = False
        self._route()
        self.effects.append(WriteServing(coming, self._weights, self._counts))
        for server in [item for item in self._servers.values() if item.id.fleet != coming.number]:
            self._retire(server)

    def _scale(self, fleet: Fleet, counts: Mapping[str, int]) -> None:
        """Only as many as are missing or too many: the others go on. A number is never used again, since the processes
        of the one that had it may still be there."""
        for variant in fleet.variants:
            wanted = servers_of(variant, counts.get(variant.name, variant.count), self._rules)
            mine = self._of(fleet, variant)
            staying = [server for server in mine if server.phase not in _LEAVING]
            for server in staying[wanted:]:
                self._retire(server)
            first = max((server.id.number for server in mine), default=-1) + 1
            for number in range(first, first + wanted - len(staying)):
                self._launch(ServerId(fleet.number, variant.name, number))

    # A deployment in steps.

    def _begin(self, coming: Fleet, policy: Policy) -> Mapping[str, int]:
        """How many instances come up first."""
        names = [variant.name for variant in production(coming.variants)]
        kept = {name: self._counts.get(name, 1) for name in names}
        limit = None if policy.limit is None else self._now + policy.limit
        self._rollout = Rollout(coming, policy, limit, dict.fromkeys(names, 0), kept)
        self._write_progress()
        return active(policy, coming.variants, 0) if policy.rolling else {}

    def _roll(self) -> None:
        """As far as it comes by now."""
        rollout = self._rollout
        if rollout is None:
            return
        if rollout.phase == "back":
            self._go_back(rollout)
        elif rollout.limit is not None and self._now >= rollout.limit:
            self._roll_back(f"it took longer than its MaximumExecutionTimeoutInSeconds of {rollout.policy.limit:g}")
            self._roll()
        elif rollout.phase == "creating":
            if self._came(rollout.fleet):
                self._activate(rollout)
        elif rollout.policy.alarms and bake_seconds(rollout):
            if rollout.look is not None and rollout.look <= self._now:
                self._rollout = replace(rollout, look=None)
                self.effects.append(AskAlarms(rollout.policy.alarms, self._now))
        elif rollout.until <= self._now:
            self._step_on()

    def _activate(self, rollout: Rollout) -> None:
        """The instances of this step get their traffic, and are looked at."""
        active_now = active(rollout.policy, rollout.fleet.variants, rollout.step)
        until = self._now + bake_seconds(rollout)
        self._rollout = replace(rollout, phase="baking", active=active_now, until=until, look=self._now)
        self._route()
        self._write_progress()
        self._roll()

    def _step_on(self) -> None:
        """The step is over, and nothing is against it."""
        rollout = self._rollout
        if rollout is None:
            return
        coming = rollout.fleet
        if rollout.step == steps(rollout.policy, coming.variants) - 1:
            self._switch(coming)
            return
        rollout = replace(rollout, step=rollout.step + 1, phase="creating")
        if rollout.policy.rolling and self._serving is not None:
            kept = {
                variant.name: needed(self._counts[variant.name], rollout.active[variant.name], variant.count)
                for variant in production(coming.variants)
            }
            rollout = replace(rollout, kept=kept)
            self._scale(self._serving, kept)
            self._scale(coming, active(rollout.policy, coming.variants, rollout.step))
            self._rollout = rollout
            self._route()
            self._write_progress()
        self._rollout = rollout
        self._roll()

    def _roll_back(self, reason: str) -> None:
        """All traffic to the old fleet, as soon as that has the instances for it."""
        rollout = self._rollout
        if rollout is None:
            return
        self._rollout = replace(rollout, phase="back", reason=reason)
        self._bring_back(self._rollout)
        self._write_progress()

    def _bring_back(self, rollout: Rollout) -> None:
        """The next batch of the old fleet."""
        size = rollout.policy.rollback
        kept = {
            name: min(self._counts[name], count + (size.of(self._counts[name]) if size else self._counts[name]))
            for name, count in rollout.kept.items()
        }
        self._rollout = replace(rollout, kept=kept)
        if self._serving is not None:
            self._scale(self._serving, {**self._counts, **kept})

    def _go_back(self, rollout: Rollout) -> None:
        if self._serving is None or not self._came(self._serving):
            return
        coming = rollout.fleet
        has = {
            variant.name: min(
                rollout.active[variant.name],
                needed(variant.count, rollout.kept[variant.name], self._counts[variant.name]),
            )
            for variant in production(coming.variants)
        }
        if has != rollout.active:
            rollout = replace(rollout, active=has)
            self._rollout = rollout
            self._route()
        if any(has.values()):
            self._scale(coming, has)
            self._bring_back(rollout)
            self._write_progress()
            self._roll()
            return
        mine = [server for server in self._servers.values() if server.id.fleet == coming.number]
        for server in mine:
            self._retire(server)
        if not any(server.phase == "draining" for server in self._servers.values() if server.id.fleet == coming.number):
            self._coming = self._rollout = None
            self.effects.append(WriteKept(coming.config, rollout.reason))

    def _stick(self, reason: str) -> None:
        """What served before does not come back as a whole: both fleets serve, until somebody asks for another."""
        rollout = self._rollout
        if rollout is None:
            return
        self._rollout, self._coming = replace(rollout, phase="stuck"), None
        self._route()
        self.effects.append(WriteMixed(rollout.fleet.config, f"{rollout.reason}; and on the way back, {reason}"))

    def _came(self, fleet: Fleet) -> bool:
        """All of it was up once; what died since is revived."""
        return not any(
            server.phase in ("launching", "starting") and server.attempt == 1
            for server in self._servers.values()
            if server.id.fleet == fleet.number
        )

    def _write_progress(self) -> None:
        rollout = self._rollout
        if rollout is None:
            return
        present = dict.fromkeys(rollout.active, 0)
        for variant in rollout.fleet.variants:
            ready = sum(server.phase == "ready" for server in self._of(rollout.fleet, variant))
            if variant.name in present and ready:
                # Servers are not instances: there may be several for one, and fewer than asked for.
                most = servers_of(variant, variant.count, self._rules)
                present[variant.name] = max(1, ready * variant.count // most)
        back = rollout.reason if rollout.phase == "back" else None
        self.effects.append(WriteProgress(told(rollout, present), back))

    # Servers.

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
        if self._is_serving(server.id) or (server.attempt > 1 and self._is_rolled_out(server.id)):
            self._put(replace(server, due=None, killed_for=reason))
            self.effects.append(Kill(server.id))
        else:
            self.give_up(reason)

    def _close(self) -> None:
        if self._closing:
            return
        self._closing, self._coming, self._rollout = True, None, None
        self.effects.append(Close())
        for server in list(self._servers.values()):
            self._stop(server)

    def _route(self) -> None:
        if self._serving is None or self._closing:
            return
        serving, rollout = self._serving, self._rollout
        if rollout is None or not any(rollout.active.values()):
            routed = [self._routed(serving, variant, self._weight(variant)) for variant in serving.variants]
        else:
            routed = list(self._both(serving, rollout))
        self.effects.append(Route(serving.config, tuple(routed)))

    def _both(self, serving: Fleet, rollout: Rollout) -> Iterator[Routed]:
        """The weights of each fleet add up to 1, so that the shares say what each of them gets."""
        coming = {variant.name: variant for variant in production(rollout.fleet.variants)}
        total = sum(map(self._weight, production(serving.variants)))
        for variant in serving.variants:
            if variant.shadow:
                yield self._routed(serving, variant, variant.weight / total)
                continue
            left = 1 - share(rollout, coming[variant.name])
            yield replace(self._routed(serving, variant, self._weight(variant) / total), share=left)
        total = sum(variant.weight for variant in coming.values())
        for variant in coming.values():
            has = servers_of(variant, rollout.active[variant.name], self._rules)
            found = replace(
                self._routed(rollout.fleet, variant, variant.weight / total, has),
                config=rollout.fleet.config,
                share=share(rollout, variant),
            )
            if found.share:
                yield found

    def _routed(self, fleet: Fleet, variant: Variant, weight: float, most: int | None = None) -> Routed:
        mine = [server for server in self._of(fleet, variant) if server.phase not in _LEAVING][:most]
        return Routed(
            variant.name,
            tuple(server.id for server in mine if server.phase == "ready"),
            weight,
            next((server.failed for server in mine if server.failed is not None), None),
            variant.shadow,
            variant.most,
            models=variant.models,
            hosts=variant.hosts,
            none=variant.may_be_none and not any(server.phase == "ready" or server.attempt > 1 for server in mine),
        )

    def _weight(self, variant: Variant) -> float:
        return variant.weight if variant.shadow else self._weights.get(variant.name, variant.weight)

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

    def _is_coming(self, id_: ServerId) -> bool:
        return self._coming is not None and self._coming.number == id_.fleet

    def _is_rolled_out(self, id_: ServerId) -> bool:
        return self._rollout is not None and self._rollout.fleet.number == id_.fleet

    def _fleet(self, id_: ServerId) -> Fleet | None:
        gone = self._rollout.fleet if self._rollout is not None else None
        fleets = (fleet for fleet in (self._serving, self._coming, gone) if fleet is not None)
        return next((fleet for fleet in fleets if fleet.number == id_.fleet), None)

    def _variant(self, id_: ServerId) -> Variant:
        fleet = self._fleet(id_)
        variants: Mapping[str, Variant] = {item.name: item for item in fleet.variants} if fleet is not None else {}
        return variants.get(id_.variant) or Variant(id_.variant, 1.0, 1)

    def _config(self, id_: ServerId) -> str:
        fleet = self._fleet(id_)
        return fleet.config if fleet is not None else ""

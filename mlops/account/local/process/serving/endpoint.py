"""The loop of an endpoint's process: hands what happens to the state machine, and does what that says."""

from __future__ import annotations

import asyncio
import logging
import resource
import time
import traceback
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mlops.account.local.process.capture import pairs, rule
from mlops.account.local.process.capture.keeper import Keeper
from mlops.account.local.process.capture.streaming import Streams
from mlops.account.local.process.ports import LocalObjects
from mlops.account.local.process.router import records
from mlops.account.local.process.router.engine import Engine, best
from mlops.account.local.process.router.router import Router
from mlops.account.local.process.router.routing import Limits, Routing
from mlops.account.local.process.router.routing import Server as RoutedServer
from mlops.account.local.process.router.routing import Variant as RoutedVariant
from mlops.account.local.process.serving import plans, usage, waiting
from mlops.account.local.process.serving.component_rows import ComponentRows
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
    ServerId,
    State,
    Stop,
    Tell,
    Tick,
    Unreachable,
    Unreadable,
    WriteFailed,
    WriteKept,
    WriteMixed,
    WriteProgress,
    WriteServing,
    WriteUpdated,
    component_key,
    component_of,
)
from mlops.account.local.process.serving.machine import advance, next_due
from mlops.account.local.process.serving.plans import Plan
from mlops.account.local.process.serving.processes import Instances, Process, healthy
from mlops.account.local.process.serving.row import Row
from mlops.account.local.process.serving.shelves import Shelves
from mlops.account.local.process.serving.usage import Measured, Meter, Usage
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.cloudwatch import evaluating
from mlops.account.local.services.sagemaker import endpoints
from mlops.account.local.state import ACCOUNT_ID
from mlops.account.local.state import State as AccountState
from mlops.account.shadow_pairs import ShadowPair
from mlops.run.outcome import StepFailed
from mlops.run.ports import ObjectMissing, RequestRefused

LOOK_SECONDS = 0.1
_EXPERIMENT_SECONDS = 1.0
_THREADS = 8
_PAIRS = 4000
"""That wait for the disk, each of some kilobytes at most."""
_USAGE_BYTES = 2 * 1024 * 1024
_log = logging.getLogger("mlops.runner")
_ITSELF = ""
"""The owner of the endpoint's own state; others are inference components, by their names."""
_CANNOT_BE_SERVED = (StepFailed, ObjectMissing, RequestRefused, Refusal, OSError)
T = TypeVar("T")


def log_group(endpoint: str) -> str:
    return f"/aws/sagemaker/Endpoints/{endpoint}"


def serve(state: AccountState, name: str, folder: Path, rules: Rules | None = None) -> None:
    """Returns when the endpoint was deleted, or could not be created."""
    row = Row(state, name)
    engine = best()
    try:
        engine.run(_Endpoint(state, name, folder, row, engine, rules or Rules()).run())
    except Exception as error:
        traceback.print_exc()
        row.failed(f"the runner failed: {error!r}")
    finally:
        row.end()


class _Endpoint:
    """``row`` is for the clerk's thread alone: what the store has to wait for, no request waits for."""

    def __init__(self, state: AccountState, name: str, folder: Path, row: Row, engine: Engine, rules: Rules) -> None:
        self._account = state
        self._name = name
        self._row = row
        self._components = ComponentRows(state, name)
        self._rules = rules
        self._folder = folder
        self._waiting: waiting.Queue | None = None
        self._instances = Instances(state, folder)
        self._recorder = records.Recorder(folder / records.FOLDER)
        self._usages = records.Recorder(folder / usage.FOLDER, file_bytes=_USAGE_BYTES, columns=Usage._fields)
        self._meter = Meter(self._usages.add)
        self._measured: dict[tuple[ServerId, int], Measured] = {}
        self._pairs = records.Recorder(folder / pairs.FOLDER, waiting=_PAIRS, columns=ShadowPair._fields)
        self._keeper = Keeper(name, LocalObjects(state).put, self._pairs, Streams(state, name).put)
        self._router = Router(
            name,
            engine,
            record=self._recorder.add,
            unreachable=self._unreachable,
            wanted=lambda line: self._shelves.wanted(line),
            saw=self._keeper.saw,
            room=self._keeper.room,
            limits=_limits([endpoints.config_of(state, name)]),
            log_stream=f"arn:aws:logs:{state.region}:{ACCOUNT_ID}:log-group:{log_group(name)}",
        )
        self._port = 0
        self._states: dict[str, State] = {_ITSELF: State()}
        self._happenings: asyncio.Queue[tuple[str, Happening] | BaseException] = asyncio.Queue()
        self._routed = Route("", ())
        self._routed_components: dict[str, tuple[Routed, ...]] = {}
        self._clerk = ThreadPoolExecutor(1, "clerk")
        self._starting = ThreadPoolExecutor(_THREADS, "starts")
        self._ending = ThreadPoolExecutor(_THREADS, "ends")  # that never wait for a model to be unpacked
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._plans: dict[tuple[int, str], Plan] = {}
        self._configs: dict[int, Mapping[str, Any]] = {}
        self._processes: dict[ServerId, Process] = {}
        self._pings: dict[ServerId, asyncio.Task[None]] = {}
        self._shelves = Shelves(
            self._router,
            self._instances,
            self._plan_of,
            self._starting,
            self._ending,
            self._spawn,
            self._measured_from_now,
            self._measured_no_more,
        )

    async def run(self) -> None:
        try:
            await self._by(self._ending, self._instances.clear)
            await self._by_clerk(self._components.begin_anew)
            self._port = await self._router.start(await self._by_clerk(self._row.last_port))
            self._waiting = waiting.Queue(self._folder, self._port, LocalObjects(self._account))
            self._spawn(self._look())
            self._spawn(self._measure())
            self._spawn(self._experiment())
            while await self._turn():
                pass
        finally:
            await self._close()

    async def _turn(self) -> bool:
        happening = await self._happenings.get()
        if isinstance(happening, BaseException):
            raise happening
        owner, what = happening
        # What ends of a component that has ended is no news.
        if owner not in self._states and not isinstance(what, Asked):
            return True
        before = self._states.get(owner) or State()
        self._states[owner], effects = advance(before, what, time.monotonic(), self._rules)
        for effect in effects:
            self._do(owner, effect)
        self._set_timer()
        return owner != _ITSELF or Exit() not in effects

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dues = [due for state in self._states.values() if (due := next_due(state)) is not None]
        if dues:
            later = asyncio.get_running_loop().call_later
            self._timer = later(max(min(dues) - time.monotonic(), 0.0), self._tick)

    def _tick(self) -> None:
        for owner in self._states:
            self._tell(Tick(), owner)

    def _do(self, owner: str, effect: Effect) -> None:
        match effect:
            case Launch(server, attempt):
                self._spawn(self._launch(server, attempt))
            case Stop(server):
                if (process := self._processes.get(server)) is not None:
                    process.terminate()
            case Kill(server):
                self._spawn(self._kill(server, "it was killed"))
            case Drain(server):
                key = self._processes[server].key if server in self._processes else ""
                self._router.drain(key, partial(self._tell_of, Drained(server)))
            case Discard(server):
                self._spawn(self._by(self._ending, self._instances.discard, server))
            case AskAlarms(names, at):
                self._spawn(self._ask_alarms(owner, names, at))
            case _ if owner != _ITSELF:
                self._do_for_component(owner, effect)
            case ReadConfig(fleet, config):
                self._spawn(self._read(fleet, config))
            case Route():
                self._routed = effect
                self._route()
            case Close():
                self._router.route(None)
            case Tell(kind, config, variant):
                self._write(self._row.variant, kind, variant, config)
            case WriteServing(fleet, weights, counts):
                _log.info("endpoint %s serves %s", self._name, fleet.config)
                self._forget_plans(_ITSELF, fleet.number)
                self._configs = {number: kept for number, kept in self._configs.items() if number >= fleet.number}
                self._write(
                    self._row.serving,
                    self._configs[fleet.number],
                    self._port,
                    self._told(fleet.number),
                    weights,
                    counts,
                )
            case WriteUpdated(weights):
                self._write(self._row.updated, weights)
            case WriteKept(wanted, reason):
                _log.info("endpoint %s: %s: %s", self._name, wanted, reason)
                self._write(self._row.kept, wanted, reason)
            case WriteMixed(wanted, reason):
                _log.info("endpoint %s: %s, and it does not come back: %s", self._name, wanted, reason)
                self._write(self._row.mixed, wanted, reason)
            case WriteProgress():
                self._write(self._row.progress, effect)
            case WriteFailed(reason):
                _log.info("endpoint %s: %s", self._name, reason)
                self._write(self._row.failed, reason)
            case Exit():
                pass

    def _do_for_component(self, name: str, effect: Effect) -> None:
        match effect:
            case ReadConfig(fleet, _):
                self._spawn(self._read_component(name, fleet))
            case Route(_, copies):
                self._routed_components[name] = copies
                self._route()
            case Close():
                self._routed_components.pop(name, None)
                self._route()
            case Tell(kind):
                self._write(self._components.tell, name, kind)
            case WriteServing(fleet, _, counts):
                _log.info("inference component %s serves its revision %s", name, fleet.config)
                self._forget_plans(name, fleet.number)
                self._write(self._components.serving, name, fleet.config, sum(counts.values()))
            case WriteUpdated():
                self._write(self._components.scaled, name, sum(self._states[name].counts.values()))
            case WriteKept(_, reason) | WriteMixed(_, reason):
                _log.info("inference component %s: %s", name, reason)
                self._write(self._components.kept, name, reason)
            case WriteFailed(reason):
                _log.info("inference component %s: %s", name, reason)
                self._write(self._components.failed, name, reason)
            case Exit():
                del self._states[name]
                self._write(self._components.ended, name)
            case _:
                pass

    # What takes its time, and ends as a happening.

    async def _look(self) -> None:
        """For what the store asks."""
        while True:
            for name, of_component in await self._by_clerk(self._components.news):
                if name in self._states or of_component.config is not None or of_component.status == "Deleting":
                    self._tell(of_component, name)
            asked = await self._by_clerk(self._row.news)
            if asked is not None:
                self._tell(asked)
                if asked.status == "Deleting":
                    return
            await asyncio.sleep(LOOK_SECONDS)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(usage.SECONDS)
            await self._by_clerk(self._meter.look, tuple(self._measured.values()))

    async def _experiment(self) -> None:
        """Begins and ends shadow tests of this endpoint at their time."""
        while True:
            await asyncio.sleep(_EXPERIMENT_SECONDS)
            try:
                await self._by_clerk(self._row.experiments)
            except Exception:
                # Whatever is wrong with a test of a shadow, the endpoint answers.
                _log.exception("endpoint %s: its inference experiment does not go on", self._name)

    async def _read(self, fleet: int, config: str) -> None:
        try:
            read, self._configs[fleet], found = await self._by_clerk(self._read_plans, fleet, config)
        except Refusal as refusal:
            self._tell(Unreadable(fleet, _sentence(refusal)))
            return
        for plan in found:
            self._plans[fleet, plan.variant.name] = plan
        self._tell(read)

    async def _read_component(self, name: str, fleet: int) -> None:
        try:
            found = await self._by_clerk(self._read_wanted, name, fleet)
        except Refusal as refusal:
            self._tell(Unreadable(fleet, _sentence(refusal)), name)
            return
        if found is not None:
            read, plan = found
            self._plans[fleet, plan.variant.name] = plan
            self._tell(read, name)

    def _read_wanted(self, name: str, fleet: int) -> tuple[Read, Plan] | None:
        body = self._components.wanted(name)
        return None if body is None else plans.read_component(self._account, fleet, body)

    def _read_plans(self, fleet: int, config: str) -> tuple[Any, Mapping[str, Any], list[Plan]]:
        return plans.read(self._account, config, fleet, self._row.body() or {})

    async def _ask_alarms(self, owner: str, names: tuple[str, ...], at: float) -> None:
        """This process evaluates the alarms of its endpoint's deployment, and holds the endpoint's lock."""
        try:
            red = await self._by_clerk(evaluating.red, self._account, names)
        except Exception:
            # Nobody knows how they stand: the endpoint answers, what bakes goes on to bake, and they are asked again.
            _log.exception("endpoint %s: its alarms cannot be evaluated", self._name)
            await asyncio.sleep(_EXPERIMENT_SECONDS)
            at, red = 0.0, None
        self._tell(AlarmsTold(at, red), owner)

    async def _launch(self, server: ServerId, attempt: int) -> None:
        plan = self._plans[server.fleet, server.variant]
        try:
            process = await self._by(self._starting, self._instances.launch, server, attempt, plan)
        except _CANNOT_BE_SERVED as error:
            self._tell_of(Ended(server, attempt, _sentence(error)))
            return
        self._processes[server] = process
        self._router.add(
            RoutedServer(process.key, process.pipeline.ports, plan.slots, str(process.log), plan.hostnames)
        )
        self._watch(process)
        self._tell_of(Launched(server, attempt))
        self._pings[server] = self._spawn(self._ping(process))

    async def _ping(self, process: Process) -> None:
        await healthy(process.pipeline.ports)
        self._measured_from_now(process)
        self._tell_of(Ready(process.server, process.attempt))

    def _measured_from_now(self, process: Process) -> None:
        """It answers, so it is known by which processes."""
        server = process.server
        plan = self._plans.get((server.fleet, server.variant))
        config = {"EndpointConfigName": ""} if component_of(server.variant) else self._configs.get(server.fleet)
        if plan is None or config is None:
            return
        # All models of one variant are of one instance.
        instance = f"{server.fleet}/{0 if plan.variant.models else server.number // plan.variant.workers}"
        name = config["EndpointConfigName"]
        for number, root in enumerate(process.roots()):
            self._measured[server, number] = Measured(
                f"{process.key}/{number}", root, name, server.variant, instance, plan.memory
            )

    def _measured_no_more(self, server: ServerId) -> None:
        self._measured = {key: item for key, item in self._measured.items() if key[0] != server}

    def _watch(self, process: Process) -> None:
        loop = asyncio.get_running_loop()
        for descriptor in process.descriptors:
            loop.add_reader(descriptor, self._heard, process)

    def _heard(self, process: Process) -> None:
        """A sandbox tells that it began, or that it ended."""
        self._unwatch(process)
        reason = process.ended()
        if reason is None:
            self._watch(process)
        else:
            _log.info("endpoint %s: %s %s", self._name, process.server, reason.partition(":")[0])
            self._spawn(self._kill(process.server, reason))

    def _unwatch(self, process: Process) -> None:
        for descriptor in process.descriptors:
            asyncio.get_running_loop().remove_reader(descriptor)

    async def _kill(self, server: ServerId, reason: str) -> None:
        """All of it: where one container of a row has ended, the others are of no use."""
        process = self._processes.pop(server, None)
        if process is None:
            return
        self._unwatch(process)
        process.release()
        self._router.remove(process.key)
        self._measured_no_more(server)
        if (ping := self._pings.pop(server, None)) is not None:
            ping.cancel()
        await self._by(self._ending, process.kill)
        self._tell_of(Ended(server, process.attempt, reason))

    def _unreachable(self, key: str) -> None:
        for process in self._processes.values():
            if process.key == key:
                self._tell_of(Unreachable(process.server))
        self._shelves.unreachable(key)

    # Ours.

    def _route(self) -> None:
        """Both fleets of a configuration may have traffic, and then the milder limits hold."""
        config, variants = self._routed.config, self._routed.variants
        if not config or self._states[_ITSELF].closing:
            return
        served = {read["EndpointConfigName"]: read for _, read in sorted(self._configs.items())}
        self._router.limits = _limits([served.get(name) for name in {item.config or config for item in variants}])
        routing = self._routing(config, variants)
        self._router.route(routing)
        self._shelves.keep({(item.name, item.config) for item in routing.variants.values()})

    def _routing(self, config: str, variants: tuple[Routed, ...]) -> Routing:
        captures = {read["EndpointConfigName"]: rule.of(read) for _, read in sorted(self._configs.items())}
        made = {
            f"{item.name} {item.config}".strip(): RoutedVariant(
                item.name,
                tuple(self._processes[server].key for server in item.servers if server in self._processes),
                item.weight,
                item.down,
                item.most,
                item.config or config,
                item.share,
                item.models,
                captures.get(item.config or config),
            )
            for item in variants
        }
        shadow = next((made.pop(item.name) for item in variants if item.shadow), None)
        if not any(item.hosts for item in variants):
            return Routing(config, made, shadow)
        copies = {
            name: self._copies(name, routed, captures.get(config)) for name, routed in self._routed_components.items()
        }
        return Routing(config, made, shadow, copies)

    def _copies(self, name: str, routed: tuple[Routed, ...], capture: rule.Capture | None) -> RoutedVariant:
        """Copies of two revisions take requests alike, while one replaces the other."""
        servers = [server for item in routed for server in item.servers if server in self._processes]
        return RoutedVariant(
            component_key(name),
            tuple(self._processes[server].key for server in servers),
            down=next((item.down for item in routed if item.down is not None), None),
            capture=capture,
            told=self._hosting(name),
            none=all(item.none for item in routed),
        )

    def _hosting(self, name: str) -> str:
        """The variant that it is on."""
        told = (plan.told for (_, variant), plan in self._plans.items() if variant == component_key(name))
        return str(next(told)["VariantName"])

    def _forget_plans(self, owner: str, before: int) -> None:
        """Of fleets that are replaced."""
        kept = (item for item in self._plans.items() if component_of(item[0][1]) != owner or item[0][0] >= before)
        self._plans = dict(kept)

    def _plan_of(self, variant: RoutedVariant) -> tuple[int, Plan] | None:
        fleets = [number for number, read in self._configs.items() if read["EndpointConfigName"] == variant.config]
        found = [
            (number, self._plans[number, variant.name]) for number in fleets if (number, variant.name) in self._plans
        ]
        return found[-1] if found else None

    def _told(self, fleet: int) -> dict[str, list[Mapping[str, Any]]]:
        mine = [plan for (number, name), plan in self._plans.items() if number == fleet and not component_of(name)]
        return {
            "ProductionVariants": [plan.told for plan in mine if not plan.variant.shadow],
            "ShadowProductionVariants": [plan.told for plan in mine if plan.variant.shadow],
        }

    def _tell(self, happening: Happening, owner: str = _ITSELF) -> None:
        """To the endpoint's own machine, or to that of an inference component."""
        self._happenings.put_nowait((owner, happening))

    def _tell_of(self, happening: Launched | Ready | Ended | Unreachable | Drained) -> None:
        """To whom the server is of."""
        self._tell(happening, component_of(happening.server.variant))

    def _write(self, work: Callable[..., None], *arguments: Any) -> None:
        self._spawn(self._by_clerk(work, *arguments))

    def _by_clerk(self, work: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        return self._by(self._clerk, work, *arguments)

    def _by(self, threads: ThreadPoolExecutor, work: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(threads, partial(work, *arguments))

    def _spawn(self, work: Coroutine[Any, Any, None] | asyncio.Future[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(_waited(work))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._happenings.put_nowait(error)

    async def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting is not None:
            self._waiting.close()
        await self._shelves.close()
        await asyncio.gather(*(self._kill(server, "") for server in list(self._processes)))
        await self._router.stop()
        # What was written last is in the store, and removed from the disk, before the lock is let go.
        for pool in (self._clerk, self._starting, self._ending):
            pool.shutdown(wait=True)
        self._keeper.close()
        self._pairs.close()
        self._recorder.close()
        self._usages.close()


async def _waited(work: Coroutine[Any, Any, None] | asyncio.Future[None]) -> None:
    await work


def _limits(served: Iterable[Mapping[str, Any] | None]) -> Limits:
    """Of the configurations that have traffic. An asynchronous one answers as late, and takes as much, as such a
    request may."""
    if not any((config or {}).get("AsyncInferenceConfig") for config in served):
        return Limits(connections=_connections())
    seconds, size = waiting.LONGEST_SECONDS, waiting.BIGGEST_BODY
    return Limits(connections=_connections(), answer_seconds=seconds, body=size)


def _connections() -> int:
    """As many clients as leave descriptors for as many connections to models."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = Limits().connections
    return most if soft == resource.RLIM_INFINITY else min(most, max(soft // 3, 32))


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()) or repr(error)

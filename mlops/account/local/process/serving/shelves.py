"""The models of MultiModel variants: each is a server of its own, started when it is first asked for (TargetModel), and
stopped when more than a few are loaded, the one that was asked least recently first; without a cache (ModelCacheSetting
Disabled) each is stopped when it has answered who waited for it.

A container of the service loads them into itself, by requests to ``/models``; here what one model does is nothing to
another one. All but the launch runs in the endpoint's loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from mlops.account.local.process.router.queues import Line
from mlops.account.local.process.router.router import Router
from mlops.account.local.process.router.routing import Server, Variant
from mlops.account.local.process.serving.happenings import ServerId
from mlops.account.local.process.serving.plans import Plan
from mlops.account.local.process.serving.processes import Instances, Process, healthy
from mlops.account.local.refusal import Refusal
from mlops.ir.dataclass import dataclass
from mlops.run.outcome import StepFailed
from mlops.run.ports import ObjectMissing, RequestRefused

MOST = 4
"""Models of a variant that are loaded at a time."""
_CANNOT_BE_SERVED = (StepFailed, RequestRefused, Refusal, OSError)
_log = logging.getLogger("mlops.runner")


@dataclass(slots=True)
class _Model:
    """``line`` is where requests for it wait. ``ready`` once it answers."""

    fleet: int
    line: Line
    process: Process
    ready: bool = False


class Shelves:
    """``plan_of`` tells the plan of a routed variant, with the number of its fleet, None where that has gone.
    ``measured`` hears of a model that answers, ``gone`` of one that does not any more."""

    def __init__(
        self,
        router: Router,
        instances: Instances,
        plan_of: Callable[[Variant], tuple[int, Plan] | None],
        starts: ThreadPoolExecutor,
        ends: ThreadPoolExecutor,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        measured: Callable[[Process], None],
        gone: Callable[[ServerId], None],
        most: int = MOST,
    ) -> None:
        self._router, self._instances, self._plan_of = router, instances, plan_of
        self._starts, self._ends, self._spawn = starts, ends, spawn
        self._measured, self._gone = measured, gone
        self._most = most
        self._models: dict[str, _Model] = {}
        self._count = 0

    def wanted(self, line: Line) -> None:
        """Somebody waits for the model of ``line``."""
        self._spawn(self._load(line))

    def keep(self, variants: set[tuple[str, str]]) -> None:
        """Of other variants (name and configuration) nothing is needed any more."""
        for model in list(self._models.values()):
            if (model.line.variant.name, model.line.variant.config) not in variants:
                self._retire(model)

    def unreachable(self, key: str) -> None:
        """It runs and takes no connection; whoever asks for its model has that loaded again."""
        model = self._models.get(key)
        if model is not None:
            self._spawn(self._end(model))

    async def close(self) -> None:
        await asyncio.gather(*(self._end(model) for model in list(self._models.values())))

    async def _load(self, line: Line) -> None:
        found = self._plan_of(line.variant)
        if found is None:
            self._router.refuse_model(line, 503, "ServiceUnavailable", f"Variant {line.name} is being replaced.")
            return
        fleet, plan = found
        there = self._loaded(fleet, line)
        if there is not None:
            there.line = line
            self._router.serve_model(line, there.process.key)
            return
        self._count += 1
        server = ServerId(fleet, line.variant.name, self._count)
        try:
            wanted = plan.of_model(line.target)
            await self._by(self._starts, self._instances.need, wanted.model["PrimaryContainer"]["ModelDataUrl"])
            process = await self._by(self._starts, self._instances.launch, server, 1, wanted)
        except ObjectMissing as error:
            await self._by(self._ends, self._instances.discard, server)
            said = f"Failed to download model data: {error}. Is there an object of that name below ModelDataUrl?"
            self._router.refuse_model(line, 400, "ValidationError", said)
            return
        except _CANNOT_BE_SERVED as error:
            await self._by(self._ends, self._instances.discard, server)
            self._router.give_up_model(line, " ".join(str(error).split()) or repr(error))
            return
        model = self._models[process.key] = _Model(fleet, line, process)
        self._router.add(Server(process.key, process.pipeline.ports, plan.slots, str(process.log)))
        self._watch(model)
        await self._until_ready(model, plan)

    async def _until_ready(self, model: _Model, plan: Plan) -> None:
        seconds = plan.variant.startup_seconds
        try:
            async with asyncio.timeout(seconds):
                await healthy(model.process.pipeline.ports)
        except TimeoutError:
            if model.process.key in self._models:
                said = f"the model server did not answer /ping within {seconds:g} seconds"
                self._router.give_up_model(model.line, said)
                await self._end(model)
            return
        if model.process.key not in self._models:
            return
        model.ready = True
        self._measured(model.process)
        self._router.serve_model(model.line, model.process.key)
        if plan.caches:
            self._make_room(model)
        else:
            self._retire(model)

    def _loaded(self, fleet: int, line: Line) -> _Model | None:
        wanted = (fleet, line.variant.name, line.target)
        return next(
            (
                model
                for model in self._models.values()
                if model.ready and (model.fleet, model.line.variant.name, model.line.target) == wanted
            ),
            None,
        )

    def _make_room(self, newest: _Model) -> None:
        mine = [
            model
            for model in self._models.values()
            if model.ready and (model.fleet, model.line.variant.name) == (newest.fleet, newest.line.variant.name)
        ]
        for model in sorted(mine, key=lambda item: item.line.used)[: max(len(mine) - self._most, 0)]:
            if not model.line.waiting:
                _log.info("%s is unloaded", model.line.target)
                self._retire(model)

    def _retire(self, model: _Model) -> None:
        """What is inside is answered first."""
        if not model.ready:
            self._spawn(self._end(model))
            return
        model.ready = False
        self._router.forget_model(model.line)
        self._router.drain(model.process.key, partial(self._drained, model))

    def _drained(self, model: _Model) -> None:
        self._spawn(self._end(model))

    def _watch(self, model: _Model) -> None:
        for descriptor in model.process.descriptors:
            asyncio.get_running_loop().add_reader(descriptor, self._heard, model)

    def _unwatch(self, model: _Model) -> None:
        for descriptor in model.process.descriptors:
            asyncio.get_running_loop().remove_reader(descriptor)

    def _heard(self, model: _Model) -> None:
        self._unwatch(model)
        reason = model.process.ended()
        if reason is None:
            self._watch(model)
        elif model.process.key in self._models:
            if not model.ready:
                self._router.give_up_model(model.line, reason)
            self._spawn(self._end(model))

    async def _end(self, model: _Model) -> None:
        """Requests inside are answered that it did not; those that wait load it anew."""
        if self._models.pop(model.process.key, None) is None:
            return
        self._unwatch(model)
        model.process.release()
        self._router.remove(model.process.key)
        self._gone(model.process.server)
        self._router.forget_model(model.line)
        await self._by(self._ends, model.process.kill)
        await self._by(self._ends, self._instances.discard, model.process.server)

    def _by(self, threads: ThreadPoolExecutor, work: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(threads, partial(work, *arguments))

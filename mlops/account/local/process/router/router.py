"""Takes requests from clients' connections to a variant's servers, and answers back."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any

from mlops.account.local.process.capture.seen import Room, Seen, Side
from mlops.account.local.process.router.answers import LONGEST_ERROR, Answers
from mlops.account.local.process.router.door import Door, lines
from mlops.account.local.process.router.engine import Engine
from mlops.account.local.process.router.exchange import Exchange
from mlops.account.local.process.router.model_connection import ModelConnection, Reply
from mlops.account.local.process.router.queues import Line, Running
from mlops.account.local.process.router.records import Record
from mlops.account.local.process.router.refusals import no_component, no_container
from mlops.account.local.process.router.routing import Limits, Routing, Server, Variant
from mlops.account.local.process.router.under_way import UnderWay
from mlops.account.local.process.router.wire import (
    CLIENT_GONE,
    FORWARDED,
    INFERENCE_COMPONENT,
    TARGET_CONTAINER,
    TARGET_MODEL,
    TARGET_VARIANT,
    error_body,
    error_headers,
)
from mlops.account.local.process.router.witness import Witness

_HEAD = b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_FORWARDED = tuple((name.lower().encode(), name.encode()) for name in FORWARDED)
_NOT_FOR_ALL = (b"accept", b"content-type")
_BETWEEN = tuple(pair for pair in _FORWARDED if pair[0] not in _NOT_FOR_ALL)
_ACCEPT = tuple(pair for pair in _FORWARDED if pair[0] == b"accept")
_MODEL, _CONTAINER = TARGET_MODEL.lower().encode(), TARGET_CONTAINER.lower().encode()
_COMPONENT = INFERENCE_COMPONENT.lower().encode()
_TARGET = TARGET_VARIANT.lower().encode()
_STREAMED = b"-response-stream"
_INVOCATIONS = re.compile(rb"/endpoints/([^/]+)/invocations(?:-response-stream)?")


def _nobody(key: str) -> None:
    pass


class Router:
    """``record`` gets each request when it is answered; ``unreachable`` a server that takes no connection; ``wanted``
    the line of a model that nobody has asked for before; ``saw`` how a request ended whose payload is to be kept, as
    far as there is ``room``."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        *,
        record: Callable[[Record], None],
        unreachable: Callable[[str], None] = _nobody,
        wanted: Callable[[Line], None] = lambda line: None,
        saw: Callable[[Seen, Side], None] | None = None,
        room: Room | None = None,
        log_stream: str = "",
        limits: Limits | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.engine = engine
        self.stopping = False
        self._unreachable = unreachable
        self._wanted = wanted
        self._chance = chance
        self._witness = Witness(saw, room or Room(), chance) if saw is not None else None
        self.under_way = UnderWay(limits or Limits())
        self._answers = Answers(self.under_way, record, self._witness, log_stream)
        self._path = f"/endpoints/{name}/invocations".encode()
        self._routing: Routing | None = None
        self._lines: dict[str, Line] = {}
        self._shadow: Line | None = None
        self._running: dict[str, Running] = {}
        self._doors: set[Door] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    # From outside.

    @property
    def limits(self) -> Limits:
        return self.under_way.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.under_way.limits = limits

    async def start(self, port: int = 0) -> int:
        """The port of 127.0.0.1 on which it answers from now on: ``port`` where that is free, else another."""
        loop = asyncio.get_running_loop()

        def listening(at: int) -> Coroutine[Any, Any, asyncio.Server]:
            return loop.create_server(lambda: Door(self), "127.0.0.1", at, backlog=1024)

        try:
            self._listening = await listening(port)
        except OSError:
            if not port:
                raise
            self._listening = await listening(0)
        self._sweep()
        return int(self._listening.sockets[0].getsockname()[1])

    async def stop(self, seconds: float = 5.0) -> None:
        """Answers that are on their way have ``seconds`` to arrive."""
        self.stopping = True
        self.route(None)
        if self._listening is not None:
            self._listening.close()
        for door in list(self._doors):
            door.close()
        deadline = time.perf_counter() + seconds
        while self._doors and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        for door in list(self._doors):
            door.cut()
        for running in list(self._running.values()):
            running.close()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def add(self, server: Server) -> None:
        self._running[server.key] = Running(server)

    def drain(self, key: str, drained: Callable[[], None]) -> None:
        """Of a server that is in no routing any more."""
        running = self._running.get(key)
        if running is None or running.busy == 0:
            asyncio.get_running_loop().call_soon(drained)
        else:
            running.drained = drained

    def remove(self, key: str) -> None:
        """Requests that are still inside are answered: the model did not."""
        running = self._running.pop(key, None)
        if running is None:
            return
        if running.line is not None and running in running.line.servers:
            running.line.servers.remove(running)
        running.line = None
        running.close()

    def route(self, routing: Routing | None) -> None:
        """From the next request on. Waiting ones keep their place where their variant is still there."""
        before, self._routing = self._lines, routing
        shadow_before, self._shadow = self._shadow, None
        self._lines = {}
        for running in self._running.values():
            running.line = None
        if routing is not None:
            for name, variant in (*routing.variants.items(), *_components(routing)):
                line = before.pop(name) if name in before else Line(variant, shadow=False)
                self._lines[name] = line
                line.variant = variant
                self._serve(line)
            if routing.shadow is not None:
                same = shadow_before is not None and shadow_before.name == routing.shadow.name
                line = shadow_before if same and shadow_before else Line(routing.shadow, shadow=True)
                line.variant, self._shadow = routing.shadow, line
                shadow_before = None if same else shadow_before
                self._serve(line)
        for left in [part for line in before.values() for part in (line, *line.models.values())]:
            while (exchange := left.next()) is not None:
                self._place(exchange, again=True)
        while shadow_before is not None and (exchange := shadow_before.next()) is not None:
            self._answers.end(exchange, CLIENT_GONE)

    # Models of a variant that hosts many.

    def serve_model(self, line: Line, key: str) -> None:
        """Its server answers from now on."""
        running = self._running.get(key)
        if running is not None:
            line.servers, running.line = [running], line
            self._take(running)

    def refuse_model(self, line: Line, status: int, code: str, said: str) -> None:
        """To all that wait for it; the next that asks has it looked for again."""
        self._take_off(line)
        while (exchange := line.next()) is not None:
            self._answers.refuse(exchange, status, code, said)

    def give_up_model(self, line: Line, reason: str) -> None:
        """It could not be loaded."""
        self._take_off(line)
        while (exchange := line.next()) is not None:
            self._answers.model_error(exchange, 0, reason)

    def forget_model(self, line: Line) -> None:
        """Whoever waits for it, or asks for it next, has it loaded again."""
        self._take_off(line)
        line.servers = []
        while (exchange := line.next()) is not None:
            self._place(exchange, again=True)

    def _take_off(self, line: Line) -> None:
        for shelf in self._lines.values():
            if shelf.models.get(line.target) is line:
                del shelf.models[line.target]

    @property
    def dropped(self) -> int:
        """Requests that a shadow was too slow to be shown."""
        return self._shadow.dropped if self._shadow is not None else 0

    # From clients' connections.

    def welcome(self, door: Door) -> bool:
        self._doors.add(door)
        return len(self._doors) <= self.limits.connections and not self.stopping

    def farewell(self, door: Door) -> None:
        self._doors.discard(door)

    def handle(self, exchange: Exchange) -> None:
        path = exchange.target.partition(b"?")[0]
        exchange.streaming = path == self._path + _STREAMED
        if exchange.method == b"POST" and (path == self._path or exchange.streaming):
            self.under_way.begin(exchange)
            self._place(exchange)
            if not exchange.done:
                shadow = self._shadow if self._shadow is not None and self._is_sampled() else None
                mirrored = self._mirrored(exchange, shadow) if shadow is not None else None
                if self._witness is not None:
                    self._witness.see(exchange, mirrored, shadow)
                if mirrored is not None:
                    self._join(mirrored, mirrored.line)
            return
        self.under_way.release(exchange)
        if exchange.door is None:
            return
        if exchange.method == b"GET" and path == b"/ping":
            exchange.door.answer(exchange, 200 if self._routing is not None else 503, b"", b"")
        elif exchange.method == b"POST" and (other := _INVOCATIONS.fullmatch(path)) is not None:
            said = f"Endpoint {other[1].decode(errors='replace')} is not found here; {self.name} is."
            exchange.door.answer(exchange, 400, error_headers("ValidationError"), error_body("ValidationError", said))
        else:
            said = f"{exchange.target.decode(errors='replace')} is not served"
            exchange.door.answer(exchange, 404, error_headers("NotFound"), error_body("NotFound", said))

    def abandoned(self, exchange: Exchange) -> None:
        """Its client has gone. What is inside a model goes on there."""
        exchange.door = None
        if exchange.line.leave(exchange):
            self._answers.end(exchange, CLIENT_GONE)
        elif exchange.started and exchange.connection is not None:
            exchange.connection.resume()

    # From the models' connections.

    def replied(self, connection: ModelConnection, exchange: Exchange, reply: Reply) -> None:
        """The reply is whole."""
        running, stage = connection.running, exchange.stage
        now = time.perf_counter()
        exchange.connection = None
        exchange.model_seconds += now - exchange.sent
        exchange.model_status = reply.status
        exchange.line.took(now - exchange.sent)
        if connection.reusable and running.server.key in self._running:
            running.put_back(connection, now)
        else:
            connection.close()
        if exchange.done:
            return
        if stage < exchange.last and reply.status < 300:
            kind = reply.headers.get(b"content-type") or exchange.headers.get(b"content-type")
            self.under_way.release(exchange)
            exchange.stage = stage + 1
            self._send(exchange, running, reply.take_body(), kind)
            return
        # The server gets its next request before its answer goes to the client: it is the slower of the two.
        self._leave(exchange)
        self._answers.finish(exchange, reply, running)

    def more(self, connection: ModelConnection, exchange: Exchange, reply: Reply) -> None:
        """A part of a reply. It is collected, so that a model that dies meanwhile can be told as a ModelError; what is
        asked for as a stream or too large is passed on."""
        if reply.status >= 400:
            if reply.size > LONGEST_ERROR:
                reply.parts = [reply.take_body()[:LONGEST_ERROR]]
        elif exchange.stage < exchange.last:
            if reply.size > self.limits.between_containers:
                connection.exchange = None
                self.lost(
                    connection, exchange, f"a container answered more than {self.limits.between_containers} bytes"
                )
                connection.close()
        elif exchange.door is None:
            if exchange.seen is None or reply.size > self.limits.body:
                reply.parts.clear()
        elif exchange.streaming or exchange.started or reply.size > self.limits.body:
            self._answers.pass_on(exchange, reply)

    def lost(self, connection: ModelConnection, exchange: Exchange, reason: str) -> None:
        """No reply will come."""
        exchange.connection = None
        exchange.model_seconds += time.perf_counter() - exchange.sent
        if exchange.done:
            return
        self._leave(exchange)
        self._answers.model_error(exchange, 0, reason)

    # Ours.

    def _serve(self, line: Line) -> None:
        line.servers = [self._running[key] for key in line.variant.servers if key in self._running]
        for running in line.servers:
            running.line = line
        if not line.servers and line.variant.down is not None:
            while (exchange := line.next()) is not None:
                self._answers.model_error(exchange, 0, line.variant.down)
        for running in line.servers:
            self._take(running)
        for model in line.models.values():
            model.variant = line.variant
            for running in model.servers:
                running.line = model
                self._take(running)

    def _place(self, exchange: Exchange, *, again: bool = False) -> None:
        """``again``: it was taken already, and is not refused because too many wait."""
        routing = self._routing
        if routing is None:
            self._answers.refuse(exchange, 503, "ServiceUnavailable", f"Endpoint {self.name} is not in service.")
            return
        exchange.config = routing.config
        line = self._chosen(exchange, routing)
        if line is None:
            return
        exchange.line = line
        if line.variant.config:
            exchange.config = line.variant.config
        most = None if again else line.variant.most
        if most is not None and line.inside + len(line.waiting) >= most:
            self._answers.refuse(
                exchange, 429, "ThrottlingException", f"Variant {line.name} takes {most} requests at a time."
            )
            return
        target = exchange.headers.get(_MODEL)
        if line.variant.models or target is not None:
            model = self._model(exchange, line, target)
            if model is None:
                return
            exchange.line = line = model
        self._join(exchange, line, again=again)

    def _chosen(self, exchange: Exchange, routing: Routing) -> Line | None:
        """None where the request was refused."""
        component = exchange.headers.get(_COMPONENT)
        if component is not None or routing.components is not None:
            name = component.decode("latin-1") if component is not None else ""
            said = no_component(routing, name, self.name)
            if said is None:
                return self._lines[_key(name)]
        else:
            wanted = exchange.headers.get(_TARGET)
            key = routing.named(wanted.decode("latin-1"), self._chance) if wanted else routing.choose(self._chance())
            if (line := self._lines.get(key)) is not None:
                return line
            said = f"Variant {key} was not found for endpoint {self.name}."
        self._answers.refuse(exchange, 400, "ValidationError", said)
        return None

    def _model(self, exchange: Exchange, line: Line, target: bytes | None) -> Line | None:
        """The line of the model that is asked for; None where the request was refused."""
        if not line.variant.models or not target:
            said = (
                f"Target model header is required: variant {line.name} hosts more than one model."
                if line.variant.models
                else f"Target model header is not allowed: variant {line.name} hosts one model."
            )
            self._answers.refuse(exchange, 400, "ValidationError", said)
            return None
        name = target.decode("latin-1")
        found = line.models.get(name)
        if found is None:
            found = line.models[name] = Line(line.variant, shadow=False)
            found.target = name
            self._wanted(found)
        found.used = time.perf_counter()
        return found

    def _join(self, exchange: Exchange, line: Line, *, again: bool = False) -> None:
        running = line.free_server(exchange.tried)
        if running is not None:
            self._enter(exchange, line, running)
        elif not line.servers and line.variant.down is not None:
            self._answers.model_error(exchange, 0, line.variant.down)
        elif len(line.waiting) >= self.limits.queued and not again:
            self._answers.refuse(
                exchange, 503, "ServiceUnavailable", f"Too many requests wait for variant {line.name}."
            )
        else:
            line.wait(exchange)

    def _mirrored(self, exchange: Exchange, line: Line) -> Exchange | None:
        """Dropped where the shadow is too slow: a mirrored request never makes anybody wait."""
        if (
            len(line.waiting) >= self.limits.shadow_queued
            or line.waiting_bytes + exchange.size > self.limits.shadow_held
            or not self.under_way.hold(exchange.size)
        ):
            line.dropped += 1
            return None
        copy = exchange.mirrored()
        copy.config, copy.line = exchange.config, line
        self.under_way.begin(copy)
        return copy

    def _is_sampled(self) -> bool:
        share = self._routing.mirrored if self._routing is not None else 0.0
        return share >= 1 or self._chance() < share

    def _enter(self, exchange: Exchange, line: Line, running: Running) -> None:
        hostnames, wanted = running.server.hostnames, exchange.headers.get(_CONTAINER)
        exchange.stage, exchange.first, exchange.last = 0, 0, len(running.server.ports) - 1
        if hostnames or wanted is not None:
            name = wanted.decode("latin-1") if wanted is not None else ""
            if name not in hostnames:
                self._answers.refuse(exchange, 400, "ValidationError", no_container(line.name, hostnames, name))
                return
            exchange.stage = exchange.first = exchange.last = hostnames.index(name)
        exchange.running = running
        running.busy += 1
        line.inside += 1
        self._send(exchange, running, exchange.body, exchange.headers.get(b"content-type"))

    def _leave(self, exchange: Exchange) -> None:
        running, exchange.running = exchange.running, None
        if running is None:
            return
        exchange.line.inside -= 1
        running.released()
        self._take(running)

    def _take(self, running: Running) -> None:
        while running.line is not None and running.free and (exchange := running.line.next()) is not None:
            self._enter(exchange, running.line, running)

    def _send(self, exchange: Exchange, running: Running, body: bytes, kind: bytes | None) -> None:
        if exchange.first == exchange.last:
            head = exchange.forwarded = exchange.forwarded or _head(lines(exchange, _FORWARDED), body)
        else:
            passed = lines(exchange, _BETWEEN) + (b"Content-Type: %b\r\n" % kind if kind is not None else b"")
            if exchange.stage == exchange.last:
                passed += lines(exchange, _ACCEPT)
            head = _head(passed, body)
        connection = running.connection(exchange.stage)
        if connection is not None:
            connection.send(exchange, head, body)
            return
        task = asyncio.get_running_loop().create_task(self._connect(exchange, running, head, body))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, exchange: Exchange, running: Running, head: bytes, body: bytes) -> None:
        stage = exchange.stage
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: ModelConnection(self, running, stage), "127.0.0.1", running.server.ports[stage]
            )
        except OSError as error:
            self._unreached(exchange, running, error)
            return
        running.opened(connection)
        if exchange.running is not running:  # its time was over meanwhile
            running.put_back(connection, time.perf_counter())
        elif running.server.key not in self._running:
            connection.close()
            self._unreached(exchange, running, ConnectionResetError("the server has ended"))
        else:
            connection.send(exchange, head, body)

    def _unreached(self, exchange: Exchange, running: Running, error: OSError) -> None:
        """Nothing was sent, so another server may have it, unless a container before has worked on it."""
        if isinstance(error, ConnectionError) and running.server.key in self._running:
            if running.line is not None:
                running.line.servers.remove(running)
                running.line = None
            self._unreachable(running.server.key)
        if exchange.running is not running:
            return
        self._leave(exchange)
        if exchange.stage == exchange.first and isinstance(error, ConnectionError):
            exchange.tried = (exchange.tried or set()) | {running.server.key}
            if exchange.line is self._shadow:
                self._join(exchange, exchange.line)
            elif exchange.door is None:
                self._answers.end(exchange, CLIENT_GONE)
            else:
                self._place(exchange)
        else:
            self._answers.model_error(exchange, 0, f"the model server could not be reached: {error!r}")

    def _sweep(self) -> None:
        limits, now = self.limits, time.perf_counter()
        for exchange in self.under_way.late():
            self._expire(exchange)
        for door in list(self._doors):
            if door.waits_for_client and now - door.moved > (
                limits.linger_seconds if door.lingering else limits.idle_seconds if door.idle else limits.answer_seconds
            ):
                door.slow()
        for running in self._running.values():
            running.close_idle(now - limits.idle_seconds / 2)
        period = min(max(limits.answer_seconds / 50, 0.02), 1.0)
        self._sweeper = asyncio.get_running_loop().call_later(period, self._sweep)

    def _expire(self, exchange: Exchange) -> None:
        seconds = self.limits.answer_seconds
        line, connection, running = exchange.line, exchange.connection, exchange.running
        if exchange.done:
            return
        if line.leave(exchange):
            said = f"No server of variant {line.name} was free within {seconds:g} seconds."
            self._answers.refuse(exchange, 503, "ServiceUnavailable", said)
            return
        if connection is not None:
            connection.exchange = exchange.connection = None
            exchange.model_seconds += time.perf_counter() - exchange.sent
            connection.close()
        self._leave(exchange)
        self._answers.model_error(exchange, 0, f"the model did not answer within {seconds:g} seconds", running)


def _head(passed: bytes, body: bytes) -> bytes:
    return b"%b%bContent-Length: %d\r\n\r\n" % (_HEAD, passed, len(body))


def _key(component: str) -> str:
    return f"component {component}"


def _components(routing: Routing) -> list[tuple[str, Variant]]:
    """With the keys of their lines, which no variant has."""
    return [(_key(name), variant) for name, variant in (routing.components or {}).items()]

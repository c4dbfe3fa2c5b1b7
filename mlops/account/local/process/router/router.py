"""Takes requests from clients' connections to a variant's servers, and answers back."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any

from mlops.account.local.process.capture.seen import Room, Seen, Side
from mlops.account.local.process.router import event_stream
from mlops.account.local.process.router.door import Door, lines
from mlops.account.local.process.router.engine import Engine
from mlops.account.local.process.router.exchange import Exchange
from mlops.account.local.process.router.model_connection import ModelConnection, Reply
from mlops.account.local.process.router.queues import Line, Running
from mlops.account.local.process.router.records import Record
from mlops.account.local.process.router.routing import Limits, Routing, Server, Variant
from mlops.account.local.process.router.wire import (
    CLIENT_GONE,
    CUSTOM_ATTRIBUTES,
    FORWARDED,
    INFERENCE_COMPONENT,
    INFERENCE_ID,
    STREAMED_TYPE,
    TARGET_CONTAINER,
    TARGET_MODEL,
    TARGET_VARIANT,
    error_body,
    error_headers,
)

_HEAD = b"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_FORWARDED = tuple((name.lower().encode(), name.encode()) for name in FORWARDED)
_NOT_FOR_ALL = (b"accept", b"content-type")
_BETWEEN = tuple(pair for pair in _FORWARDED if pair[0] not in _NOT_FOR_ALL)
_ACCEPT = tuple(pair for pair in _FORWARDED if pair[0] == b"accept")
_ANSWERED = ((b"content-type", b"Content-Type"), (CUSTOM_ATTRIBUTES.lower().encode(), CUSTOM_ATTRIBUTES.encode()))
_MODEL, _CONTAINER = TARGET_MODEL.lower().encode(), TARGET_CONTAINER.lower().encode()
_COMPONENT = INFERENCE_COMPONENT.lower().encode()
_STREAM_ANSWERED = ((b"content-type", STREAMED_TYPE.encode()), _ANSWERED[1])
_FRAMED = f"Content-Type: {event_stream.CONTENT_TYPE}\r\n".encode()
_TARGET, _ID = TARGET_VARIANT.lower().encode(), INFERENCE_ID.lower().encode()
_LONGEST_ERROR = 64 * 1024
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
        self.limits = limits or Limits()
        self.stopping = False
        self._record = record
        self._unreachable = unreachable
        self._wanted = wanted
        self._saw = saw
        self._room = room or Room()
        self._log_stream = log_stream
        self._chance = chance
        self._path = f"/endpoints/{name}/invocations".encode()
        self._routing: Routing | None = None
        self._lines: dict[str, Line] = {}
        self._shadow: Line | None = None
        self._running: dict[str, Running] = {}
        self._doors: set[Door] = set()
        self._under_way: dict[Exchange, None] = {}
        self._held = 0
        self._connecting: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    # From outside.

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
            self._end(exchange, CLIENT_GONE)

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
            self._refuse(exchange, status, code, said)

    def give_up_model(self, line: Line, reason: str) -> None:
        """It could not be loaded."""
        self._take_off(line)
        while (exchange := line.next()) is not None:
            self._model_error(exchange, 0, reason)

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

    def hold(self, count: int) -> bool:
        """Whether there is room for ``count`` bytes more of bodies."""
        if self._held + count > self.limits.held:
            return False
        self._held += count
        return True

    def release(self, exchange: Exchange) -> None:
        """Its body is needed no more."""
        self._held -= exchange.size
        exchange.size, exchange.parts, exchange.body = 0, [], b""

    def handle(self, exchange: Exchange) -> None:
        path = exchange.target.partition(b"?")[0]
        exchange.streaming = path == self._path + _STREAMED
        if exchange.method == b"POST" and (path == self._path or exchange.streaming):
            exchange.deadline = exchange.arrived + self.limits.answer_seconds
            self._under_way[exchange] = None
            self._place(exchange)
            if not exchange.done:
                shadow = self._shadow if self._shadow is not None and self._is_sampled() else None
                mirrored = self._mirrored(exchange, shadow) if shadow is not None else None
                if self._saw is not None:
                    self._see(exchange, mirrored, shadow)
                if mirrored is not None:
                    self._join(mirrored, mirrored.line)
            return
        self.release(exchange)
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
            self._end(exchange, CLIENT_GONE)
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
            self.release(exchange)
            exchange.stage = stage + 1
            self._send(exchange, running, reply.take_body(), kind)
            return
        # The server gets its next request before its answer goes to the client: it is the slower of the two.
        self._leave(exchange)
        self._finish(exchange, reply, running)

    def more(self, connection: ModelConnection, exchange: Exchange, reply: Reply) -> None:
        """A part of a reply. It is collected, so that a model that dies meanwhile can be told as a ModelError; what is
        asked for as a stream or too large is passed on."""
        if reply.status >= 400:
            if reply.size > _LONGEST_ERROR:
                reply.parts = [reply.take_body()[:_LONGEST_ERROR]]
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
            self._pass_on(exchange, reply)

    def lost(self, connection: ModelConnection, exchange: Exchange, reason: str) -> None:
        """No reply will come."""
        exchange.connection = None
        exchange.model_seconds += time.perf_counter() - exchange.sent
        if exchange.done:
            return
        self._leave(exchange)
        self._model_error(exchange, 0, reason)

    # Ours.

    def _serve(self, line: Line) -> None:
        line.servers = [self._running[key] for key in line.variant.servers if key in self._running]
        for running in line.servers:
            running.line = line
        if not line.servers and line.variant.down is not None:
            while (exchange := line.next()) is not None:
                self._model_error(exchange, 0, line.variant.down)
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
            self._refuse(exchange, 503, "ServiceUnavailable", f"Endpoint {self.name} is not in service.")
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
            self._refuse(exchange, 429, "ThrottlingException", f"Variant {line.name} takes {most} requests at a time.")
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
            said = _no_component(routing, name, self.name)
            if said is None:
                return self._lines[_key(name)]
        else:
            wanted = exchange.headers.get(_TARGET)
            key = routing.named(wanted.decode("latin-1"), self._chance) if wanted else routing.choose(self._chance())
            if (line := self._lines.get(key)) is not None:
                return line
            said = f"Variant {key} was not found for endpoint {self.name}."
        self._refuse(exchange, 400, "ValidationError", said)
        return None

    def _model(self, exchange: Exchange, line: Line, target: bytes | None) -> Line | None:
        """The line of the model that is asked for; None where the request was refused."""
        if not line.variant.models or not target:
            said = (
                f"Target model header is required: variant {line.name} hosts more than one model."
                if line.variant.models
                else f"Target model header is not allowed: variant {line.name} hosts one model."
            )
            self._refuse(exchange, 400, "ValidationError", said)
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
            self._model_error(exchange, 0, line.variant.down)
        elif len(line.waiting) >= self.limits.queued and not again:
            self._refuse(exchange, 503, "ServiceUnavailable", f"Too many requests wait for variant {line.name}.")
        else:
            line.wait(exchange)

    def _mirrored(self, exchange: Exchange, line: Line) -> Exchange | None:
        """Dropped where the shadow is too slow: a mirrored request never makes anybody wait."""
        if (
            len(line.waiting) >= self.limits.shadow_queued
            or line.waiting_bytes + exchange.size > self.limits.shadow_held
            or not self.hold(exchange.size)
        ):
            line.dropped += 1
            return None
        copy = exchange.mirrored()
        copy.config, copy.line = exchange.config, line
        copy.deadline = exchange.deadline
        self._under_way[copy] = None
        return copy

    def _is_sampled(self) -> bool:
        share = self._routing.mirrored if self._routing is not None else 0.0
        return share >= 1 or self._chance() < share

    def _see(self, exchange: Exchange, mirrored: Exchange | None, shadow: Line | None) -> None:
        """Where somebody wants to know how it ends; ``shadow`` was to be shown it."""
        capture = exchange.line.variant.capture
        if capture is not None and capture.share < 1 and self._chance() >= capture.share:
            capture = None
        if shadow is not None and mirrored is None:
            self._room.unshown += 1
        if capture is None and mirrored is None:
            return
        held = self._room.take(exchange.size + exchange.head)
        if not held:
            self._room.dropped += capture is not None
            self._room.unshown += mirrored is not None
            return
        sides = 1 if mirrored is None else 2
        exchange.seen = Seen(exchange.body, exchange.headers, capture, sides, held, time.time())
        if mirrored is not None:
            mirrored.seen = exchange.seen

    def _tell_seen(self, exchange: Exchange, seen: Seen, status: int) -> None:
        headers, body = exchange.answered or ({}, None)
        if body is not None:
            held = self._room.take(len(body))
            seen.held += held
            body = body if held else None
        line, exchange.seen, exchange.answered = exchange.line, None, None
        if self._saw is not None:
            microseconds = int(exchange.model_seconds * 1e6)
            side = Side(
                exchange.config,
                line.variant.told or line.variant.name,
                line.shadow,
                status,
                microseconds,
                headers,
                body,
            )
            self._saw(seen, side)

    def _enter(self, exchange: Exchange, line: Line, running: Running) -> None:
        hostnames, wanted = running.server.hostnames, exchange.headers.get(_CONTAINER)
        exchange.stage, exchange.first, exchange.last = 0, 0, len(running.server.ports) - 1
        if hostnames or wanted is not None:
            name = wanted.decode("latin-1") if wanted is not None else ""
            if name not in hostnames:
                self._refuse(exchange, 400, "ValidationError", _no_container(line.name, hostnames, name))
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
            passed = lines(exchange, _FORWARDED)
        else:
            passed = lines(exchange, _BETWEEN) + (b"Content-Type: %b\r\n" % kind if kind is not None else b"")
            if exchange.stage == exchange.last:
                passed += lines(exchange, _ACCEPT)
        head = b"%b%bContent-Length: %d\r\n\r\n" % (_HEAD, passed, len(body))
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
                self._end(exchange, CLIENT_GONE)
            else:
                self._place(exchange)
        else:
            self._model_error(exchange, 0, f"the model server could not be reached: {error!r}")

    def _finish(self, exchange: Exchange, reply: Reply, running: Running) -> None:
        status, line, door = reply.status, exchange.line, exchange.door
        if exchange.seen is not None and status < 400 and sum(map(len, reply.parts)) == reply.size:
            reply.parts = [reply.take_body()]
            exchange.answered = reply.headers, reply.parts[0]
        if status >= 400:
            text = reply.take_body()[:_LONGEST_ERROR].decode(errors="replace")[:2048]
            self._model_error(exchange, status, text, running)
        elif exchange.started or (exchange.streaming and door is not None):
            self._pass_on(exchange, reply)
            if door is not None:
                if (exchange.streaming or reply.length is None) and not exchange.old_protocol:
                    door.write(b"0\r\n\r\n")
                self._end(exchange, 200)
                door.answered(exchange)
            else:
                self._end(exchange, CLIENT_GONE)
        elif door is None:
            exchange.written = reply.size
            self._end(exchange, 200 if line.shadow else CLIENT_GONE)
        else:
            body = reply.take_body()
            exchange.written = len(body)
            self._end(exchange, 200)
            door.answer(exchange, 200, _answer_lines(reply.headers) + line.told, body)

    def _pass_on(self, exchange: Exchange, reply: Reply) -> None:
        door, line = exchange.door, exchange.line
        part = reply.take_body()
        if door is None:
            return
        length = None if exchange.streaming else reply.length
        if not exchange.started:
            exchange.started = True
            told = _stream_lines(reply.headers) if exchange.streaming else _answer_lines(reply.headers)
            door.begin(exchange, told + line.told, length)
        exchange.written += len(part)
        if part and exchange.streaming:
            part = event_stream.part(part)
        if part and length is None and not exchange.old_protocol:
            door.write(b"%x\r\n%b\r\n" % (len(part), part))
        elif part:
            door.write(part)
        # As long as something comes, it has time.
        if exchange in self._under_way:
            del self._under_way[exchange]
            exchange.deadline = time.perf_counter() + self.limits.answer_seconds
            self._under_way[exchange] = None

    def _model_error(self, exchange: Exchange, status: int, text: str, running: Running | None = None) -> None:
        line = exchange.line
        log = running.server.log if running is not None else next((item.server.log for item in line.servers), "")
        said = (
            f"Received {'server' if status >= 500 or not status else 'client'} error ({status}) from {line.name} with "
            f'message "{text}".{f" See {log}." if log else ""}'
        )
        stream = self._log_stream
        self._refuse(
            exchange, 424, "ModelError", said, OriginalStatusCode=status, OriginalMessage=text, LogStreamArn=stream
        )

    def _refuse(self, exchange: Exchange, status: int, code: str, message: str, **more: str | int) -> None:
        door = exchange.door
        if exchange.started and door is not None:
            self._end(exchange, status)
            self._break_off(exchange, door, message)
            return
        headers = error_headers(code) + (exchange.line.told if status == 424 else b"")
        body = error_body(code, message, **more)
        exchange.written = len(body)
        self._end(exchange, status)
        if door is not None:
            door.answer(exchange, status, headers, body)

    def _break_off(self, exchange: Exchange, door: Door, message: str) -> None:
        """In the middle of an answer: a stream can say so, the end of any other would be taken for its end."""
        if not exchange.streaming or exchange.old_protocol:
            door.cut()
            return
        is_late = time.perf_counter() >= exchange.deadline
        told = event_stream.fault(message, "ModelInvocationTimeExceeded" if is_late else "StreamBroken")
        door.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(told), told))
        door.answered(exchange)

    def _end(self, exchange: Exchange, status: int) -> None:
        """It is told, once."""
        exchange.done = True
        self._under_way.pop(exchange, None)
        line = exchange.line
        if exchange.seen is not None:
            self._tell_seen(exchange, exchange.seen, status)
        inference_id = exchange.headers.get(_ID)
        self._record(
            # By place: a name for each costs as much as the rest of it.
            Record(
                time.time(),
                exchange.config,
                line.variant.name,
                line.shadow,
                status,
                exchange.model_status,
                int(exchange.model_seconds * 1e6),
                int((time.perf_counter() - exchange.arrived - exchange.model_seconds) * 1e6),
                exchange.received,
                exchange.written,
                inference_id.decode("latin-1") if inference_id is not None else None,
            )
        )
        self.release(exchange)

    def _sweep(self) -> None:
        limits, now = self.limits, time.perf_counter()
        late: list[Exchange] = []
        # Not in the order of their deadlines: the configuration that was taken up meanwhile may give less time.
        late += [exchange for exchange in self._under_way if exchange.deadline <= now]
        # Those that wait first: none of them is to get the place of one that is late itself.
        for exchange in [*(item for item in late if item.sent == 0), *(item for item in late if item.sent)]:
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
            self._refuse(exchange, 503, "ServiceUnavailable", said)
            return
        if connection is not None:
            connection.exchange = exchange.connection = None
            exchange.model_seconds += time.perf_counter() - exchange.sent
            connection.close()
        self._leave(exchange)
        self._model_error(exchange, 0, f"the model did not answer within {seconds:g} seconds", running)


def _key(component: str) -> str:
    return f"component {component}"


def _components(routing: Routing) -> list[tuple[str, Variant]]:
    """With the keys of their lines, which no variant has."""
    return [(_key(name), variant) for name, variant in (routing.components or {}).items()]


def _no_component(routing: Routing, name: str, endpoint: str) -> str | None:
    """Why none is asked, in the service's words where those are known."""
    if routing.components is None:
        return (
            "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference "
            "components. Please remove the Inference Component Name header and try again."
        )
    if not name:
        return (
            "Inference Component Name header is required for endpoints to which you plan to deploy inference "
            "components. Please include Inference Component Name header or consider using SageMaker models."
        )
    found = routing.components.get(name)
    if found is None:
        return f"Inference Component {name} was not found for endpoint {endpoint}."
    if found.none:
        return (
            "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress "
            "(if configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
        )
    return None


def _no_container(variant: str, hostnames: tuple[str, ...], wanted: str) -> str:
    if not hostnames:
        return (
            f"Target container hostname is not allowed: the containers of variant {variant} are not invoked directly."
        )
    there = f"variant {variant} has {', '.join(hostnames)}"
    if not wanted:
        return f"Target container hostname is required for direct invocation: {there}."
    return f"Target container hostname {wanted} was not found: {there}."


def _stream_lines(headers: dict[bytes, bytes]) -> bytes:
    """The content type is the framing's; the model's own has another name."""
    return (
        b"".join([b"%b: %b\r\n" % (written, headers[name]) for name, written in _STREAM_ANSWERED if name in headers])
        + _FRAMED
    )


def _answer_lines(headers: dict[bytes, bytes]) -> bytes:
    return b"".join([b"%b: %b\r\n" % (written, headers[name]) for name, written in _ANSWERED if name in headers])

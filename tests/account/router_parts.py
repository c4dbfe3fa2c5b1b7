"""A router with stand-in models, and a client that speaks in bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from mlops.account.local.process.router.engine import Engine
from mlops.account.local.process.router.records import Record
from mlops.account.local.process.router.router import Router
from mlops.account.local.process.router.routing import Limits, Routing, Server, Variant

PATH = "/endpoints/door/invocations"


@dataclass
class Asked:
    head: str
    body: bytes

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


def reply(body: bytes, status: int = 200, *headers: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in headers)
    return f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


Answering = Callable[[Asked, asyncio.StreamWriter], Awaitable[bytes | None]]


async def echo(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
    return reply(b"<" + asked.body + b">", 200, "Content-Type: text/plain")


class Model:
    """Counts what reached it. ``answering`` gives the bytes of a reply, or None to break the connection off."""

    def __init__(self, answering: Answering = echo) -> None:
        self.answering = answering
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> Model:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def kill(self) -> None:
        """As the kernel closes what a killed process had open."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4]
                asked = Asked(head, b"")
                asked.body = await reader.readexactly(int(asked.header("Content-Length") or 0))
                self.asked.append(asked)
                answer = await self.answering(asked, writer)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@dataclass
class World:
    router: Router
    port: int
    records: list[Record] = field(default_factory=list)
    unreachable: list[str] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)

    async def model(self, answering: Answering = echo) -> Model:
        model = await Model(answering).start()
        self.models.append(model)
        return model

    def add(self, key: str, *models: Model, slots: int = 1) -> None:
        self.router.add(Server(key, tuple(model.port for model in models), slots, f"{key}.log"))

    def route(self, *variants: Variant, shadow: Variant | None = None) -> None:
        self.router.route(Routing("config", {variant.name: variant for variant in variants}, shadow))

    async def connect(self) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port))

    async def ask(self, body: bytes = b"in", *headers: str, path: str = PATH) -> Answer:
        client = await self.connect()
        client.send(post(body, *headers, path=path))
        answer = await client.answer()
        client.close()
        return answer


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def post(body: bytes = b"in", *headers: str, path: str = PATH, version: str = "1.1") -> bytes:
    lines = "".join(f"{line}\r\n" for line in headers)
    return (
        f"POST {path} HTTP/{version}\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[str, str]]:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")[:-4].split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return int(lines[0].split()[1]), headers

    async def answer(self) -> Answer:
        status, headers = await self.head()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while piece := await self.chunk():
                body += piece
        elif status == 100:
            body = b""
        elif "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"]))
        else:
            body = await self.reader.read()
        return Answer(status, headers, body)

    async def chunk(self) -> bytes:
        size = int(await self.reader.readline(), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def ended(self) -> bool:
        """Whether the other end closes, without a reset, and says nothing more."""
        return await self.reader.read(1) == b""

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Away, and not only done with sending."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def world(engine: Engine, limits: Limits | None = None, **more: Any) -> AsyncIterator[World]:
    records: list[Record] = []
    unreachable: list[str] = []
    router = Router("door", engine, record=records.append, unreachable=unreachable.append, limits=limits, **more)
    made = World(router, await router.start(), records, unreachable)
    try:
        yield made
    finally:
        for model in made.models:
            model.kill()
        await router.stop(0.5)


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)

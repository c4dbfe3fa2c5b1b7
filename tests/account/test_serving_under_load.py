"""An endpoint under load while its variants are replaced, killed, scaled and drained: no connection is reset or
refused, no request is sent twice, and nobody waits for what happens to another variant.

Models hold a request until the test lets it go, so nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import collections
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from account_parts import runner_with
from endpoint_parts import World, variant
from router_parts import PATH, Client, post

from mlops.account.local import LocalAccount, events
from mlops.account.local.process.router import records

# A body is "ID" or "ID PORT": then it is held until the test closes the connection that it makes to that port.
CODE = """
import os, socket, uuid
def model_fn(folder):
    return os.environ["WHO"] + "-" + uuid.uuid4().hex[:8]
def transform_fn(model, body, kind, accept):
    name, _, port = body.decode().partition(" ")
    os.write(1, f"got {name}\\n".encode())
    if port:
        with socket.create_connection(("127.0.0.1", int(port))) as gate:
            gate.recv(1)
    return model
"""
THREADS_OF_A_RUNNER = 24


class Gate:
    """Counts who came, and lets all go at once."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listening.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                self._held.append(self._listening.accept()[0])
            except OSError:
                return

    @property
    def count(self) -> int:
        return len(self._held)

    def open(self) -> None:
        while self._held:
            self._held.pop().close()

    def close(self) -> None:
        self._listening.close()
        self.open()


class Load:
    """Clients that ask one request after the other, each with an id of its own, until :meth:`stop`. Anything that is
    no answer is a fault."""

    def __init__(self, port: int, clients: int, *headers: str, body: str = "") -> None:
        self.port = port
        self.answers: list[tuple[str, int, str]] = []
        self.faults: list[str] = []
        self._headers, self._body, self._clients = headers, body, clients
        self._ended = threading.Event()
        self._numbers = iter(range(10_000_000))
        self._prefix = f"l{id(self):x}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    def stop(self) -> list[tuple[str, int, str]]:
        self._ended.set()
        self._thread.join(60)
        assert self.faults == []
        return self.answers

    def wait_for(self, more: int) -> None:
        """Until there are so many more answers of status 200."""
        wanted = self._good() + more
        deadline = time.monotonic() + 60
        while self._good() < wanted:
            assert time.monotonic() < deadline and not self.faults, self.faults
            time.sleep(0.01)

    def _good(self) -> int:
        return sum(status == 200 for _, status, _ in self.answers)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self._clients)))

    async def _client(self) -> None:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            while not self._ended.is_set():
                name = f"{self._prefix}-{next(self._numbers)}"
                client.send(post(f"{name}{self._body}".encode(), "Content-Type: text/plain", *self._headers))
                answer = await client.answer()
                self.answers.append((name, answer.status, answer.body.decode()))
                if answer.status != 200:
                    await asyncio.sleep(0.01)
        except (OSError, asyncio.IncompleteReadError) as fault:
            self.faults.append(repr(fault))
        finally:
            client.close()


class Held:
    """``count`` requests at a time, each on a connection of its own, that the gate holds."""

    def __init__(self, port: int, gate: Gate, count: int, target: str) -> None:
        self._port, self._gate, self._count, self._target = port, gate, count, target
        self.statuses: collections.Counter[int] = collections.Counter()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        before = gate.count
        self._thread.start()
        until(lambda: gate.count == before + count)

    def ended(self) -> collections.Counter[int]:
        self._thread.join(60)
        return self.statuses

    async def _run(self) -> None:
        await asyncio.gather(*(self._one(number) for number in range(self._count)))

    async def _one(self, number: int) -> None:
        client = Client(*await asyncio.open_connection("127.0.0.1", self._port))
        target = f"X-Amzn-SageMaker-Target-Variant: {self._target}"
        client.send(post(f"h{id(self):x}-{number} {self._gate.port}".encode(), "Content-Type: text/plain", target))
        self.statuses[(await client.answer()).status] += 1
        client.close()


def until(holds: object, seconds: float = 60) -> None:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def world(local: LocalAccount) -> Iterator[World]:
    found = World(local)
    for name in ("one", "two", "three"):
        found.model(name, CODE, WHO=name, SAGEMAKER_GUNICORN_THREADS="200")
    yield found
    found.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    with closing(Gate()) as made:
        yield made


def kill_server(world: World, who: str) -> None:
    """As the kernel kills what takes too much memory: the server's own process, from outside."""
    runner = runner_with(str(world.local.state.folder))
    below = [runner]
    for parent in below:
        for listed in Path(f"/proc/{parent}/task").glob("*/children"):
            # Of a thread that has just ended.
            with suppress(OSError):
                below += [int(word) for word in listed.read_text().split()]
    marked = [process for process in below[1:] if f"WHO={who}".encode() in environment(process)]
    assert len(marked) == 1
    os.kill(marked[0], signal.SIGKILL)


def environment(process: int) -> list[bytes]:
    try:
        return Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def threads_of_runner(world: World) -> int:
    status = Path(f"/proc/{runner_with(str(world.local.state.folder))}/status").read_text()
    return int(re.search(r"Threads:\s+(\d+)", status)[1])  # type: ignore[index]


def received(world: World) -> collections.Counter[str]:
    """How often each id reached a model."""
    logs = world.local.state.endpoint_folder("door").glob("logs/*/*.txt")
    return collections.Counter(line for log in logs for line in log.read_text().splitlines() if line.startswith("got"))


def told(world: World) -> list[str]:
    """What the endpoint's own process told."""
    kinds = ("endpoint.in-service", "endpoint.update-failed", "variant.ended", "variant.revived")
    return [event.kind for event in events.read(world.local.state.store, kinds=kinds, ids={"endpoint": "door"})]


def test_constant_load_while_variants_are_replaced_and_killed(world: World) -> None:
    world.config("c1", ("A", "one", 1), ("B", "two", 1))
    world.config("c2", ("A", "three", 1), ("B", "two", 1))
    world.serve("c1")
    load, other = Load(world.port, 8), Load(world.port, 1, "X-Amzn-SageMaker-Target-Variant: B")
    load.wait_for(50)
    world.update("c2")
    load.wait_for(50)
    kill_server(world, "three")
    # The other variant is served whatever happens to this one, and this one is back.
    other.wait_for(20)
    until(lambda: "variant.revived" in told(world))
    assert world.ask("last", TargetVariant="A").startswith("A three-")
    load.wait_for(50)
    world.update("c1")
    load.wait_for(50)
    assert threads_of_runner(world) <= THREADS_OF_A_RUNNER
    answers, others = load.stop(), other.stop()
    assert {status for _, status, _ in others} == {200}
    assert {status for _, status, _ in answers} <= {200, 424}
    # Eight clients had at most one request each inside what was killed.
    assert sum(status == 424 for _, status, _ in answers) <= 8
    assert set(received(world).values()) == {1}
    assert len({body for _, status, body in answers if status == 200}) == 7
    served, died = "endpoint.in-service", ["variant.ended", "variant.revived"]
    assert told(world) == [served, served, *died, served]
    folder = world.local.state.endpoint_folder("door") / records.FOLDER
    # And one for the last that was asked.
    until(lambda: len(records.read(folder)[0]) == len(answers) + len(others) + 1)
    assert {record.config for record in records.read(folder)[0]} == {"c1", "c2"}


@pytest.mark.proof("shift")
def test_200_requests_are_drained_while_everything_else_goes_on(world: World, gate: Gate) -> None:
    world.config("c1", ("A", "one", 1), ("B", "two", 0))
    world.config("c2", ("A", "three", 1), ("B", "two", 0))
    world.serve("c1")
    held = Held(world.port, gate, 200, "A")
    before = world.ask("before", TargetVariant="B")
    # The update is done although none of the 200 is answered,
    assert world.update("c2")["EndpointConfigName"] == "c2"
    assert gate.count == 200
    assert world.ask("during").startswith("A three-")
    after = world.ask("after", TargetVariant="B")
    assert before != after and after.startswith("B two-")
    # a server that is killed meanwhile is revived, weights are moved, and the next update is done too.
    kill_server(world, "three")
    until(lambda: "variant.revived" in told(world))
    assert world.ask("revived").startswith("A three-")
    shift = [{"VariantName": "A", "DesiredWeight": 0}, {"VariantName": "B", "DesiredWeight": 1}]
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="door", DesiredWeightsAndCapacities=shift)
    assert world.settled()["EndpointStatus"] == "InService"
    assert world.ask("shifted").startswith("B two-")
    world.update("c1")
    assert gate.count == 200
    assert threads_of_runner(world) <= THREADS_OF_A_RUNNER
    gate.open()
    assert held.ended() == {200: 200}
    assert set(received(world).values()) == {1}


@pytest.mark.proof("shift")
def test_requests_inside_a_killed_server_fail_at_once_and_are_sent_to_no_other(world: World, gate: Gate) -> None:
    world.config("c1", ("A", "one", 1), ("B", "two", 1))
    world.serve("c1")
    held, untouched = Held(world.port, gate, 50, "A"), Held(world.port, gate, 50, "B")
    kill_server(world, "one")
    # Nobody opens the gate for them.
    assert held.ended() == {424: 50}
    assert world.ask("again", TargetVariant="A").startswith("A one-")
    assert world.ask("other", TargetVariant="B").startswith("B two-")
    gate.open()
    assert untouched.ended() == {200: 50}
    assert set(received(world).values()) == {1}


def test_instances_and_workers_are_servers_of_their_own(world: World, gate: Gate) -> None:
    world.model("many", CODE, WHO="many", SAGEMAKER_MODEL_SERVER_WORKERS="2")
    world.sagemaker.create_endpoint_config(
        EndpointConfigName="c1", ProductionVariants=[variant("A", "many", 1, count=2)]
    )
    world.serve("c1")
    held = Held(world.port, gate, 4, "A")  # each has one request at a time
    gate.open()
    assert held.ended() == {200: 4}
    scale = [{"VariantName": "A", "DesiredInstanceCount": 1}]
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="door", DesiredWeightsAndCapacities=scale)
    (found,) = world.settled()["ProductionVariants"]
    assert found["CurrentInstanceCount"] == 1
    until(lambda: len({world.ask(str(time.monotonic_ns())) for _ in range(6)}) <= 2)
    scale[0]["DesiredInstanceCount"] = 2
    world.sagemaker.update_endpoint_weights_and_capacities(EndpointName="door", DesiredWeightsAndCapacities=scale)
    assert world.settled()["EndpointStatus"] == "InService"
    held = Held(world.port, gate, 4, "A")
    gate.open()
    assert held.ended() == {200: 4}


@pytest.mark.proof("shift")
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_wrk_sees_no_fault_while_a_variant_is_replaced_and_killed(world: World, tmp_path: Path) -> None:
    world.config("c1", ("A", "one", 1))
    world.config("c2", ("A", "two", 1))
    world.serve("c1")
    script = tmp_path / "post.lua"
    script.write_text('wrk.method = "POST"\nwrk.body = "x"\nwrk.headers["Content-Type"] = "text/plain"\n')
    url = f"http://127.0.0.1:{world.port}{PATH}"
    wrk = subprocess.Popen(
        ["wrk", "-t1", "-c16", "-d6", "--timeout", "30", "-s", str(script), url], stdout=subprocess.PIPE, text=True
    )
    world.update("c2")
    world.update("c1")
    kill_server(world, "one")
    until(lambda: "variant.revived" in told(world))
    assert world.ask().startswith("A one-")
    answered, _ = wrk.communicate(timeout=60)
    assert "Requests/sec" in answered and "Socket errors" not in answered
    # Each connection had at most one request inside what was killed.
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", answered)
    assert refused is None or int(refused[1]) <= 16

"""A controller in a process of its own that is stopped (SIGSTOP) before and after each of its calls, while another one
takes over, and then continued (SIGCONT): behind its successor's end, and amid its successor's work."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.controller import Outcome
from mlops.ir.shift import after_all

from .service import Pages, Service
from .test_controller import ENVIRONMENT, OLD, controller, models, moves_of
from .test_controller import journal as plain
from .test_scaling import journal as with_scaling
from .test_scaling import scaled, seen

WRITES = frozenset(
    {
        "create_endpoint_config",
        "update_endpoint",
        "update_endpoint_weights_and_capacities",
        "put_object",
        "register_scalable_target",
        "deregister_scalable_target",
        "put_scaling_policy",
        "put_scheduled_action",
    }
)
WAYS: dict[str, tuple[Callable[[], Service], Callable[[], journals.Journal]]] = {
    "canary": (lambda: Service(OLD), lambda: plain(moves_of("canary"))),
    "blue-green": (lambda: Service(OLD), lambda: plain(moves_of("blue-green"))),
    "linear": (lambda: Service(OLD), lambda: plain(moves_of("linear"))),
    "rolling": (lambda: Service(OLD), lambda: plain(moves_of("rolling"))),
    "stepped": (lambda: Service(OLD), lambda: plain(moves_of("stepped"))),
    "guardrails, scaled": (scaled, lambda: with_scaling("guardrails")),
    "stepped, scaled": (scaled, lambda: with_scaling("stepped")),
    "another type at once, scaled": (scaled, lambda: with_scaling("another type at once")),
}
NEVER = 1_000_000
DEEP = pytest.mark.proof("kills")
ROWS = [
    pytest.param(way, when, wakes, back, marks=() if (way, when, wakes) == ("canary", "before", "behind") else DEEP)
    for way in WAYS
    for when in ("before", "after")
    for wakes in ("behind", "amid")
    for back in (False, True)
]


class Remote:
    """An account whose calls somebody else makes, who may be long in answering."""

    region = "eu-west-1"
    events = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def client(self, service: str) -> Remote:
        return self

    def get_paginator(self, operation: str) -> Pages:
        return Pages(lambda **request: self._ask("get_paginator", operation, request))  # type: ignore[no-any-return]

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **request: self._ask(operation, "", request)

    def _ask(self, operation: str, pages: str, request: dict[str, Any]) -> Any:
        self._connection.send((operation, pages, request))
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def other_side(connection: Connection) -> None:
    """One shift after the other, each told to the end."""
    account: Any = Remote(connection)
    while (way := connection.recv()) is not None:
        try:
            verb = controller(account).go(WAYS[way][1](), None).verb
        except Exception as error:
            verb = f"{type(error).__name__}: {error}"
        connection.send(("ended", "", {"verb": verb}))


@dataclass
class Process:
    """The controller's. It is stopped at its write ``number``, ``when`` that is made or not."""

    connection: Connection
    pid: int
    service: Service = field(default_factory=lambda: Service(OLD))
    written: list[str] = field(default_factory=list)

    def serve(self, number: int = 0, when: str = "", stopped: Callable[[Callable[[], str]], str] | None = None) -> str:
        """What it ends with. ``stopped`` is called when it stands, with what makes it go on to its end."""
        while True:
            operation, pages, request = self.connection.recv()
            if operation == "ended":
                return str(request["verb"])
            self.written += [operation] if operation in WRITES else []
            if stopped is None or operation not in WRITES or len(self.written) != number:
                self.connection.send(self._made(operation, pages, request))
                continue
            made = [self._made(operation, pages, request)] if when == "after" else []
            os.kill(self.pid, signal.SIGSTOP)
            _, status = os.waitpid(self.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)

            def goes_on(made: list[Any] = made, asked: Any = (operation, pages, request)) -> str:
                answer = made[0] if made else self._made(*asked)
                os.kill(self.pid, signal.SIGCONT)
                self.connection.send(answer)
                return self.serve()

            return stopped(goes_on)

    def _made(self, operation: str, pages: str, request: dict[str, Any]) -> Any:
        try:
            if operation == "get_paginator":
                return self.service.get_paginator(pages).ask(**request)
            return getattr(self.service, operation)(**request)
        except ClientError as error:
            return error


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=other_side, args=(theirs,), daemon=True)
    child.start()
    theirs.close()
    assert child.pid is not None
    yield Process(ours, child.pid)
    ours.send(None)
    child.join(120)


def taken_over(service: Service, back: bool) -> Outcome | None:
    """By a successor, to its end; None where nothing was left to do."""
    account: Any = service
    stored = journals.read(account, ENVIRONMENT, "churn")
    if stored is None or stored.journal.is_over:
        return None
    ours = replace(stored.journal, writer="b", fence=stored.journal.fence + 1)
    successor = controller(service)
    return successor.back(ours, stored.etag, "it hangs") if back else successor.go(ours, stored.etag)


def whole(process: Process, way: str) -> list[str]:
    """Its writes."""
    process.service, process.written = WAYS[way][0](), []
    process.connection.send(way)
    assert process.serve() == "shifted"
    return list(process.written)


@pytest.mark.parametrize(("way", "when", "wakes", "back"), ROWS)
def test_a_process_that_was_stopped_makes_one_call_and_its_successor_sees_it(
    process: Process, way: str, when: str, wakes: str, back: bool
) -> None:
    begun = WAYS[way][1]()
    operations = whole(process, way)
    if wakes == "behind":
        for number in range(1, len(operations) + 1):
            once(process, way, number, when, 0, back, begun)
        return
    # Where something else than the journal is written, or comes next.
    moment = 0 if when == "before" else 1
    numbers = [number for number, name in enumerate(operations, 1) if name != "put_object" and number > moment]
    for number in numbers:
        writes = once(process, way, number - moment, when, NEVER, back, begun)
        for amid in (item for item in range(1, writes + 1) if item < 3 or item % 7 == 0 or item > writes - 4):
            once(process, way, number - moment, when, amid, back, begun)


def once(process: Process, way: str, number: int, when: str, amid: int, back: bool, begun: journals.Journal) -> bool:
    """Whether the successor made so many writes."""
    service = process.service = WAYS[way][0]()
    process.written = []
    ended, outcomes, written = [], [], [0]

    def stopped(goes_on: Callable[[], str]) -> str:
        def hook(at: str, operation: str) -> None:
            written[0] += at == "after"
            if at == "after" and written[0] == amid:
                service.hook = lambda at, operation: None
                account: Any = service
                stored = journals.read(account, ENVIRONMENT, "churn")
                ended.append(goes_on())
                made = [operation for operation in process.written[number - 1 :] if operation != "put_object"]
                # Behind its successor's last word it takes back what it did.
                over = stored is not None and stored.journal.is_over
                assert over or len(made) <= 1, f"{way}: {made}, stopped {when} write {number}, continued behind {amid}"

        service.hook = hook
        outcomes.append(taken_over(service, back))
        service.hook = lambda at, operation: None
        return ended[0] if ended else goes_on()

    process.connection.send(way)
    verb = process.serve(number, when, stopped)
    (outcome,) = outcomes
    continued = f"behind its successor's write {amid}" if amid else "behind its successor's end"
    at = f"{way}: stopped {when} write {number} ({process.written[number - 1]}), continued {continued}"
    if outcome is None:
        assert verb in ("shifted", "taken over"), at
        return 0
    assert (verb, outcome.verb) == ("taken over", "taken back" if back else "shifted"), at
    wanted = begun.old if back else after_all(begun.old, begun.moves)
    assert (service.serving.config, models(service)) == (
        wanted.config,
        [(item.request["ModelName"], item.count) for item in wanted.variants],
    ), at
    for target in seen(service):
        assert target.suspended == begun.scaling[0].suspended, at
    return written[0]

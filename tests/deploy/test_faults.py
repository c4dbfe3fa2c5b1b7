"""Faults between client and account, kills at every write, two upserts at once: it ends right, or says what is done and
what is not, and running it again finishes."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from mlops.account import connect
from mlops.deploy.pipelines import record
from mlops.deploy.pipelines.actions import Action, UpdatePipeline, WriteRecord
from mlops.deploy.pipelines.apply import Listener, apply
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.state import describe
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import AccountError, Refusal

from .conftest import World
from .test_upsert import WRITES

Fault = Callable[[Any, str], AWSResponse | None]


def reply(request: Any, status: int, code: str) -> AWSResponse:
    told = f"<Error><Code>{code}</Code><Message>injected</Message></Error>"
    if "X-Amz-Target" in request.headers:
        told = f'{{"__type": "{code}", "message": "injected"}}'
    elif "Action=" in str(request.body):
        told = f"<ErrorResponse>{told}</ErrorResponse>"
    answer = AWSResponse(request.url, status, HeadersDict({"x-amzn-ErrorType": code}), None)
    answer._content = told.encode()
    return answer


def throttled() -> Fault:
    chance = random.Random(7)

    def fault(request: Any, operation: str) -> AWSResponse | None:
        return reply(request, 400, "ThrottlingException") if chance.random() < 0.3 else None

    return fault


def first_fails_with_500() -> Fault:
    seen: set[str] = set()

    def fault(request: Any, operation: str) -> AWSResponse | None:
        if operation in seen:
            return None
        seen.add(operation)
        return reply(request, 500, "InternalServerError")

    return fault


def answers_are_lost() -> Fault:
    """Every write is done, and its first answer never comes."""
    seen: set[str] = set()

    def fault(request: Any, operation: str) -> AWSResponse | None:
        place = f"{operation} {request.url}"
        if place in seen or not operation.startswith(WRITES):
            return None
        seen.add(place)
        URLLib3Session().send(request)
        raise ReadTimeoutError(endpoint_url=request.url)

    return fault


def reset_in_an_upload() -> Fault:
    seen: set[str] = set()

    def fault(request: Any, operation: str) -> AWSResponse | None:
        if operation != "PutObject" or request.url in seen:
            return None
        seen.add(request.url)
        raise ConnectionClosedError(endpoint_url=request.url)

    return fault


on_moto = pytest.mark.parametrize("world", ["moto"], indirect=True)
"""The local account sends nothing."""


@pytest.fixture
def inject(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fault], None]:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)

    def register(fault: Fault) -> None:
        def before_send(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
            return fault(request, event_name.rpartition(".")[2])

        for service in ("s3", "sagemaker", "sts"):
            world.account.client(service).meta.events.register("before-send.*.*", before_send)

    return register


@on_moto
@pytest.mark.parametrize("fault", [throttled, first_fails_with_500, answers_are_lost, reset_in_an_upload])
def test_a_passing_fault_is_outlived(world: World, inject: Callable[[Fault], None], fault: Callable[[], Fault]) -> None:
    inject(fault())
    assert upsert(world.account, world.environment, world.compiled()).action == "created"
    assert upsert(world.account, world.environment, world.compiled("Else", "print(2)\n")).action == "updated"
    assert upsert(world.account, world.environment, world.compiled("Else", "print(2)\n")).action == "unchanged"


@on_moto
@pytest.mark.parametrize(
    "good",
    [*(0, 1, 3, 5, 7), *(pytest.param(good, marks=pytest.mark.proof("kills")) for good in (2, 4, 6))],
    ids=lambda good: f"after {good} calls",
)
def test_credentials_that_expire_in_the_middle(world: World, inject: Callable[[Fault], None], good: int) -> None:
    left = [good]

    def fault(request: Any, operation: str) -> AWSResponse | None:
        left[0] -= 1
        return reply(request, 400, "ExpiredTokenException") if left[0] < 0 else None

    inject(fault)
    with pytest.raises(AccountError) as caught:
        upsert(world.account, world.environment, world.compiled())
    assert "expired" in str(caught.value.hint) or "ExpiredToken" in caught.value.message
    again = connect(world.environment)
    assert upsert(again, world.environment, world.compiled()).action in ("created", "unchanged")
    assert upsert(again, world.environment, world.compiled()).action == "unchanged"


@on_moto
def test_what_is_done_and_what_is_not_is_told(world: World, inject: Callable[[Fault], None]) -> None:
    def fault(request: Any, operation: str) -> AWSResponse | None:
        return reply(request, 400, "AccessDeniedException") if operation == "CreatePipeline" else None

    inject(fault)
    with pytest.raises(AccountError) as caught:
        upsert(world.account, world.environment, world.compiled())
    assert "done: upload s3://" in caught.value.message
    assert "not done: create the pipeline churn" in caught.value.message
    assert "run it again" in str(caught.value.hint)


@on_moto
@pytest.mark.parametrize("first", [True, False], ids=["create", "update"])
def test_what_was_taken_and_not_read_back_is_told(world: World, inject: Callable[[Fault], None], first: bool) -> None:
    if not first:
        upsert(world.account, world.environment, world.compiled())
    taken = []

    def fault(request: Any, operation: str) -> AWSResponse | None:
        if operation in ("CreatePipeline", "UpdatePipeline"):
            taken.append(operation)
        return reply(request, 400, "ExpiredTokenException") if taken and operation == "DescribePipeline" else None

    inject(fault)
    with pytest.raises(AccountError) as caught:
        upsert(world.account, world.environment, world.compiled("Who stays?", "print(2)\n"))
    verb = "create" if first else "update"
    assert f"taken by the account, and not read back: {verb} the pipeline churn" in caught.value.message
    assert "not done: nothing" in caught.value.message
    again = connect(world.environment)
    changed = world.compiled("Who stays?", "print(2)\n")
    assert upsert(again, world.environment, changed).action == "unchanged"


@pytest.mark.parametrize("world", ["local", pytest.param("moto", marks=pytest.mark.proof("kills"))], indirect=True)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("first", [True, False], ids=["create", "update"])
def test_a_kill_at_each_write_is_finished_by_the_next(world: World, first: bool, after: bool) -> None:
    if not first:
        upsert(world.account, world.environment, world.compiled())
    reached = 0
    for number in range(1, 9):
        source = (f"Kill {first} {after} {number}", f"print({number}, {first})\n")
        checked = world.compiled(*source)
        if not killed_at(world, checked, number, after=after):
            break
        reached = number
        # Somebody with another content, and the same again, may go on at once: the killed process is seen to be dead.
        if number % 2:
            upsert(world.account, world.environment, world.compiled(f"Other {number}", f"print({number})\n"))
            checked = world.compiled(*source)
        done = upsert(world.account, world.environment, checked)
        assert done.action in ("created", "updated", "unchanged")
        assert upsert(world.account, world.environment, checked).action == "unchanged"
        found = plan(world.account, world.environment, checked)
        assert (found.verb, found.drift, found.unfinished) == ("nothing", None, None)
        if first:
            world.account.client("sagemaker").delete_pipeline(PipelineName="churn", ClientRequestToken=f"{number:032}")
            record.remove(world.account, world.environment, "churn")
    assert reached >= 3


def killed_at(world: World, checked: Any, number: int, *, after: bool) -> bool:
    """Upsert in a process of its own that is killed at its ``number``-th write; False where it made fewer."""
    child = os.fork()
    if child == 0:
        writes = [0]

        def write(model: Any, **_: Any) -> None:
            if model.name.startswith(WRITES):
                writes[0] += 1
                if writes[0] == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            account = connect(world.environment)
            for service in ("s3", "sagemaker"):
                events = account.client(service).meta.events
                events.register_first(f"{'after' if after else 'before'}-call.*.*", write)
            upsert(account, world.environment, checked)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


@pytest.mark.parametrize("number", range(1, 4))
def test_an_interrupt_at_each_write_tells_what_is_done(world: World, number: int) -> None:
    upsert(world.account, world.environment, world.compiled())
    found = plan(world.account, world.environment, world.compiled("Else", "print(2)\n"))
    seen: list[Action] = []

    def interrupt(action: Action) -> None:
        seen.append(action)
        if len(seen) == number:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        apply(world.account, world.environment, found, listener=Listener(interrupt))
    done, left = caught.value.__notes__
    assert done.startswith("churn: done: upload s3://") and left.startswith("churn: not done: ")
    assert ("update the pipeline" in left) == (number < 3)
    assert upsert(world.account, world.environment, world.compiled("Else", "print(2)\n"))
    assert upsert(world.account, world.environment, world.compiled("Else", "print(2)\n")).action == "unchanged"


def test_of_two_plans_the_second_is_told(world: World) -> None:
    one = plan(world.account, world.environment, world.compiled("One"))
    two = plan(world.account, world.environment, world.compiled("Two"))
    assert apply(world.account, world.environment, one).action == "created"
    with pytest.raises(Refusal, match="another upsert began"):
        apply(world.account, world.environment, two)
    assert stored(world) == "One"


@pytest.mark.parametrize("between", [WriteRecord, UpdatePipeline], ids=["before the update", "after the update"])
def test_who_comes_in_between_is_told_and_leaves_no_trace(world: World, between: type) -> None:
    upsert(world.account, world.environment, world.compiled())
    early = plan(world.account, world.environment, world.compiled("Early"))
    told: list[str] = []

    def done(action: Action) -> None:
        if isinstance(action, between):
            for late in (early, None):
                try:
                    if late is None and between is WriteRecord:
                        upsert(world.account, world.environment, world.compiled("Late"))
                    elif late is not None:
                        apply(world.account, world.environment, late)
                except Refusal as refusal:
                    told.append(refusal.message)

    chosen = plan(world.account, world.environment, world.compiled("Chosen"))
    assert apply(world.account, world.environment, chosen, listener=Listener(done)).action == "updated"
    assert stored(world) == "Chosen"
    assert len(told) == (2 if between is WriteRecord else 1)
    assert upsert(world.account, world.environment, world.compiled("Chosen")).action == "unchanged"


def test_two_at_once_one_wins_whole(world: World) -> None:
    for number in range(3):
        plans = [
            (name, plan(world.account, world.environment, world.compiled(name)))
            for name in (f"Left {number}", f"Right {number}")
        ]
        start = threading.Barrier(2)
        ended: dict[str, str] = {}

        def one(name: str, planned: Any, start: threading.Barrier = start, ended: dict[str, str] = ended) -> None:
            start.wait()
            try:
                ended[name] = apply(world.account, world.environment, planned).action
            except Refusal:
                ended[name] = "told"

        threads = [threading.Thread(target=one, args=item) for item in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winners = [name for name, how in ended.items() if how != "told"]
        assert len(winners) == 1 and "told" in ended.values()
        assert stored(world) == winners[0]


def test_two_at_once_of_the_same_are_both_told_that_it_is_there(world: World) -> None:
    for number in range(3):
        checked = world.compiled(f"Same {number}")
        planned = plan(world.account, world.environment, checked)
        start = threading.Barrier(2)
        failed: list[BaseException] = []

        def one(planned: Any = planned, start: threading.Barrier = start, failed: Any = failed) -> None:
            start.wait()
            try:
                apply(connect(world.environment), world.environment, planned)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed
        after = plan(world.account, world.environment, checked)
        assert (after.verb, after.drift, after.unfinished) == ("nothing", None, None)


def stored(world: World) -> str | None:
    found = describe(world.account, "churn")
    assert found is not None
    return found.state.description

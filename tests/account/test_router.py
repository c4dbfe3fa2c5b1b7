"""The router, on both of its engines: what is HTTP and what is not, who is asked, and what is never done twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from router_parts import PATH, Asked, World, echo, post, reply, until, world

from mlops.account.local.process.router.engine import Engine, fast, plain
from mlops.account.local.process.router.routing import Limits, Routing, Variant


@pytest.fixture(params=["plain", "fast"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found = plain() if request.param == "plain" else fast()
    if found is None:
        pytest.skip("httptools and uvloop are not installed")
    return found


def run(engine: Engine, work: Callable[[World], Awaitable[None]], limits: Limits | None = None, **more: Any) -> None:
    async def whole() -> None:
        async with asyncio.timeout(30):
            async with world(engine, limits, **more) as made:
                await work(made)

    engine.run(whole())


async def one_model(made: World, answering: Any = echo, slots: int = 4) -> Any:
    model = await made.model(answering)
    made.add("one", model, slots=slots)
    made.route(Variant("A", ("one",)))
    return model


SMALL = Limits(body=100)
CHUNKED = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n".encode()
OK, BAD = [200], [400]


@pytest.mark.parametrize(
    ("sent", "statuses", "stays"),
    [
        pytest.param(post(), OK, True, id="a request"),
        pytest.param(post(b""), OK, True, id="an empty body"),
        pytest.param(post().replace(b"Content-Length", b"content-LENGTH"), OK, True, id="names in any case"),
        pytest.param(b"\r\n" + post(), OK, True, id="an empty line before"),
        pytest.param(post() * 20, OK * 20, True, id="pipelined"),
        pytest.param(post(version="1.0"), OK, False, id="HTTP/1.0"),
        pytest.param(post(b"in", "Connection: keep-alive", version="1.0"), OK, True, id="HTTP/1.0 that stays"),
        pytest.param(post(b"in", "Connection: close"), OK, False, id="a last request"),
        pytest.param(post(b"in", "Connection: close") + post(), OK, False, id="one behind the last"),
        pytest.param(post(b"in", "Upgrade: h2c", "Connection: Upgrade") + post(), OK * 2, True, id="no upgrade"),
        pytest.param(b"GET /ping HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", OK, True, id="a health check"),
        pytest.param(
            CHUNKED + b"Upgrade: x\r\nConnection: Upgrade\r\n\r\n2\r\nin\r\n0\r\n\r\n",
            OK,
            True,
            id="no upgrade of chunks",
        ),
        pytest.param(b"CONNECT x:1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", BAD, False, id="a tunnel"),
        pytest.param(post(path="/other"), [404], True, id="another path"),
        pytest.param(post(path=f"{PATH}?a=b"), OK, True, id="a query"),
        pytest.param(CHUNKED + b"\r\n2\r\nin\r\n1;x=y\r\n!\r\n0\r\n\r\n", OK, True, id="chunks"),
        pytest.param(CHUNKED + b"\r\n2\r\nin\r\n0\r\nX: y\r\n\r\n" + post(), OK * 2, True, id="trailers"),
        pytest.param(post(b"x" * 101), [413], False, id="a body too large"),
        pytest.param(CHUNKED + b"\r\n65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", [413], False, id="chunks too large"),
        pytest.param(post() + post(b"x" * 101), [200, 413], False, id="too large behind a good one"),
        pytest.param(b"hello\r\n\r\n", BAD, False, id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", BAD, False, id="TLS"),
        pytest.param(post() + b"hello\r\n\r\n", [200, 400], False, id="no HTTP behind a good one"),
        pytest.param(post().replace(b"\r\n", b"\n"), BAD, False, id="bare line ends"),
        pytest.param(post().replace(b"HTTP/1.1", b"HTTP/2.0"), BAD, False, id="another version"),
        pytest.param(post().replace(b"Length: 2", b"Length: -2"), BAD, False, id="a negative length"),
        pytest.param(post().replace(b"Length: 2", b"Length: two"), BAD, False, id="a length in words"),
        pytest.param(post(b"in", "Content-Length: 3"), BAD, False, id="two lengths"),
        pytest.param(post(b"in", "Transfer-Encoding: chunked"), BAD, False, id="a length and chunks"),
        pytest.param(post(b"in", "A : b"), BAD, False, id="a space before the colon"),
        pytest.param(post(b"in", "A: b\r\n c"), BAD, False, id="a folded header"),
        pytest.param(post(b"in", "A: b\0c"), BAD, False, id="a control character"),
        pytest.param(post(b"in", "no colon"), BAD, False, id="a header without a colon"),
        pytest.param(CHUNKED + b"\r\nxyz\r\n", BAD, False, id="no size of a chunk"),
        pytest.param(CHUNKED + b"\r\n1\r\ninn\r\n", BAD, False, id="a chunk longer than its size"),
        pytest.param(post(b"in", "A: " + "b" * 70_000), BAD, False, id="a long header"),
        pytest.param(b"POST /" + b"x" * 70_000, BAD, False, id="a long line without an end"),
    ],
)
@pytest.mark.parametrize("piece", [1_000_000, 3], ids=["at once", "in pieces"])
def test_what_comes_in(engine: Engine, sent: bytes, statuses: list[int], stays: bool, piece: int) -> None:
    async def work(made: World) -> None:
        model = await one_model(made)
        client = await made.connect()
        step = max(piece, len(sent) // 200)
        for start in range(0, len(sent), step):
            client.send(sent[start : start + step])
            await asyncio.sleep(0)
        assert [(await client.answer()).status for _ in statuses] == statuses
        assert len(model.asked) == statuses.count(200) - sent.startswith(b"GET")
        if stays:
            client.send(post(b"again"))
            assert (await client.answer()).body == b"<again>"
        else:
            assert await client.ended()
        client.close()

    run(engine, work, SMALL)


def test_an_answer_leaves_in_one_piece(engine: Engine) -> None:
    async def work(made: World) -> None:
        model = await one_model(made)
        client = await made.connect()
        for _ in range(5):
            client.send(post(b"in", "Content-Type: text/csv"))
            assert (await client.reader.read(65_536)).endswith(b"\r\n\r\n<in>")
        assert len(model.asked) == 5

    run(engine, work)


def test_pipelined_requests_are_answered_in_their_order(engine: Engine) -> None:
    async def unequal(asked: Asked, writer: Any) -> bytes:
        await asyncio.sleep(0.02 if asked.body == b"0" else 0)
        return reply(asked.body)

    async def work(made: World) -> None:
        await one_model(made, unequal)
        client = await made.connect()
        client.send(b"".join(post(str(number).encode()) for number in range(100)))
        assert [int((await client.answer()).body) for _ in range(100)] == list(range(100))

    run(engine, work)


def test_who_waits_for_leave_to_send_gets_it(engine: Engine) -> None:
    async def work(made: World) -> None:
        await one_model(made)
        client = await made.connect()
        head, body = post(b"in", "Expect: 100-continue").split(b"\r\n\r\n")
        for _ in range(2):
            client.send(head + b"\r\n\r\n")
            assert (await client.answer()).status == 100
            client.send(body)
            assert (await client.answer()).body == b"<in>"
        client.send(post(b"x" * 101, "Expect: 100-continue")[:-101])
        assert (await client.answer()).status == 413
        assert await client.ended()

    run(engine, work, SMALL)


def test_a_client_that_only_listens_any_more_gets_its_answer(engine: Engine) -> None:
    async def work(made: World) -> None:
        await one_model(made)
        client = await made.connect()
        client.send(post() + post(b"two"))
        client.writer.write_eof()
        assert [(await client.answer()).body for _ in range(2)] == [b"<in>", b"<two>"]
        assert await client.ended()

    run(engine, work)


@pytest.mark.parametrize("sent", [b"", b"POST / HTTP/1.1\r\nHo", post(b"x" * 50)[:-10]])
def test_slow_clients_are_not_waited_for(engine: Engine, sent: bytes) -> None:
    async def work(made: World) -> None:
        await one_model(made)
        client = await made.connect()
        client.send(sent)
        if sent:
            assert (await client.answer()).status == 408
        assert await client.ended()

    run(engine, work, Limits(answer_seconds=0.2, idle_seconds=0.2))


def test_a_client_that_takes_nothing_is_not_waited_for(engine: Engine) -> None:
    async def work(made: World) -> None:
        await one_model(made, lambda asked, writer: large(8_000_000))
        client = await made.connect()
        client.reader._limit = 1  # type: ignore[attr-defined]
        client.send(post())
        await until(lambda: made.records != [] or not made.router._doors)
        await until(lambda: not made.router._doors)

    async def large(size: int) -> bytes:
        return reply(b"x" * size)

    run(engine, work, Limits(answer_seconds=0.3))


def test_what_reaches_the_model_and_what_comes_back(engine: Engine) -> None:
    async def answering(asked: Asked, writer: Any) -> bytes:
        custom = "X-Amzn-SageMaker-Custom-Attributes: back"
        return reply(b"out", 200, "Content-Type: text/csv", custom, "X-Own: no")

    async def work(made: World) -> None:
        model = await one_model(made, answering)
        given = {
            "Content-Type": "text/csv",
            "Accept": "text/csv",
            "X-Amzn-SageMaker-Custom-Attributes": "there",
            "X-Amzn-SageMaker-Inference-Id": "i-1",
            "X-Amzn-SageMaker-Session-Id": "s",
            "X-Amzn-SageMaker-Target-Variant": "A",
        }
        answer = await made.ask(b"in", *(f"{name}: {value}" for name, value in given.items()), "X-Secret: no")
        (asked,) = model.asked
        assert {name: asked.header(name) for name in given} == given
        assert asked.header("X-Secret") is None
        assert answer.headers == {
            "content-type": "text/csv",
            "x-amzn-sagemaker-custom-attributes": "back",
            "x-amzn-invoked-production-variant": "A",
            "content-length": "3",
        }
        (record,) = made.records
        assert (record.config, record.variant, record.shadow, record.status) == ("config", "A", False, 200)
        assert (record.model_status, record.bytes_in, record.bytes_out, record.inference_id) == (200, 2, 3, "i-1")
        assert 0 < record.model_microseconds < 5_000_000 and 0 < record.overhead_microseconds < 5_000_000

    run(engine, work)


def test_a_trailer_chooses_no_variant(engine: Engine) -> None:
    async def work(made: World) -> None:
        await one_model(made)
        client = await made.connect()
        client.send(CHUNKED + b"\r\n2\r\nin\r\n0\r\nX-Amzn-SageMaker-Target-Variant: B\r\n\r\n")
        assert (await client.answer()).status == 200

    run(engine, work)


def test_variants_by_weight_and_by_name(engine: Engine) -> None:
    chances = iter([0.0, 0.24, 0.26, 0.99])

    async def work(made: World) -> None:
        for name in "ABC":
            made.add(name, await made.model())
        made.route(Variant("A", ("A",), 1), Variant("B", ("B",), 3), Variant("C", ("C",), 0))
        invoked = "x-amzn-invoked-production-variant"
        assert [(await made.ask()).headers[invoked] for _ in range(4)] == ["A", "A", "B", "B"]
        target = "X-Amzn-SageMaker-Target-Variant"
        assert (await made.ask(b"", f"{target}: C")).headers[invoked] == "C"
        unknown = await made.ask(b"", f"{target}: D")
        assert (unknown.status, json.loads(unknown.body)["Code"]) == (400, "ValidationError")
        made.router.route(None)
        assert (await made.ask()).status == 503

    run(engine, work, chance=lambda: next(chances))


def test_two_fleets_of_one_variant_share_its_traffic_and_lose_nothing(engine: Engine) -> None:
    """By weight and by name, each answer counted for its own configuration; and who waits for one of them when it goes
    gets the other, however many wait there."""
    chances = chain([0.0, 0.74, 0.76, 0.1, 0.9], repeat(0.9, 4), repeat(0.1))

    async def work(made: World) -> None:
        go = asyncio.Event()

        async def gated(asked: Asked, writer: Any) -> bytes:
            await go.wait()
            return reply(b"old")

        for name, answering in (("old", echo), ("new", echo), ("slow", gated)):
            made.add(name, await made.model(answering))
        old = Variant("A", ("old",), config="before", share=0.75)
        new = Variant("A", ("new",), config="after", share=0.25)
        made.router.route(Routing("before", {"A": old, "A new": new}))
        target = "X-Amzn-SageMaker-Target-Variant: A"
        for header in ((), (), (), (target,), (target,)):
            assert (await made.ask(b"in", *header)).headers["x-amzn-invoked-production-variant"] == "A"
        assert [record.config for record in made.records] == ["before", "before", "after", "before", "after"]
        made.router.route(Routing("before", {"A": replace(old, servers=("slow",)), "A new": replace(new, servers=())}))
        waiting = [asyncio.create_task(made.ask()) for _ in range(4)]
        await until(lambda: len(made.router.under_way) == 4)
        waiting += [asyncio.create_task(made.ask()) for _ in range(4)]
        await until(lambda: len(made.router.under_way) == 8)
        # There are as many in either line as may be.
        made.router.route(Routing("before", {"A": replace(old, servers=("slow",), share=1.0)}))
        go.set()
        assert [(await one).status for one in waiting] == [200] * 8

    run(engine, work, chance=lambda: next(chances), limits=Limits(queued=4))


def test_components_are_asked_by_their_names(engine: Engine) -> None:
    async def work(made: World) -> None:
        made.add("k", await made.model())
        hosting = {"All": Variant("All", ())}
        churn = Variant("component/churn", ("k",), told="All")
        idle = Variant("component/idle", (), told="All", none=True)
        made.router.route(Routing("config", hosting, components={"churn": churn, "idle": idle}))
        name = "X-Amzn-SageMaker-Inference-Component"
        answer = await made.ask(b"in", f"{name}: churn")
        assert (answer.status, answer.headers["x-amzn-invoked-production-variant"]) == (200, "All")
        assert [record.variant for record in made.records] == ["component/churn"]
        rows: tuple[tuple[tuple[str, ...], str], ...] = (
            ((), "header is required for endpoints"),
            ((f"{name}: other",), "Inference Component other was not found for endpoint"),
            ((f"{name}: All",), "Inference Component All was not found"),
            ((f"{name}: idle",), "has no capacity to process this request"),
        )
        for headers, said in rows:
            answer = await made.ask(b"in", *headers)
            assert answer.status == 400 and said in answer.body.decode()
        made.route(Variant("A", ("k",)))
        answer = await made.ask(b"in", f"{name}: churn")
        assert answer.status == 400 and "header is not allowed for endpoints" in answer.body.decode()

    run(engine, work)


def test_limits_that_change_hold_from_the_next_request_on(engine: Engine) -> None:
    """What was begun before has the time that it had then, and what came after is not held up behind it."""

    async def work(made: World) -> None:
        async def never(asked: Asked, writer: Any) -> bytes:
            await asyncio.Event().wait()
            return b""

        model = await one_model(made, never)
        long = asyncio.create_task(made.ask(b"first"))
        await until(lambda: len(model.asked) == 1)
        made.router.limits = Limits(answer_seconds=0.1)
        assert (await made.ask(b"second")).status == 424
        assert not long.done()
        long.cancel()

    run(engine, work, Limits(answer_seconds=20))


def test_connections_to_a_model_are_kept(engine: Engine) -> None:
    async def work(made: World) -> None:
        model = await one_model(made, slots=2)
        client = await made.connect()
        for _ in range(50):
            client.send(post())
            assert (await client.answer()).status == 200
        assert (len(model.asked), model.connections) == (50, 1)
        answers = await asyncio.gather(*(made.ask() for _ in range(50)))
        assert {answer.status for answer in answers} == {200}
        assert model.connections <= 2 + 1  # those that it works on, and the next one

    run(engine, work)


@pytest.mark.parametrize("slots", [1, 3])
def test_each_gets_the_answer_to_its_own_request_while_others_wait(engine: Engine, slots: int) -> None:
    """A server has the next request before the answer to the one before has gone to its client."""

    async def own(asked: Asked, writer: Any) -> bytes:
        return reply(asked.body, 418 if asked.body.endswith(b"7") else 200, "Content-Type: text/plain")

    async def work(made: World) -> None:
        await one_model(made, own, slots)
        wanted = [str(number).encode() for number in range(60)]
        answers = await asyncio.gather(*(made.ask(body) for body in wanted))
        for body, answer in zip(wanted, answers, strict=True):
            if body.endswith(b"7"):
                assert answer.status == 424 and json.loads(answer.body)["OriginalMessage"] == body.decode()
            else:
                assert (answer.status, answer.body) == (200, body)
        assert sorted(record.bytes_out for record in made.records if record.status == 200) == sorted(
            len(body) for body in wanted if not body.endswith(b"7")
        )

    run(engine, work)


async def teapot(asked: Asked, writer: Any) -> bytes:
    return reply(b"I am a teapot", 418)


async def half(asked: Asked, writer: Any) -> bytes | None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    return None


async def nothing(asked: Asked, writer: Any) -> bytes | None:
    return None


async def nonsense(asked: Asked, writer: Any) -> bytes:
    return b"what?\r\n\r\n"


async def never(asked: Asked, writer: Any) -> bytes:
    await asyncio.sleep(60)
    return b""


@pytest.mark.parametrize(
    ("answering", "original", "said"),
    [
        (teapot, 418, "I am a teapot"),
        (half, 0, "ended the connection"),
        (nothing, 0, "ended the connection"),
        (nonsense, 0, "does not speak HTTP"),
        (never, 0, r"did not answer within 0.5 seconds"),
    ],
)
def test_a_model_that_does_not_answer_is_a_model_error(
    engine: Engine, answering: Any, original: int, said: str
) -> None:
    async def work(made: World) -> None:
        model = await one_model(made, answering)
        answer = await made.ask()
        told = json.loads(answer.body)
        assert (answer.status, told["Code"], told["OriginalStatusCode"]) == (424, "ModelError", original)
        assert said in told["OriginalMessage"] and told["LogStreamArn"] == "stream"
        assert len(model.asked) == 1
        assert [(record.status, record.model_status) for record in made.records] == [(424, original)]
        model.answering = echo
        assert (await made.ask()).status == 200

    run(engine, work, Limits(answer_seconds=0.5), log_stream="stream")


def test_a_reply_that_ends_with_its_connection_is_whole(engine: Engine) -> None:
    async def old(asked: Asked, writer: Any) -> bytes | None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nold")
        return None

    async def work(made: World) -> None:
        await one_model(made, old)
        assert (await made.ask()).body == b"old"

    run(engine, work)


def test_requests_inside_a_killed_server_fail_at_once_and_no_other_gets_them(engine: Engine) -> None:
    async def work(made: World) -> None:
        doomed, sound = await made.model(never), await made.model()
        made.add("doomed", doomed, slots=50)
        made.add("sound", sound, slots=1)
        made.route(Variant("A", ("doomed",)))
        asking = [asyncio.create_task(made.ask(str(number).encode())) for number in range(50)]
        await until(lambda: len(doomed.asked) == 50)
        made.route(Variant("A", ("doomed", "sound")))
        doomed.kill()
        assert {(await one).status for one in asking} == {424}
        assert sound.asked == []
        assert sorted(int(asked.body) for asked in doomed.asked) == list(range(50))

    run(engine, work)


def test_a_server_that_takes_no_connection_is_told_and_passed_by(engine: Engine) -> None:
    async def work(made: World) -> None:
        gone, sound = await made.model(), await made.model()
        gone.kill()
        made.add("gone", gone, slots=4)
        made.add("sound", sound, slots=4)
        made.route(Variant("A", ("gone", "sound")))
        answers = await asyncio.gather(*(made.ask() for _ in range(8)))
        assert {answer.status for answer in answers} == {200}
        assert len(sound.asked) == 8 and set(made.unreachable) == {"gone"}

    run(engine, work)


def test_requests_wait_for_a_server_and_not_for_one_that_does_not_come(engine: Engine) -> None:
    async def work(made: World) -> None:
        made.route(Variant("A", ()))
        waiting = asyncio.create_task(made.ask())
        await until(lambda: bool(made.router.under_way))
        made.add("new", await made.model())
        made.route(Variant("A", ("new",)))
        assert (await waiting).status == 200
        made.route(Variant("A", (), down="its model is broken"))
        refused = await made.ask()
        assert refused.status == 424 and "its model is broken" in refused.body.decode()

    run(engine, work)


def test_waiting_requests_are_bounded(engine: Engine) -> None:
    async def work(made: World) -> None:
        go = asyncio.Event()

        async def gated(asked: Asked, writer: Any) -> bytes:
            await go.wait()
            return reply(b"")

        model = await one_model(made, gated, slots=1)
        asking = [asyncio.create_task(made.ask()) for _ in range(4)]
        await until(lambda: len(made.router.under_way) == 4)
        for refused in [await made.ask() for _ in range(2)]:
            assert (refused.status, json.loads(refused.body)["Code"]) == (503, "ServiceUnavailable")
        go.set()
        assert [(await one).status for one in asking] == [200] * 4
        assert len(model.asked) == 4

    run(engine, work, Limits(queued=3))


def test_waiting_has_an_end(engine: Engine) -> None:
    async def work(made: World) -> None:
        made.route(Variant("A", ()))
        late = await made.ask()
        assert late.status == 503 and "was free within 0.3 seconds" in late.body.decode()

    run(engine, work, Limits(answer_seconds=0.3))


def test_a_serverless_variant_takes_its_concurrency(engine: Engine) -> None:
    async def work(made: World) -> None:
        go = asyncio.Event()

        async def gated(asked: Asked, writer: Any) -> bytes:
            await go.wait()
            return reply(b"")

        made.add("one", await made.model(gated), slots=1)
        made.route(Variant("A", ("one",), most=2))
        inside = [asyncio.create_task(made.ask()) for _ in range(2)]
        await until(lambda: len(made.router.under_way) == 2)
        refused = await made.ask()
        assert (refused.status, json.loads(refused.body)["Code"]) == (429, "ThrottlingException")
        go.set()
        assert [(await one).status for one in inside] == [200, 200]

    run(engine, work)


def test_bodies_that_are_held_are_bounded_together(engine: Engine) -> None:
    async def work(made: World) -> None:
        model = await one_model(made, never, slots=1)
        held = asyncio.create_task(made.ask(b"x" * 800))
        await until(lambda: len(model.asked) == 1)
        assert (await made.ask(b"x" * 800)).status == 503
        held.cancel()

    run(engine, work, Limits(held=1000))


def test_nothing_stays_held(engine: Engine) -> None:
    async def work(made: World) -> None:
        await one_model(made)
        made.add("shadow", await made.model())
        made.route(Variant("A", ("one",)), shadow=Variant("S", ("shadow",)))
        for sent in (post(), post() * 5, post(b"x" * 101), post()[:-1], CHUNKED + b"\r\n1\r\ninn", post() + b"?"):
            client = await made.connect()
            client.send(sent)
            client.writer.write_eof()
            await client.reader.read()
            client.close()
        await until(lambda: not made.router._doors and not made.router.under_way)
        assert made.router.under_way.held == 0

    run(engine, work, replace(SMALL, linger_seconds=0.2))


def test_a_client_that_went_away_is_not_asked_for(engine: Engine) -> None:
    async def work(made: World) -> None:
        go = asyncio.Event()

        async def gated(asked: Asked, writer: Any) -> bytes:
            await go.wait()
            return reply(b"")

        model = await one_model(made, gated, slots=1)
        clients = [await made.connect() for _ in range(2)]
        for client in clients:
            client.send(post())
            await until(lambda: len(made.router.under_way) > 0 and len(model.asked) == 1)
        await until(lambda: len(made.router.under_way) == 2)
        for client in clients:
            client.reset()
        await until(lambda: [record.status for record in made.records] == [499])
        go.set()
        await until(lambda: [record.status for record in made.records] == [499, 499])
        assert len(model.asked) == 1

    run(engine, work)


def test_a_shadow_never_delays_and_is_bounded(engine: Engine) -> None:
    async def work(made: World) -> None:
        shadow = await made.model(never)
        made.add("shadow", shadow, slots=2)
        made.add("one", await made.model(), slots=4)
        made.route(Variant("A", ("one",)), shadow=Variant("S", ("shadow",)))
        answers = [await made.ask(str(number).encode()) for number in range(20)]
        assert [int(answer.body[1:-1]) for answer in answers] == list(range(20))
        assert {answer.headers["x-amzn-invoked-production-variant"] for answer in answers} == {"A"}
        await until(lambda: len(shadow.asked) == 2)
        assert made.router.dropped == 20 - 2 - 5
        assert not any(record.shadow for record in made.records)

    run(engine, work, Limits(shadow_queued=5))


def test_a_shadow_is_shown_its_share_of_the_requests_and_what_it_is_not_shown_is_no_loss(engine: Engine) -> None:
    # The first chance of each request chooses the variant.
    chances = chain.from_iterable((0.0, shown) for shown in (0.1, 0.2, 0.29, 0.31, 0.9))

    async def work(made: World) -> None:
        shadow = await made.model()
        made.add("shadow", shadow)
        made.add("one", await made.model())
        made.route(Variant("A", ("one",), 2.0), shadow=Variant("S", ("shadow",), 0.6))
        for number in range(5):
            await made.ask(str(number).encode())
        await until(lambda: sum(record.shadow for record in made.records) == 3)
        assert sorted(asked.body for asked in shadow.asked) == [b"0", b"1", b"2"]
        assert made.router.dropped == 0

    run(engine, work, chance=lambda: next(chances))


def test_a_shadow_is_shown_what_the_production_variant_is_shown(engine: Engine) -> None:
    async def work(made: World) -> None:
        shadow, one = await made.model(teapot), await made.model()
        made.add("shadow", shadow)
        made.add("one", one)
        made.route(Variant("A", ("one",)), shadow=Variant("S", ("shadow",)))
        for number in range(5):
            assert (await made.ask(str(number).encode())).status == 200
        await until(lambda: sum(record.shadow for record in made.records) == 5)
        assert sorted(asked.body for asked in shadow.asked) == [asked.body for asked in one.asked]
        assert {(record.status, record.model_status) for record in made.records if record.shadow} == {(424, 418)}

    run(engine, work)


def test_containers_in_a_row(engine: Engine) -> None:
    async def first(asked: Asked, writer: Any) -> bytes:
        return reply(b"first(" + asked.body + b")", 500 if asked.body == b"bad" else 200, "Content-Type: x/between")

    async def second(asked: Asked, writer: Any) -> bytes:
        return reply(b"second(" + asked.body + b")")

    async def work(made: World) -> None:
        models = await made.model(first), await made.model(second)
        made.add("both", *models, slots=2)
        made.route(Variant("A", ("both",)))
        answer = await made.ask(b"in", "Content-Type: x/in", "Accept: x/out")
        assert answer.body == b"second(first(in))"
        assert [(item.asked[0].header("Content-Type"), item.asked[0].header("Accept")) for item in models] == [
            ("x/in", None),
            ("x/between", "x/out"),
        ]
        assert (await made.ask(b"bad")).status == 424
        assert [len(item.asked) for item in models] == [2, 1]
        assert [(record.bytes_in, record.bytes_out > 0) for record in made.records] == [(2, True), (3, True)]
        models[1].kill()
        assert (await made.ask()).status == 424
        assert len(models[0].asked) == 3

    run(engine, work)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_answer_is_passed_on_while_it_comes(engine: Engine, chunked: bool) -> None:
    piece = b"x" * 100_000

    async def large(asked: Asked, writer: Any) -> bytes:
        framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: 5000000"
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
        for _ in range(50):
            writer.write(b"186a0\r\n" + piece + b"\r\n" if chunked else piece)
            await writer.drain()
        return b"0\r\n\r\n" if chunked else b""

    async def work(made: World) -> None:
        await one_model(made, large)
        client = await made.connect()
        for _ in range(2):
            client.send(post())
            answer = await client.answer()
            assert answer.body == piece * 50
            assert ("content-length" in answer.headers) is not chunked

    run(engine, work, Limits(body=200_000))


def test_a_stream_is_passed_on_piece_by_piece(engine: Engine) -> None:
    go = asyncio.Event()

    async def stream(asked: Asked, writer: Any) -> bytes:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await go.wait()
        return b"3\r\ntwo\r\n0\r\n\r\n"

    async def work(made: World) -> None:
        await one_model(made, stream)
        client = await made.connect()
        client.send(post(path=f"{PATH}-response-stream"))
        assert (await client.head())[0] == 200
        first = await client.chunk()
        go.set()
        assert events_of(first) == [("PayloadPart", b"one")]
        assert [events_of(await client.chunk()), await client.chunk()] == [[("PayloadPart", b"two")], b""]

    run(engine, work)


def test_a_stream_that_breaks_off_says_so_and_the_connection_goes_on(engine: Engine) -> None:
    async def stream(asked: Asked, writer: Any) -> bytes | None:
        if asked.body != b"break":
            return reply(b"whole", 200, "Content-Type: text/plain")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await writer.drain()
        return None

    async def work(made: World) -> None:
        await one_model(made, stream)
        client = await made.connect()
        client.send(post(b"break", path=f"{PATH}-response-stream"))
        ((kind, one), (fault, told)) = events_of((await client.answer()).body)
        assert (kind, one, fault) == ("PayloadPart", b"one", "ModelStreamError")
        assert json.loads(told)["ErrorCode"] == "StreamBroken"
        client.send(post(b"again", path=f"{PATH}-response-stream"))
        answer = await client.answer()
        assert events_of(answer.body) == [("PayloadPart", b"whole")]
        assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
        assert answer.headers["x-amzn-sagemaker-content-type"] == "text/plain"

    run(engine, work)


def events_of(body: bytes) -> list[tuple[str, bytes]]:
    """By botocore's reader, which checks the checksums."""
    reader = EventStreamBuffer()
    reader.add_data(body)
    return [
        (str(event.headers.get(":event-type") or event.headers[":exception-type"]), event.payload) for event in reader
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param(["Host: 127.0.0.1:1"], 200, id="by its address"),
        pytest.param(["Host: localhost"], 200, id="by its name"),
        pytest.param(["Host: [::1]:9"], 200, id="by the other address"),
        pytest.param(["Host: LOCALHOST:80", "Origin: http://localhost:3000"], 200, id="by a page of this machine"),
        pytest.param(["Host: churn.example:1"], 403, id="by a name that was made to lead here"),
        pytest.param(["Host: 127.0.0.1.churn.example"], 403, id="by a name that looks alike"),
        pytest.param(["Host: "], 403, id="by no name"),
        pytest.param(["Host: localhost", "Origin: https://churn.example"], 403, id="by a page of elsewhere"),
        pytest.param(["Host: localhost", "Origin: null"], 403, id="by a page of nowhere"),
    ],
)
def test_who_is_answered(engine: Engine, headers: list[str], status: int) -> None:
    async def work(made: World) -> None:
        model = await one_model(made)
        client = await made.connect()
        lines = "".join(f"{line}\r\n" for line in headers)
        client.send(f"POST {PATH} HTTP/1.1\r\n{lines}Content-Length: 2\r\n\r\nin".encode())
        answer = await client.answer()
        assert (answer.status, len(model.asked)) == (status, 1 if status == 200 else 0)
        if status == 403:
            assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"

    run(engine, work)


def test_a_server_is_drained_while_others_serve_and_its_variant_is_replaced(engine: Engine) -> None:
    async def work(made: World) -> None:
        go = asyncio.Event()

        async def gated(asked: Asked, writer: Any) -> bytes:
            await go.wait()
            return reply(b"old")

        old, new = await made.model(gated), await made.model()
        made.add("old", old, slots=20)
        made.route(Variant("A", ("old",)))
        asking = [asyncio.create_task(made.ask()) for _ in range(30)]
        await until(lambda: len(old.asked) == 20)
        made.add("new", new, slots=20)
        made.route(Variant("A", ("new",)))
        drained = asyncio.Event()
        made.router.drain("old", drained.set)
        # Those that were waiting go to the new one, those that were inside stay.
        await until(lambda: len(new.asked) == 10)
        assert (await made.ask()).status == 200
        assert not drained.is_set()
        go.set()
        assert sorted({(await one).body for one in asking}) == [b"<in>", b"old"]
        await drained.wait()
        assert (len(old.asked), len(new.asked)) == (20, 11)
        made.router.remove("old")
        again = asyncio.Event()
        made.router.drain("new", again.set)
        await again.wait()

    run(engine, work)


def test_who_waited_for_a_variant_that_is_gone_gets_another(engine: Engine) -> None:
    async def work(made: World) -> None:
        made.route(Variant("A", ()))
        by_weight = asyncio.create_task(made.ask())
        by_name = asyncio.create_task(made.ask(b"in", "X-Amzn-SageMaker-Target-Variant: A"))
        await until(lambda: len(made.router.under_way) == 2)
        made.add("b", await made.model())
        made.route(Variant("B", ("b",)))
        assert ((await by_weight).status, (await by_name).status) == (200, 400)

    run(engine, work)


def test_more_connections_than_there_may_be_are_told(engine: Engine) -> None:
    async def work(made: World) -> None:
        await one_model(made)
        first = await made.connect()
        first.send(post())
        assert (await first.answer()).status == 200
        second = await made.connect()
        assert (await second.answer()).status == 503
        assert await second.ended()
        second.close()
        first.close()
        await until(lambda: not made.router._doors)
        assert (await made.ask()).status == 200

    run(engine, work, Limits(connections=1))

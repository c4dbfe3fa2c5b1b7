"""Each answer of a shadow is kept beside production's, without their words unless those are to be captured."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from router_parts import Asked, World, reply, until, world

from mlops.account.local.process.capture.keeper import Keeper
from mlops.account.local.process.capture.pairs import compared
from mlops.account.local.process.capture.rule import Capture
from mlops.account.local.process.capture.seen import Room, new_event_id
from mlops.account.local.process.router.engine import best
from mlops.account.local.process.router.records import Recorder, lost, rows_between
from mlops.account.local.process.router.routing import Limits, Variant
from mlops.account.shadow_pairs import ShadowPair


@pytest.mark.parametrize(
    ("one", "other", "same", "distance"),
    [
        (b"0.5", b"0.50\n", True, 0),
        (b"0.5,0.1\n1,2", b"0.5,0.4\n1,2", False, 0.3),
        (b'{"a": 1, "b": [2]}', b'{"b":[2.0],"a":1}', True, 0),
        (b'{"a": 1}', b'{"a": 1, "b": 2}', False, None),
        (b'{"a": "x"}', b'{"a": "y"}', False, None),
        (b"[true]", b"[1]", False, None),
        (b"NaN", b"NaN", True, None),
        (b"NaN", b"1", False, None),
        (b"\xff\xfe", b"\xff\xfe", True, None),
        (b"\xff\xfe", b"\xff\xfd", False, None),
        (b"", b"", True, None),
        pytest.param(b"[" * 5000, b"[" * 5000, True, None, id="no JSON"),
        pytest.param(b"[" * 950 + b"]" * 950, b"[" * 950 + b"]" * 950, True, None, id="deep"),
        pytest.param(b"x" * 100_000, b"x" * 100_000, True, 0, id="long"),
        pytest.param(b"1" * 400, b"1" * 400, True, None, id="a huge number"),
        (b"12345678901234567", b"12345678901234568", False, None),
        (b"12345678901234567,1", b"12345678901234568,1", False, None),
        (b"1, 2 ,x\n3", b"1.0,2,x\n3.5", False, 0.5),
        (b"1,x", b"1,1", False, None),
        (b"1,nan", b"1,2", False, None),
        (b"1\n2", b"1,2", False, None),
        (b"1,,2", b"1,,3", False, 1),
        (b"true,1", b"true,1.0", True, 0),
        ("1\u20282".encode(), b"1\n2.5", False, 0.5),
    ],
)
def test_two_answers(one: bytes, other: bytes, same: bool, distance: float | None) -> None:
    found = compared(one, other)
    assert found == (same, distance if distance is None else pytest.approx(distance))


async def other(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
    return reply(b"0.75", 500 if asked.body == b"boom" else 200)


async def score(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
    return reply(b"0.5")


async def never(asked: Asked, writer: asyncio.StreamWriter) -> bytes | None:
    await asyncio.sleep(60)
    return None


def pairs(
    folder: Path, work: Any, answering: Any, capture: Capture | None = None, room: Room | None = None
) -> list[ShadowPair]:
    recorder = Recorder(folder, seconds=60, columns=ShadowPair._fields)
    keeper = Keeper("door", lambda content, uri: None, recorder, look_seconds=60, room=room)

    async def whole() -> None:
        async with (
            asyncio.timeout(30),
            world(best(), Limits(shadow_queued=2), saw=keeper.saw, room=keeper.room) as made,
        ):
            made.add("one", await made.model(score))
            made.add("two", await made.model(answering))
            production, shadow = (Variant(name, (key,), capture=capture) for name, key in (("A", "one"), ("S", "two")))
            made.route(production, shadow=shadow)
            await work(made)

    best().run(whole())
    keeper.close()
    recorder.close()
    assert keeper.room.held == 0
    return [ShadowPair._make(row) for row in rows_between(folder, 0, 1e12)]


async def two(made: World) -> None:
    await made.ask(b"in", "X-Amzn-SageMaker-Inference-Id: i-1")
    await until(lambda: len(made.records) == 2)
    await made.ask(b"boom")
    await until(lambda: len(made.records) == 4)


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        pytest.param(None, (None, None, None), id="nothing is captured"),
        pytest.param(Capture("s3://kept"), ("in", "0.5", "0.75"), id="all is"),
        pytest.param(Capture("s3://kept", output=False), ("in", None, None), id="the input is"),
        pytest.param(Capture("s3://kept", share=0.0), (None, None, None), id="none of them was drawn"),
    ],
)
def test_a_pair_has_both_answers(tmp_path: Path, capture: Capture | None, words: tuple[str | None, ...]) -> None:
    first, second = pairs(tmp_path, two, other, capture)
    assert (first.config, first.variant, first.shadow, first.inference_id) == ("config", "A", "S", "i-1")
    assert (first.status, first.shadow_status, first.same, first.distance) == (200, 200, False, 0.25)
    assert (first.input, first.answer, first.shadow_answer) == words
    assert (second.status, second.shadow_status, second.same) == (200, 424, False)
    assert lost(tmp_path) == 0


def test_a_shadow_that_never_answers_delays_nobody_and_what_it_was_not_shown_is_counted(tmp_path: Path) -> None:
    async def work(made: World) -> None:
        for _ in range(10):
            assert (await made.ask()).status == 200
        assert made.router.dropped > 0

    found = pairs(tmp_path, work, never)
    assert not [item for item in found if item.shadow_status == 200]
    assert lost(tmp_path) + len(found) == 10


def test_what_there_is_no_room_for_is_counted(tmp_path: Path) -> None:
    assert pairs(tmp_path, two, other, room=Room(10)) == []
    assert lost(tmp_path) == 2


@given(st.text(alphabet='0129.eE+-,\n "[]{}:ant', max_size=12) | st.text(max_size=6))
def test_what_is_the_same_byte_for_byte_is_as_if_it_were_read(text: str) -> None:
    """With a space behind it is read whole: that is no difference."""
    body = text.encode("utf-8", "surrogatepass")
    assert compared(body, body) == compared(body, body + b" ")


def test_an_event_id_is_a_uuid_and_another_each_time() -> None:
    found = {new_event_id() for _ in range(1000)}
    assert len(found) == 1000
    assert {(uuid.UUID(item).version, uuid.UUID(item).variant) for item in found} == {(4, uuid.RFC_4122)}

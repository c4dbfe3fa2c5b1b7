"""A spool that something damaged: what is still what it was comes out of it, and the rest is told."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from stream_parts import opened

from mlops.account.local import LocalAccount
from mlops.account.local.process import delivering
from mlops.deploy.streams.publisher import Publisher
from mlops.project.spool import BEGINNING, Damage, Place, Spool

END = Place(10**9, 0)
HEADER, BLOCK = BEGINNING.offset, 24


def filled(folder: Path, file_bytes: int = 2_000) -> list[bytes]:
    """Three blocks in each of several files."""
    spool, put = Spool(folder, file_bytes), []
    for number in range(9):
        records = [b"%d-%d-" % (number, index) + b"x" * 50 for index in range(10)]
        spool.append(records, number)
        put += records
    return put


def found(folder: Path) -> tuple[list[bytes], list[Damage]]:
    told: list[Damage] = []
    spool = Spool(folder, tell=told.append)
    return [record for _, records in spool.read(BEGINNING, END) for record in records], told


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def rewritten(change: Callable[[bytearray], object]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = files(folder)[0]
        held = bytearray(path.read_bytes())
        change(held)
        path.write_bytes(held)

    return damage


def flipped(at: int) -> Callable[[Path], None]:
    return rewritten(lambda held: held.__setitem__(at, held[at] ^ 4))


def cut(folder: Path) -> None:
    path = files(folder)[0]
    path.write_bytes(path.read_bytes()[:-100])


def foreign(folder: Path) -> None:
    files(folder)[1].write_bytes(b"somebody else's notes, with letters enough for a head")


FIRST_RECORD = HEADER + BLOCK + 80
DAMAGES: dict[str, tuple[Callable[[Path], None], int]] = {
    "a bit of a record": (flipped(FIRST_RECORD + 3), 1),
    "a length": (flipped(HEADER + BLOCK + 4), 0),
    "a checksum": (flipped(HEADER + BLOCK + 44), 1),
    "the head of a block": (flipped(HEADER + 6), 10),
    "what counts": (flipped(9), 0),
    "the name of the format": (flipped(3), 0),
    "the end": (cut, 2),
    "a whole file is another's": (foreign, 30),
    "zeros": (rewritten(lambda held: held.__setitem__(slice(FIRST_RECORD, FIRST_RECORD + 100), bytes(100))), 2),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_what_is_readable_is_read_and_the_rest_is_told(tmp_path: Path, how: str) -> None:
    put = filled(tmp_path)
    damage, lost = DAMAGES[how]
    damage(tmp_path)
    left, told = found(tmp_path)
    assert set(left) <= set(put) and len(set(left)) == len(left) >= len(put) - lost
    assert left == [record for record in put if record in set(left)]
    if len(left) < len(put):
        assert told and all(item.file.exists() for item in told)
    Spool(tmp_path).forget(END)
    assert all(item.file.exists() for item in told)


def test_a_sound_spool_tells_nothing(tmp_path: Path) -> None:
    put = filled(tmp_path)
    assert found(tmp_path) == (put, [])


def test_any_damage_costs_what_it_touched_and_nothing_raises(tmp_path: Path) -> None:
    chance = random.Random(5)
    put = filled(tmp_path)
    whole = {path: path.read_bytes() for path in files(tmp_path)}
    for _ in range(60):
        path = chance.choice(list(whole))
        held = bytearray(whole[path])
        for _ in range(chance.randrange(1, 4)):
            held[chance.randrange(len(held))] ^= 1 << chance.randrange(8)
        path.write_bytes(held[: chance.choice((len(held), chance.randrange(len(held))))])
        left, _ = found(tmp_path)
        assert set(left) <= set(put) and len(left) >= len(put) - 30, "files beside it are whole"
        Spool(tmp_path).append([b"after"], 1)
        assert found(tmp_path)[0][-1] == b"after"
        for other in files(tmp_path):
            if other not in whole:
                other.unlink()
        for other, content in whole.items():
            other.write_bytes(content)


def test_a_spool_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    block = struct.pack("<QII", 5, 2, 6) + struct.pack("<2I", 2, 4) + b"onefou"
    (tmp_path / f"{1:012d}.spool").write_bytes(b"mlopsSP1" + struct.pack("<Q", 16 + len(block)) + block + b"half")
    spool = Spool(tmp_path)
    assert spool.append([b"new"], 7).file == 2
    assert found(tmp_path) == ([b"on", b"efou", b"new"], [])


def test_a_stream_goes_on_and_says_what_it_left(account: LocalAccount) -> None:
    stream = opened(account)
    stream.put(b"a" * 60, b"b" * 60)
    stream.put(b"c")
    path = files(stream.deliverer.spool._folder)[0]
    held = bytearray(path.read_bytes())
    held[HEADER + BLOCK + 16 + 3] ^= 1
    path.write_bytes(held)
    stream.deliver()
    assert list(stream.objects().values()) == [b"b" * 60 + b"c"] and stream.deliverer.idle()
    (event,) = account.events.read(kinds=["stream.damaged"])
    assert event.detail is not None and event.detail["records"] == 1


@pytest.mark.parametrize("held", [b"", b"[1, 2]", b'{"place": ["1", 2]}', b'{"place": [1, -1], "until": null}'])
def test_where_nobody_knows_how_far_it_was_all_of_it_comes_again(account: LocalAccount, held: bytes) -> None:
    stream = opened(account)
    stream.put(b"a")
    stream.deliver()
    stream.put(b"b")
    (stream.deliverer._folder / "stands.json").write_bytes(held)
    described = account.client("firehose").describe_delivery_stream(DeliveryStreamName=stream.name)
    assert described["DeliveryStreamDescription"]["DeliveryStreamStatus"] == "ACTIVE"
    stream.restart()
    stream.deliver()
    assert sorted(b"".join(stream.objects().values())) in (sorted(b"ab"), sorted(b"aab")) and stream.deliverer.idle()
    (event,) = account.events.read(kinds=["stream.damaged"])
    assert "stands.json is damaged" in str(event.detail)


@pytest.mark.parametrize("held", [b"", b"[1]", b"{}"])
def test_a_publisher_sends_all_again_where_it_does_not_know_how_far_it_was(tmp_path: Path, held: bytes) -> None:
    sent = list[bytes]()

    class Client:
        def put_record_batch(self, Records: list[dict[str, bytes]], **asked: object) -> dict[str, object]:
            sent.extend(record["Data"] for record in Records)
            return {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "1"} for _ in Records]}

    Spool(tmp_path).append([b"waits"], 0)
    (tmp_path / "read.json").write_bytes(held)
    with Publisher(Client(), "events", folder=tmp_path) as publisher:
        publisher.put_bytes(b"new")
    assert sent == [b"waits", b"new"]


def test_where_nothing_can_be_noted_it_is_tried_later_and_nothing_is_lost(account: LocalAccount) -> None:
    """As on a full disk: what is written down of a delivery begins as a file of this name."""
    stream = opened(account)
    stream.put(b"a")
    assert stream.turn() == 300.0
    in_the_way = stream.deliverer._folder / "stands.json.new"
    in_the_way.mkdir()
    for _ in range(2):
        with pytest.raises(OSError, match="directory"):
            stream.turn(300.0)
        with pytest.raises(OSError, match="directory"):
            stream.deliverer.put_off(OSError("planted"))
        assert 0 < (stream.turn() or 0) <= 3
    in_the_way.rmdir()
    stream.turn(300.0)
    assert list(stream.objects().values()) == [b"a"] and stream.deliverer.idle()


def test_one_of_two_deliverers_writes_over_nothing_of_the_other(account: LocalAccount) -> None:
    """It has less than the other, whose object is there and noted, and is killed before it notes its own."""
    stream = opened(account)
    stream.put(b"a\n")
    other, written = stream.deliverer, delivering.ports(account.state, stream.name).put

    def late(bucket: str, key: str, content: Iterable[bytes]) -> None:
        stream.put(b"b\n")
        stream.deliverer = other
        stream.turn(400.0)
        written(bucket, key, content)
        raise KeyboardInterrupt

    stream.ports["put"] = late
    stream.restart()
    with pytest.raises(KeyboardInterrupt):
        stream.turn(400.0)
    stream.ports.clear()
    stream.restart()
    stream.deliver()
    assert set(b"".join(stream.objects().values()).split()) == {b"a", b"b"}


def test_two_deliverers_at_once_lose_nothing(account: LocalAccount) -> None:
    """As where somebody removed the lock."""
    stream = opened(account)
    put = []
    for number in range(20):
        record = b"%d\n" % number
        put.append(record.strip())
        stream.put(record)
        first, second = stream.deliverer, None
        if number % 3 == 0:
            stream.restart()
            second = stream.deliverer
        stream.turn(400.0)
        stream.deliverer = first
        if second is not None:
            try:
                stream.turn(400.0)
            except OSError as error:  # as the process meets it
                first.put_off(error)
    stream.restart()
    stream.deliver()
    assert set(b"".join(stream.objects().values()).split()) == set(put)

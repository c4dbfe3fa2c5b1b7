"""Input mode Pipe: FIFOs by epoch, readers that stop early, and scripts that put something else in their place."""

from __future__ import annotations

import base64
import gzip
import os
import resource
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, training

from mlops.run.pipe_mode import PipedChannel, Pipes

READ = """
import os, pathlib, time
data = pathlib.Path(os.environ["SM_INPUT_DIR"]) / "data"
def epoch(number, limit=None):
    fifo = data / f"train_{number}"
    while not fifo.exists():
        time.sleep(0.01)
    with fifo.open("rb") as opened:
        return opened.read(limit) if limit else opened.read()
"""


def run(account: Account, script: str, hosts: int = 1, **channel: Any) -> str:
    described = {
        "ChannelName": "train",
        "InputMode": "Pipe",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": "s3://bucket/data/",
                "S3DataDistributionType": channel.pop("distribution", "FullyReplicated"),
            }
        },
        **channel,
    }
    step = training(
        account,
        "Train",
        {"train.py": READ + script},
        InputDataConfig=[described],
        ResourceConfig={"InstanceCount": hosts, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
    )
    return account.run(step)


@pytest.fixture
def data(account: Account) -> Account:
    for name, text in (("a", b"alpha "), ("b", b"beta "), ("c", b"gamma ")):
        account.objects.write(f"s3://bucket/data/{name}", text)
    return account


def test_epochs(data: Account, sandbox_mode: str) -> None:
    script = """
print([epoch(number) for number in range(3)])
print(sorted(path.name for path in data.iterdir()), os.environ["SM_CHANNEL_TRAIN"].endswith("/input/data/train"))
"""
    assert run(data, script) == "Succeeded", data.journal.last("Train").failure
    log = data.journal.log("Train")
    assert str([b"alpha beta gamma "] * 3) in log
    assert "['train_0', 'train_1', 'train_2', 'train_3'] True" in log
    assert not list((data.folder / "runs").rglob("piped"))


def test_a_reader_that_stops_early(data: Account) -> None:
    data.objects.write("s3://bucket/data/d", b"x" * 5_000_000)
    assert run(data, "print(epoch(0, 7), epoch(1, 3), len(epoch(2)))") == "Succeeded"
    assert "b'alpha b' b'alp' 5000017" in data.journal.log("Train")


def test_a_script_that_never_reads(data: Account) -> None:
    assert run(data, "print('done')") == "Succeeded"


def test_records_shards_and_orders(data: Account) -> None:
    script = "import base64; print(os.environ['SM_CURRENT_HOST'], base64.b64encode(epoch(0)).decode())"
    assert run(data, script, hosts=2, distribution="ShardedByS3Key", RecordWrapperType="RecordIO") == "Succeeded"
    log = data.journal.last("Train").log
    assert log is not None
    read = [
        base64.b64decode(line.split()[1])
        for file in (log, log.parent / "log-algo-2.txt")
        for line in file.read_text().splitlines()
        if line.startswith("algo-")
    ]
    packed = struct.pack("<II", 0xCED7230A, 6) + b"alpha \0\0" + struct.pack("<II", 0xCED7230A, 6) + b"gamma \0\0"
    assert read[0] == packed
    assert read[1] == struct.pack("<II", 0xCED7230A, 5) + b"beta \0\0\0"


def test_shuffled(data: Account) -> None:
    script = "read = [epoch(n).split() for n in range(8)]; print({len(r) for r in read}, len({tuple(r) for r in read}))"
    assert run(data, script, ShuffleConfig={"Seed": 1}) == "Succeeded"
    sizes, orders = data.journal.log("Train").splitlines()[1].rsplit(" ", 1)
    assert sizes == "{3}" and int(orders) > 1


@pytest.mark.parametrize("zipped", [True, False])
def test_gzip(account: Account, zipped: bool) -> None:
    content = gzip.compress(b"packed") if zipped else b"plain"
    account.objects.write("s3://bucket/data/a", content)
    status = run(account, "print(epoch(0))", CompressionType="Gzip")
    if zipped:
        assert status == "Succeeded" and "b'packed'" in account.journal.log("Train")
    else:
        assert status == "Failed"
        assert str(account.journal.last("Train").failure).startswith("channel train: CompressionType is Gzip, but")


def test_something_else_in_its_place(tmp_path: Path) -> None:
    """A link would lead elsewhere outside of the sandbox: who feeds the channel ends there."""
    secret, folder, file = tmp_path / "precious", tmp_path / "data", tmp_path / "file"
    secret.write_text("precious")
    file.write_text("alpha")
    folder.mkdir()
    pipes = Pipes(folder, [PipedChannel("train", [file])])
    feeder = next(thread for thread in threading.enumerate() if thread.name == "pipe train")
    with (folder / "train_0").open("rb") as fifo:
        assert fifo.read() == b"alpha"
    (folder / "train_1").unlink()
    (folder / "train_1").symlink_to(secret)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path)
    feeder.join(60)
    assert not feeder.is_alive() and pipes.fault is None
    pipes.close()
    assert secret.read_text() == "precious" and not (tmp_path / "train_2").exists()


def test_descriptors_above_a_thousand_are_fed_too(data: Account) -> None:
    """As a process has them that holds many accounts: select() would refuse them, and the script wait for ever."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert run(data, "print(epoch(0), epoch(1))") == "Succeeded", data.journal.last("Train").failure
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_channel_that_cannot_be_fed_ends_for_whoever_reads_on(data: Account) -> None:
    """Every epoch is empty then, and the step says why: nobody waits for what does not come."""
    script = "print([len(epoch(number)) for number in range(3)])"
    assert run(data, script, CompressionType="Gzip") == "Failed"
    assert "CompressionType is Gzip, but an object is not" in str(data.journal.last("Train").failure)
    assert "[0, 0, 0]" in data.journal.log("Train")

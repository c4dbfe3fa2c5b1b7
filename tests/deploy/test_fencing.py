"""Of an upsert is known that it is over where the kernel says so, and nothing else: no name and no number does."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy import fencing
from mlops.deploy.fencing import alive, is_over, new_token
from mlops.deploy.pipelines import record
from mlops.deploy.pipelines.actions import WriteRecord
from mlops.deploy.pipelines.apply import Listener, apply
from mlops.deploy.pipelines.plan import plan
from mlops.deploy.pipelines.record import Beaten
from mlops.deploy.pipelines.upsert import upsert
from mlops.ir import Refusal

from .conftest import World


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for tokens of its own: another one is another container."""
    folder = tmp_path / "machine"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder


def test_who_lives_is_not_over_and_who_was_killed_is() -> None:
    token, (read, write) = new_token(), os.pipe()
    child = os.fork()
    if child == 0:
        with alive(token):
            os.write(write, b"x")
            signal.pause()
    os.read(read, 1)
    assert not is_over(token)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert is_over(token)


def test_what_fails_is_over_and_what_ends_well_leaves_nothing() -> None:
    failed, done = new_token(), new_token()
    with pytest.raises(ValueError, match="no"), alive(failed):
        raise ValueError("no")
    with alive(done):
        pass
    assert is_over(failed) and not is_over(done)
    assert [file.name for file in fencing.folder().iterdir()] == [failed]
    os.utime(fencing.folder() / failed, (0, 0))
    with alive(new_token()):
        assert failed not in [file.name for file in fencing.folder().iterdir()]


@pytest.mark.parametrize("token", ["", "../x", "host/1/" + "0" * 32, "0" * 32])
def test_of_what_is_no_token_here_nothing_is_known(token: str) -> None:
    assert not is_over(token)


def test_a_folder_that_others_may_write_into_is_not_believed(machine: Path) -> None:
    token = new_token()
    with alive(token):
        pass
    fencing.folder().chmod(0o777)
    (fencing.folder() / token).touch()
    assert not is_over(token)


def under_way(world: World, content: str) -> Any:
    """An upsert of ``content`` that has written its record and not its pipeline."""
    planned = plan(world.account, world.environment, world.compiled(content))

    def stop(action: object) -> None:
        if isinstance(action, WriteRecord):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(world.account, world.environment, planned, listener=Listener(stop))
    return planned


def test_another_container_of_the_same_name_and_number_is_not_taken_for_dead(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    upsert(world.account, world.environment, world.compiled())
    under_way(world, "Theirs")
    # As seen from a container that has host name and numbers in common with theirs, and no files.
    (tmp_path / "container").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "container"))
    with pytest.raises(Refusal, match="an upsert of other content by"):
        upsert(world.account, world.environment, world.compiled("Ours"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "machine"))
    assert upsert(world.account, world.environment, world.compiled("Ours")).action == "updated"


def test_a_record_that_names_host_and_process_is_still_read_and_believed_for_its_lease(world: World) -> None:
    upsert(world.account, world.environment, world.compiled())
    under_way(world, "Theirs")
    place = {"Bucket": world.environment.bucket, "Key": record.key(world.environment, "churn")}
    s3 = world.account.client("s3")
    told = json.loads(s3.get_object(**place)["Body"].read())
    ended = os.fork()
    if ended == 0:
        os._exit(0)
    os.waitpid(ended, 0)
    told["writer"] = f"{socket.gethostname()}/{ended}/{'0' * 32}"
    s3.put_object(**place, Body=json.dumps(told).encode())
    with pytest.raises(Refusal, match="an upsert of other content"):
        upsert(world.account, world.environment, world.compiled("Ours"))
    assert upsert(world.account, world.environment, world.compiled("Theirs")).action == "updated"


@pytest.mark.parametrize("taken", [False, True], ids=["nobody took it", "somebody took it"])
def test_who_took_longer_than_its_lease_looks_again_before_it_writes(world: World, taken: bool) -> None:
    upsert(world.account, world.environment, world.compiled())
    ours = plan(world.account, world.environment, world.compiled("Ours"))
    passed = [0.0]

    def late(action: object) -> None:
        if isinstance(action, WriteRecord):
            passed[0] = fencing.LEASE_SECONDS
            if taken:
                stored = record.read(world.account, world.environment, "churn")
                assert stored is not None and stored.record is not None
                theirs = replace(stored.record, writer=new_token())
                record.write(world.account, world.environment, "churn", theirs, stored.etag)

    def applied() -> str:
        hears = Listener(late)
        return apply(world.account, world.environment, ours, listener=hears, clock=lambda: passed[0]).action

    if not taken:
        assert applied() == "updated"
        return
    with pytest.raises(Beaten, match="another upsert began"):
        applied()
    present = plan(world.account, world.environment, world.compiled()).present
    assert present is not None and present.state.description == "Who leaves?"

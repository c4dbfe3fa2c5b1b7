"""Assets to S3: in parts, resumed, in bounded memory, many at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.pipelines.assets import absent, objects
from mlops.deploy.pipelines.upload import PART_BYTES, upload
from mlops.ir import AccountError, Asset, Refusal
from mlops.project.content_address import address_of, collect, digests

from .conftest import World
from .test_faults import reply
from .test_upsert import calls


def asset(world: World, source: Path, *, archive: bool = False, in_place: bool = False) -> Asset:
    files = collect(source)
    found = digests(files)
    content = address_of(found)
    uri = world.environment.uri("assets", content, *(["x.tar.gz"] if archive else []))
    return Asset(content, uri, files, archive, in_place=in_place, digests=tuple(item.content for item in found))


def sparse(file: Path, size: int) -> Path:
    """Content that differs from part to part, without taking its size on the disk."""
    with file.open("wb") as target:
        for start in range(0, size, PART_BYTES):
            target.seek(start)
            target.write(f"part at {start}".encode())
        target.truncate(size)
    return file


def send(world: World, made: Asset) -> int:
    return sum(
        upload(world.account, world.environment, item, lambda uri, there, size: None)
        for item in absent(world.account, [made])[made.uri, made.address]
    )


def test_a_large_file_goes_in_parts_and_is_not_sent_again(world: World, tmp_path: Path) -> None:
    made = asset(world, sparse(tmp_path / "data.bin", 3 * PART_BYTES + 5))
    with calls(world) as first:
        assert send(world, made) == 3 * PART_BYTES + 5
    assert first.count("UploadPart") == 4
    with calls(world) as second:
        assert send(world, made) == 0
    assert second == ["HeadObject"]


def test_an_upload_that_was_cut_off_is_resumed(world: World, tmp_path: Path) -> None:
    made = asset(world, sparse(tmp_path / "data.bin", 4 * PART_BYTES))
    (item,) = objects(made)
    sent = []

    def cut(uri: str, there: int, size: int) -> None:
        sent.append(there)
        if len(sent) == 3:
            raise AccountError("the connection was reset")

    with pytest.raises(AccountError):
        upload(world.account, world.environment, item, cut)
    assert absent(world.account, [made]) == {(made.uri, made.address): (item,)}
    assert send(world, made) == PART_BYTES
    assert absent(world.account, [made]) == {(made.uri, made.address): ()}
    bucket, _, key = item.uri.removeprefix("s3://").partition("/")
    body = world.account.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body == (tmp_path / "data.bin").read_bytes()


def test_a_thousand_files_are_asked_for_in_two_pages(world: World, tmp_path: Path) -> None:
    if not world.environment.is_local:
        pytest.skip("a thousand requests to moto prove nothing more")
    folder = tmp_path / "code"
    folder.mkdir()
    for number in range(1001):
        (folder / f"module_{number}.py").write_text(f"VALUE = {number}\n")
    made = asset(world, folder)
    assert len(absent(world.account, [made])[made.uri, made.address]) == 1001
    for item in list(objects(made))[:1000]:
        upload(world.account, world.environment, item, lambda uri, there, size: None)
    with calls(world) as asked:
        assert len(absent(world.account, [made])[made.uri, made.address]) == 1
    assert set(asked) == {"ListObjectsV2"} and len(asked) <= 2


MEASURE = """
import resource, sys
from pathlib import Path
from mlops.account import connect
from mlops.deploy.pipelines.assets import absent
from mlops.deploy.pipelines.upload import upload
from mlops.ir import Asset
from mlops.project.content_address import address, collect
from mlops.project.environments import read_project
environment = read_project(Path(sys.argv[1])).environment("local")
account = connect(environment)
files = collect(Path(sys.argv[2]))
content = address(files)
made = Asset(content, environment.uri("assets", content), files, False)
for client in ("s3", "sts"):
    account.client(client)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for item in absent(account, [made])[made.uri, made.address]:
    upload(account, environment, item, lambda uri, there, size: None)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def memory_of(size: int, tmp_path: Path) -> int:
    """MB that an upload to the local account takes."""
    file = sparse(tmp_path / "data.bin", size)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path), str(file)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


two_gigabytes = pytest.param(
    2 * 2**30,
    marks=pytest.mark.proof("large"),
)


@pytest.mark.parametrize("size", [150 * 2**20, two_gigabytes], ids=["150 MB", "2 GB"])
def test_memory_is_bounded_whatever_the_size(size: int, tmp_path: Path) -> None:
    assert memory_of(size, tmp_path) < 100


def test_a_file_that_was_stored_short_is_sent_again(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    for name in ("a.py", "b.py"):
        (folder / name).write_text("print(1)\n")
    made = asset(world, folder)
    send(world, made)
    assert absent(world.account, [made]) == {(made.uri, made.address): ()}
    bucket, _, key = made.uri.removeprefix("s3://").partition("/")
    world.account.client("s3").put_object(Bucket=bucket, Key=f"{key}/a.py", Body=b"")
    assert [item.uri for item in absent(world.account, [made])[made.uri, made.address]] == [f"{made.uri}/a.py"]
    send(world, made)
    assert absent(world.account, [made]) == {(made.uri, made.address): ()}


def test_the_key_of_the_environment_encrypts(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)\n")
    environment: Any = replace(world.environment, kms_key="alias/ml")
    (item,) = objects(asset(world, tmp_path / "a.py"))
    upload(world.account, environment, item, lambda uri, there, size: None)
    bucket, _, key = item.uri.removeprefix("s3://").partition("/")
    told = world.account.client("s3").head_object(Bucket=bucket, Key=key)
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", "alias/ml")


def edited(file: Path) -> None:
    """As long as before."""
    with file.open("r+b") as target:
        first = target.read(1)
        target.seek(0)
        target.write(b"#" if first != b"#" else b"%")


def longer(file: Path) -> None:
    with file.open("ab") as target:
        target.write(b"more")


def shorter(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def executable(file: Path) -> None:
    file.chmod(0o755)


LARGE = 2 * PART_BYTES + 3


CHANGES: list[Callable[[Path], object]] = [edited, longer, shorter, executable, Path.unlink]
SENT: dict[str, tuple[int, int, dict[str, bool]]] = {
    "a file": (9, 1, {}),
    "several": (9, 3, {}),
    "an archive": (9, 3, {"archive": True}),
    "in place": (9, 2, {"in_place": True}),
    "a large one": (LARGE, 1, {}),
    "a large one in place": (LARGE, 1, {"in_place": True}),
}


@pytest.mark.parametrize(
    ("world", "sent", "change"),
    [
        pytest.param(world, sent, change, id=f"{world}, {sent}, {change.__name__}")
        for world in ("local", "moto")
        for sent, (size, _, _) in SENT.items()
        for change in CHANGES
        # How a file is looked at is not the account's; what is left of a large upload is.
        if world == "local" or size < LARGE or change in (edited, Path.unlink)
    ],
    indirect=["world"],
)
def test_what_was_changed_since_it_was_compiled_is_refused_and_leaves_nothing(
    world: World, tmp_path: Path, sent: str, change: Callable[[Path], object]
) -> None:
    size, count, given = SENT[sent]
    folder = tmp_path / "code"
    folder.mkdir()
    for number in range(count):
        sparse(folder / f"{number}.bin", size)
    made = asset(world, folder, **given)
    (wanted,) = absent(world.account, [made]).values()
    last = folder / f"{count - 1}.bin"
    content = last.read_bytes()
    change(last)
    item = wanted[-1]
    if change is executable and "archive" not in given:
        # An object has no mode.
        upload(world.account, world.environment, item, lambda uri, there, size: None)
        return
    said = r"cannot be read any more" if change is Path.unlink else r"was changed since the pipeline was compiled"
    with pytest.raises(Refusal, match=rf"{count - 1}\.bin.* {said}"):
        upload(world.account, world.environment, item, lambda uri, there, size: None)
    s3 = world.account.client("s3")
    assert s3.list_objects_v2(Bucket=world.environment.bucket).get("Contents", []) == []
    assert s3.list_multipart_uploads(Bucket=world.environment.bucket).get("Uploads", []) == []
    last.write_bytes(content)
    last.chmod(0o644)
    assert send(world, made) > 0
    assert absent(world.account, [made]) == {(made.uri, made.address): ()}


def test_a_plan_of_a_file_that_is_gone_is_refused(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    for name in ("a.py", "b.py"):
        (folder / name).write_text("print(1)\n")
    made = asset(world, folder)
    (folder / "a.py").unlink()
    with pytest.raises(Refusal, match=r"a\.py cannot be read any more"):
        absent(world.account, [made])


MOMENTS = ["ListParts", "UploadPart", "CompleteMultipartUpload"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("other", ["finishes it", "takes it back"])
def test_who_finds_the_upload_ended_by_another_ends_well(world: World, tmp_path: Path, moment: str, other: str) -> None:
    made = asset(world, sparse(tmp_path / "data.bin", LARGE))
    (item,) = objects(made)
    s3 = world.account.client("s3")
    bucket, _, key = item.uri.removeprefix("s3://").partition("/")
    begun = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    ended = []

    def answered(request: Any, **_: Any) -> Any:
        """As S3 does, where moto says 500."""
        return reply(request, 404, "NoSuchUpload") if ended and f"uploadId={begun}" in request.url else None

    s3.meta.events.register("before-send.s3.*", answered)

    def meanwhile(model: Any, **_: Any) -> None:
        if model.name == moment:
            s3.meta.events.unregister("before-call.s3.*", meanwhile)
            if other == "finishes it":
                upload(world.account, world.environment, item, lambda uri, there, size: None)
            else:
                s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=begun)
            ended.append(begun)

    s3.meta.events.register_first("before-call.s3.*", meanwhile)
    upload(world.account, world.environment, item, lambda uri, there, size: None)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body == (tmp_path / "data.bin").read_bytes()
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


@pytest.mark.parametrize("world", ["local"], indirect=True)  # moto says 500 of an upload that has ended
def test_many_at_once_all_end_well(world: World, tmp_path: Path) -> None:
    made = asset(world, sparse(tmp_path / "data.bin", LARGE))
    (item,) = objects(made)
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def one() -> None:
        start.wait()
        try:
            upload(world.account, world.environment, item, lambda uri, there, size: None)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    s3 = world.account.client("s3")
    bucket, _, key = item.uri.removeprefix("s3://").partition("/")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == (tmp_path / "data.bin").read_bytes()

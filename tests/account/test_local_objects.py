"""How objects lie on the disk: readable names, unsafe keys, crashes, several writers."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.account.local import LocalAccount
from mlops.account.local.answering import answer
from mlops.account.local.objects import ObjectStore
from mlops.account.local.refusal import Refusal
from mlops.account.local.state import State

BUCKET = "mlops-tests"
ODD_KEYS = [
    "../../../outside",
    "/absolute",
    "//",
    "a/../b",
    "./a",
    "folder/",
    "a//b",
    "é/ü",
    "with\nnewline",
    "back\\slash",
    "x" * 300,
    "/".join(["y" * 150] * 6),
    ".by-hash/a",
    " ",
    "CON",
    "%2e%2e/x",
]


@pytest.fixture
def s3(local: LocalAccount) -> Any:
    return local.client("s3")


def test_ordinary_keys_are_plain_paths(local: LocalAccount, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="models/churn/model v1.tar.gz", Body=b"content")
    assert (local.state.folder / "objects" / BUCKET / "models/churn/model v1.tar.gz").read_bytes() == b"content"


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_stay_inside(tmp_path: Path, key: str) -> None:
    objects = State(tmp_path / ".mlops", "us-east-1").objects
    objects.ensure_bucket(BUCKET)
    objects.publish(BUCKET, key, objects.write([b"content"]), {})
    with objects.open(BUCKET, key) as (_, file):
        assert file.read() == b"content"
    assert [item.key for item in objects.list(BUCKET)] == [key]
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"content"]
    assert len(files) == 1
    assert files[0].resolve().is_relative_to((tmp_path / ".mlops" / "objects" / BUCKET).resolve())
    objects.delete(BUCKET, key)
    assert not files[0].exists()


def test_odd_keys_through_a_client(s3: Any) -> None:
    for key in ODD_KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    for key in ODD_KEYS:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
    assert {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]} == set(ODD_KEYS)


def test_a_key_that_is_the_folder_of_another(s3: Any) -> None:
    keys = ["a/b", "a", "a/b/c", "x", "x/y"]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    for key in keys:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
    s3.delete_object(Bucket=BUCKET, Key="a/b")
    assert s3.get_object(Bucket=BUCKET, Key="a/b/c")["Body"].read() == b"a/b/c"


def test_a_reader_keeps_what_it_opened(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"old")
    opened = s3.get_object(Bucket=BUCKET, Key="key")
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"newer")
    assert opened["Body"].read() == b"old"


def test_a_crash_between_the_file_and_its_row_is_mended(local: LocalAccount, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"old")
    path = local.state.folder / "objects" / BUCKET / "key"
    renamed = path.with_name("temporary")
    renamed.write_bytes(b"newer")
    renamed.replace(path)
    got = s3.get_object(Bucket=BUCKET, Key="key")
    assert got["Body"].read() == b"newer"
    assert got["ETag"] == f'"{hashlib.md5(b"newer", usedforsecurity=False).hexdigest()}"'
    assert s3.head_object(Bucket=BUCKET, Key="key")["ContentLength"] == 5
    path.unlink()
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="key")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_body_that_breaks_off_leaves_nothing(local: LocalAccount) -> None:
    objects = local.state.objects

    def broken() -> Any:
        yield b"first"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        objects.write(broken())
    assert list((local.state.folder / "objects" / ".writing").iterdir()) == []


def test_a_wrong_digest_is_refused(local: LocalAccount, s3: Any) -> None:
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket=BUCKET, Key="key", Body=b"1", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="key")
    assert list((local.state.folder / "objects" / ".writing").iterdir()) == []


def test_wrong_bucket_names(s3: Any) -> None:
    for name in ("Upper", "under_score", "dots..dots", "-dash"):
        with pytest.raises(ClientError, match="InvalidBucketName"):
            s3.create_bucket(Bucket=name)


def write_many(folder: Path, letter: str) -> None:
    objects: ObjectStore = State(folder, "us-east-1").objects
    for number in range(40):
        content = letter.encode() * (1000 + number)
        objects.publish(BUCKET, "key", objects.write([content]), {})


def test_two_writers_and_a_reader(local: LocalAccount) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_many, args=(local.state.folder, letter)) for letter in "ab"]
    for writer in writers:
        writer.start()
    objects, seen = local.state.objects, 0
    while any(writer.is_alive() for writer in writers):
        try:
            with objects.open(BUCKET, "key") as (found, file):
                content = file.read()
        except KeyError:
            continue
        seen += 1
        assert len(set(content)) == 1
        assert (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest()) == (found.size, found.etag)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert seen > 0


class Meanwhile(io.BytesIO):
    """A body during whose coming something else happens."""

    def __init__(self, content: bytes, act: Callable[[], object]) -> None:
        super().__init__(content)
        self._act: Callable[[], object] | None = act

    def read(self, size: int | None = -1, /) -> bytes:
        act, self._act = self._act, None
        if act is not None:
            act()
        return super().read(size)


@pytest.mark.parametrize("ended", ["abort", "complete"])
def test_a_part_that_comes_in_while_its_upload_ends_is_refused_and_leaves_nothing(
    local: LocalAccount, s3: Any, ended: str
) -> None:
    place = {"Bucket": BUCKET, "Key": "data.bin"}
    begun = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    first = s3.upload_part(**begun, PartNumber=1, Body=b"first")

    def end() -> None:
        if ended == "abort":
            s3.abort_multipart_upload(**begun)
        else:
            s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": first["ETag"]}]})

    with pytest.raises(Refusal, match="The specified upload does not exist"):
        answer(local.state, "s3", "UploadPart", {**begun, "PartNumber": 2, "Body": Meanwhile(b"second", end)})
    assert not (local.state.folder / "uploads" / begun["UploadId"]).exists()
    assert not any((local.state.folder / "objects" / ".writing").iterdir())


def test_another_content_of_a_part_is_never_taken_for_the_one_that_was_asked_for(local: LocalAccount, s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "data.bin"}
    begun = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    first = s3.upload_part(**begun, PartNumber=1, Body=b"first")
    asked = {"Parts": [{"PartNumber": 1, "ETag": first["ETag"]}]}
    s3.upload_part(**begun, PartNumber=1, Body=b"other")
    with pytest.raises(ClientError, match="InvalidPart"):
        s3.complete_multipart_upload(**begun, MultipartUpload=asked)
    s3.upload_part(**begun, PartNumber=1, Body=b"first")
    s3.complete_multipart_upload(**begun, MultipartUpload=asked)
    assert s3.get_object(**place)["Body"].read() == b"first"


def test_a_part_that_0_1_kept_is_completed(local: LocalAccount, s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "data.bin"}
    begun = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    first = s3.upload_part(**begun, PartNumber=1, Body=b"first")
    (file,) = (local.state.folder / "uploads" / begun["UploadId"]).iterdir()
    file.rename(file.with_name("1"))
    s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": first["ETag"]}]})
    assert s3.get_object(**place)["Body"].read() == b"first"

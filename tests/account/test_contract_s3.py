"""S3 as both accounts answer it."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from account_parts import Environment
from botocore.exceptions import ClientError

from mlops.account import Account, connect
from mlops.account.local import LocalAccount

BUCKET = "mlops-tests"


@pytest.fixture
def s3(account: Account) -> Any:
    return account.client("s3")


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


@pytest.mark.parametrize(
    ("body", "expected"),
    [(lambda: b"bytes", b"bytes"), (lambda: "text", b"text"), (lambda: io.BytesIO(b"a file"), b"a file"), (bytes, b"")],
    ids=["bytes", "text", "file", "empty"],
)
def test_put_and_get(s3: Any, body: Callable[[], Any], expected: bytes) -> None:
    put = s3.put_object(Bucket=BUCKET, Key="some/key", Body=body(), ContentType="text/plain", Metadata={"who": "me"})
    got = s3.get_object(Bucket=BUCKET, Key="some/key")
    assert got["Body"].read() == expected
    assert got["ETag"] == put["ETag"]
    assert (got["ContentLength"], got["ContentType"], got["Metadata"]) == (len(expected), "text/plain", {"who": "me"})


def test_head_tells_size_etag_and_checksum(s3: Any) -> None:
    put = s3.put_object(Bucket=BUCKET, Key="key", Body=b"hello", ChecksumAlgorithm="SHA256")
    head = s3.head_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
    assert (head["ContentLength"], head["ETag"]) == (5, put["ETag"])
    assert head["ChecksumSHA256"] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    assert head["LastModified"].tzinfo is not None


def test_overwriting_replaces(s3: Any) -> None:
    first = s3.put_object(Bucket=BUCKET, Key="key", Body=b"1")
    second = s3.put_object(Bucket=BUCKET, Key="key", Body=b"22")
    assert first["ETag"] != second["ETag"]
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"22"


@pytest.mark.parametrize(
    ("header", "expected"),
    [("bytes=0-0", b"0"), ("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")],
)
def test_ranges(s3: Any, header: str, expected: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"0123456789")
    got = s3.get_object(Bucket=BUCKET, Key="key", Range=header)
    assert got["Body"].read() == expected
    assert got["ContentLength"] == len(expected)
    assert got["ContentRange"].endswith("/10")


def test_a_range_behind_the_end_is_refused(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"0123456789")
    with refused("InvalidRange"):
        s3.get_object(Bucket=BUCKET, Key="key", Range="bytes=10-")


def test_what_is_absent(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="absent")
    with refused("404"):
        s3.head_object(Bucket=BUCKET, Key="absent")
    with refused("404"):
        s3.head_bucket(Bucket="no-such-bucket")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="no-such-bucket")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="no-such-bucket", Key="key", Body=b"")


def test_if_none_match_makes_only_what_is_absent(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"first", IfNoneMatch="*")
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="key", Body=b"second", IfNoneMatch="*")
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"first"


def test_if_match_replaces_only_what_is_known(s3: Any) -> None:
    first = s3.put_object(Bucket=BUCKET, Key="key", Body=b"first")
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"second", IfMatch=first["ETag"])
    with refused("PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="key", Body=b"third", IfMatch=first["ETag"])
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"second"


def test_conditional_reads(s3: Any) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="key", Body=b"1")["ETag"]
    assert s3.get_object(Bucket=BUCKET, Key="key", IfMatch=etag)["Body"].read() == b"1"
    with refused("304"):
        s3.get_object(Bucket=BUCKET, Key="key", IfNoneMatch=etag)
    with refused("PreconditionFailed"):
        s3.get_object(Bucket=BUCKET, Key="key", IfMatch='"other"')


def test_lists_by_prefix_and_delimiter(s3: Any) -> None:
    for key in ("a", "dir/b", "dir/c", "dir/sub/d", "e"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    whole = s3.list_objects_v2(Bucket=BUCKET)
    assert [item["Key"] for item in whole["Contents"]] == ["a", "dir/b", "dir/c", "dir/sub/d", "e"]
    assert (whole["KeyCount"], whole["IsTruncated"]) == (5, False)
    folder = s3.list_objects_v2(Bucket=BUCKET, Prefix="dir/", Delimiter="/")
    assert [item["Key"] for item in folder["Contents"]] == ["dir/b", "dir/c"]
    assert [item["Prefix"] for item in folder["CommonPrefixes"]] == ["dir/sub/"]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="nothing")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages(s3: Any, size: int) -> None:
    for number in range(7):
        s3.put_object(Bucket=BUCKET, Key=f"n/{number} é", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="n/", PaginationConfig={"PageSize": size}
    )
    assert [item["Key"] for page in pages for item in page["Contents"]] == [f"n/{number} é" for number in range(7)]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_of_common_prefixes(s3: Any, size: int) -> None:
    for key in ("a/1", "a/2", "b", "c/1", "c/2", "d"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    paginator = s3.get_paginator("list_objects_v2")
    pages = list(paginator.paginate(Bucket=BUCKET, Delimiter="/", PaginationConfig={"PageSize": size}))
    assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", ())] == ["a/", "c/"]
    assert [item["Key"] for page in pages for item in page.get("Contents", ())] == ["b", "d"]


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_versions_are_listed_as_objects_are(s3: Any, size: int) -> None:
    keys = ["a b+c", "d/1", "d/\N{LATIN SMALL LETTER E WITH ACUTE} 2", "z"]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    pages = list(islice(s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, MaxKeys=size), 9))
    assert [item["Key"] for page in pages for item in page["Versions"]] == keys
    assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]
    folded = s3.list_object_versions(Bucket=BUCKET, Delimiter="/")
    assert [item["Prefix"] for item in folded["CommonPrefixes"]] == ["d/"]
    assert [item["Key"] for item in folded["Versions"]] == ["a b+c", "z"]


def test_copies(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="from here", Body=b"content", Metadata={"who": "me"})
    s3.copy_object(Bucket=BUCKET, Key="to/there", CopySource={"Bucket": BUCKET, "Key": "from here"})
    got = s3.get_object(Bucket=BUCKET, Key="to/there")
    assert (got["Body"].read(), got["Metadata"]) == (b"content", {"who": "me"})
    with refused("NoSuchKey"):
        s3.copy_object(Bucket=BUCKET, Key="to/there", CopySource={"Bucket": BUCKET, "Key": "absent"})


def test_tags_of_an_object(s3: Any) -> None:
    def tags(key: str = "key") -> dict[str, str]:
        told = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        return {tag["Key"]: tag["Value"] for tag in told}

    s3.put_object(Bucket=BUCKET, Key="key", Body=b"1", Tagging="team=a%3Db&empty=", Metadata={"who": "me"})
    assert tags() == {"team": "a=b", "empty": ""}
    s3.put_object_tagging(Bucket=BUCKET, Key="key", Tagging={"TagSet": [{"Key": "k:1", "Value": "x y"}]})
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "key"})
    assert tags() == tags("copy") == {"k:1": "x y"}
    source = {"Bucket": BUCKET, "Key": "key"}
    given = {"MetadataDirective": "REPLACE", "Metadata": {"who": "you"}}
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source, **given)
    assert tags("copy") == {"k:1": "x y"}, "metadata alone are replaced"
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source, TaggingDirective="REPLACE", Tagging="z=1")
    assert tags("copy") == {"z": "1"} and s3.head_object(Bucket=BUCKET, Key="copy")["Metadata"] == {"who": "me"}
    s3.delete_object_tagging(Bucket=BUCKET, Key="key")
    assert tags() == {}
    assert s3.head_object(Bucket=BUCKET, Key="key")["Metadata"] == {"who": "me"}
    with refused("InvalidTag"):
        s3.put_object_tagging(Bucket=BUCKET, Key="key", Tagging={"TagSet": [{"Key": "k", "Value": "a&b"}]})
    with refused("NoSuchKey"):
        s3.get_object_tagging(Bucket=BUCKET, Key="absent")


def test_deletes(s3: Any) -> None:
    for key in ("a/1", "a/2", "b"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="b")
    s3.delete_object(Bucket=BUCKET, Key="b")
    deleted = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a/1"}, {"Key": "never was"}]})
    assert sorted(item["Key"] for item in deleted["Deleted"]) == ["a/1", "never was"]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["a/2"]


def test_transfers_of_files_in_parts(s3: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 80_000)
    s3.upload_file(str(source), BUCKET, "big")
    s3.download_file(BUCKET, "big", str(target))
    assert target.read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=BUCKET, Key="big")["ETag"].endswith('-3"')


def test_parts_that_are_too_small(s3: Any) -> None:
    upload = {
        "Bucket": BUCKET,
        "Key": "big",
        "UploadId": s3.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"],
    }
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=b"small")["ETag"]}
        for number in (1, 2)
    ]
    with refused("EntityTooSmall"):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    s3.abort_multipart_upload(**upload)
    with refused("404"):
        s3.head_object(Bucket=BUCKET, Key="big")


def test_a_bucket_that_one_owns_is_made_again_in_us_east_1(s3: Any) -> None:
    """In every other region that is refused."""
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"kept")
    s3.create_bucket(Bucket=BUCKET)
    assert s3.get_object(Bucket=BUCKET, Key="key")["Body"].read() == b"kept"


def test_a_bucket_that_one_owns_is_refused_elsewhere(tmp_path: Path) -> None:
    s3 = connect(Environment(state=tmp_path / ".mlops", region="eu-west-1")).client("s3")
    with refused("BucketAlreadyOwnedByYou"):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_a_key_that_is_too_long(tmp_path: Path) -> None:
    """As in the guide; moto takes it."""
    s3 = connect(Environment(state=tmp_path / ".mlops", bucket=BUCKET)).client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="ü" * 512, Body=b"1")
    with refused("KeyTooLongError"):
        s3.put_object(Bucket=BUCKET, Key="ü" * 512 + "k", Body=b"1")


def test_buckets(s3: Any) -> None:
    s3.create_bucket(Bucket="another-bucket")
    s3.head_bucket(Bucket="another-bucket")
    assert {"another-bucket", BUCKET} <= {item["Name"] for item in s3.list_buckets()["Buckets"]}
    s3.put_object(Bucket="another-bucket", Key="key", Body=b"")
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket="another-bucket")
    s3.delete_object(Bucket="another-bucket", Key="key")
    s3.delete_bucket(Bucket="another-bucket")
    with refused("404"):
        s3.head_bucket(Bucket="another-bucket")


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([("k", "1"), ("k", "2")], "InvalidTag"),
        ([(f"k{number}", "") for number in range(11)], "BadRequest"),
        ([("k" * 129, "")], "InvalidTag"),
        ([("k", "v" * 257)], "InvalidTag"),
        ([("aws:k", "1")], "InvalidTag"),
    ],
    ids=["twice", "eleven", "a long name", "a long value", "the service's own"],
)
def test_tags_that_no_object_has(tmp_path: Path, tags: list[tuple[str, str]], code: str) -> None:
    """moto takes them; the guide does not."""
    s3 = LocalAccount(tmp_path, "us-east-1").client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"1")
    with refused(code):
        s3.put_object_tagging(
            Bucket=BUCKET, Key="key", Tagging={"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
        )
    with refused(code):
        s3.put_object(Bucket=BUCKET, Key="other", Body=b"1", Tagging=urlencode(tags))

"""Data capture of Transform steps: manifests, and ids of records."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from ports_for_tests import Account, step, tar_gz

from mlops.run.outcome import StepFailed
from mlops.run.transform_capture import TransformCapture, transform_capture

BEGAN = datetime(2022, 8, 26, 13, 0, 5, tzinfo=UTC)
DOUBLED = """
def model_fn(folder): return None
def transform_fn(model, body, kind, accept):
    return "".join(f"{2 * float(line)}\\n" for line in body.splitlines())
"""


def capture(csv: bool, identifies: bool = True) -> TransformCapture:
    return TransformCapture("s3://b/kept", identifies, csv, BEGAN, lambda: "ID")


@pytest.mark.parametrize(
    ("csv", "answer", "kept"),
    [
        (True, b"0\n1,x\n", b"0,ID,2022-08-26T13:00:05Z\n1,x,ID,2022-08-26T13:00:05Z\n"),
        (True, b"0", b"0,ID,2022-08-26T13:00:05Z\n"),
        (False, b'{"a": 1}\n\n{"a": 2}', b'{"a": 1, @}\n{"a": 2, @}\n'),
        (False, b'{\n"a": 1}', b'{"a": 1, @}\n'),
        (False, b'[{"a": 1}, {"a": 2}]', b'[{"a": 1, @}, {"a": 2, @}]\n'),
    ],
)
def test_records_get_an_id(csv: bool, answer: bytes, kept: bytes) -> None:
    members = b'"SageMakerInferenceId": "ID", "SageMakerInferenceTime": "2022-08-26T13:00:05Z"'
    assert capture(csv).identified(answer) == kept.replace(b"@", members)
    assert capture(csv, identifies=False).identified(answer) == answer


@pytest.mark.parametrize("answer", [b"0.5", b"[1, 2]", b"cat"])
def test_what_can_have_no_id_is_told(answer: bytes) -> None:
    with pytest.raises(StepFailed, match="GenerateInferenceId"):
        capture(csv=False).identified(answer)


@pytest.mark.parametrize(
    ("kinds", "csv"),
    [
        (("text/csv", None), True),
        (("text/csv", "application/json"), False),
        (("application/jsonlines", None), False),
        (("application/json", "text/csv; charset=utf-8"), True),
        ((None, None), True),
    ],
)
def test_what_the_answers_are_of(kinds: tuple[str | None, str | None], csv: bool) -> None:
    request: dict[str, Any] = {"TransformInput": {"ContentType": kinds[0]}, "TransformOutput": {"Accept": kinds[1]}}
    assert transform_capture(request, BEGAN) is None
    found = transform_capture({**request, "DataCaptureConfig": {"DestinationS3Uri": "s3://b/kept/"}}, BEGAN)
    assert found is not None
    assert (found.csv, found.destination, found.identifies) == (csv, "s3://b/kept", False)


def test_a_job_leaves_its_manifests(account: Account) -> None:
    data = account.objects.write("s3://bucket/model.tar.gz", tar_gz({"code/inference.py": DOUBLED}))
    account.registry.model("m", PrimaryContainer={"Image": "i", "ModelDataUrl": data})
    for name in ("a", "more/b"):
        account.objects.write(f"s3://bucket/in/{name}", "1\n2\n")
    request = {
        "ModelName": "m",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": "s3://bucket/answers/", "Accept": "text/csv", "AssembleWith": "Line"},
        "DataCaptureConfig": {"DestinationS3Uri": "s3://bucket/kept", "GenerateInferenceId": True},
    }
    assert account.run(step("Transform", "T", request)) == "Succeeded", account.journal.last("T").failure
    rows = account.objects.read("s3://bucket/answers/a.out").decode().splitlines()
    assert [re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27},\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", "*", row) for row in rows] == [
        "2.0,*",
        "4.0,*",
    ]
    keys = account.objects.keys("s3://bucket/kept/")
    assert [re.sub(r"/\d+", "/0", key.rpartition("/")[0]) for key in keys] == [
        "s3://bucket/kept/input/0/0/0/0",
        "s3://bucket/kept/output/0/0/0/0",
    ]
    assert [json.loads(account.objects.read(key)) for key in keys] == [
        [{"prefix": "s3://bucket/in/"}, "a", "more/b"],
        [{"prefix": "s3://bucket/answers/"}, "a.out", "more/b.out"],
    ]

"""Filters and joins of Transform steps."""

from __future__ import annotations

from typing import Any

import pytest
from ports_for_tests import Account, step, tar_gz

CSV_SUM = """
def model_fn(folder): return None
def transform_fn(model, body, kind, accept):
    return "".join(f"{sum(float(cell) for cell in line.split(','))},ok\\n" for line in body.splitlines())
"""
JSON_LENGTH = """
import json
def model_fn(folder): return None
def transform_fn(model, body, kind, accept):
    text = body if isinstance(body, str) else body.decode()
    return "\\n".join(json.dumps({"length": len(json.loads(line))}) for line in text.splitlines())
"""


def run(account: Account, code: str, content: str, kind: str, split: str, processing: Any, **changes: Any) -> str:
    data = account.objects.write("s3://bucket/model.tar.gz", tar_gz({"code/inference.py": code}))
    account.registry.model("m", PrimaryContainer={"Image": "i", "ModelDataUrl": data})
    account.objects.write("s3://bucket/in/a", content)
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}}
    request = {
        "ModelName": "m",
        "TransformInput": {**source, "ContentType": kind, "SplitType": split},
        "TransformOutput": {"S3OutputPath": "s3://bucket/answers/", "Accept": kind, "AssembleWith": split},
        "DataProcessing": processing,
        "ModelClientConfig": {"InvocationsMaxRetries": 0},
        **changes,
    }
    return account.run(step("Transform", "T", request))


@pytest.mark.parametrize(
    ("processing", "expected"),
    [
        ({"InputFilter": "$[1:]"}, "3.5,ok\n7.0,ok\n"),
        ({"InputFilter": "$[1]"}, "1.50,ok\n3.0,ok\n".replace("1.50", "1.5")),
        ({"InputFilter": "$[1:]", "JoinSource": "Input"}, 'a,1.50,2,3.5,ok\n"b,c",3,4,7.0,ok\n'),
        ({"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-2]"}, 'a,3.5\n"b,c",7.0\n'),
        ({"InputFilter": "$[1:]", "OutputFilter": "$[0]"}, "3.5\n7.0\n"),
        ({"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,3:]"}, 'a,3.5,ok\n"b,c",7.0,ok\n'),
    ],
)
@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_csv(account: Account, processing: Any, expected: str, strategy: str) -> None:
    rows = 'a,1.50,2\n"b,c",3,4\n'
    status = run(account, CSV_SUM, rows, "text/csv", "Line", processing, BatchStrategy=strategy)
    assert status == "Succeeded", account.journal.last("T").failure
    assert account.objects.read("s3://bucket/answers/a.out").decode() == expected


@pytest.mark.parametrize(
    ("kind", "split", "content", "processing", "expected"),
    [
        (
            "application/jsonlines",
            "Line",
            '{"id": 1, "x": [1, 2]}\n{"id": 2, "x": []}\n',
            {"InputFilter": "$.x", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
            '{"id": 1, "SageMakerOutput": {"length": 2}}\n{"id": 2, "SageMakerOutput": {"length": 0}}\n',
        ),
        (
            "application/json",
            "Line",
            "[1, 2]\n",
            {"JoinSource": "Input"},
            '{"SageMakerInput": [1, 2], "SageMakerOutput": {"length": 2}}\n',
        ),
        (
            "application/json",
            "None",
            '{"x": [1, 2, 3]}',
            {"InputFilter": "$.x", "JoinSource": "Input"},
            '{"x": [1, 2, 3], "SageMakerOutput": {"length": 3}}',
        ),
        ("application/json", "None", "[1, 2, 3]", {"OutputFilter": "$.length"}, "3"),
    ],
)
def test_json(account: Account, kind: str, split: str, content: str, processing: Any, expected: str) -> None:
    assert run(account, JSON_LENGTH, content, kind, split, processing) == "Succeeded", account.journal.last("T").failure
    assert account.objects.read("s3://bucket/answers/a.out").decode() == expected


@pytest.mark.parametrize(
    ("kind", "split", "processing", "changes", "reason"),
    [
        (
            "text/csv",
            "None",
            {"InputFilter": "$[0]"},
            {},
            "TransformInput.SplitType: rows of text/csv are filtered, and",
        ),
        (
            "image/png",
            "Line",
            {"InputFilter": "$[0]"},
            {},
            "TransformInput.ContentType: records of image/png cannot be filtered or joined; text/csv, application/json",
        ),
        (
            "text/csv",
            "Line",
            {"JoinSource": "Input"},
            {"TransformOutput": {"S3OutputPath": "s3://bucket/answers/", "Accept": "text/csv"}},
            "TransformOutput.AssembleWith: records are split by Line and put together by None",
        ),
        ("text/csv", "Line", {"InputFilter": "$[3]"}, {}, "a: DataProcessing.InputFilter: a record has nothing at [3]"),
        ("application/json", "Line", {"InputFilter": "$[3]"}, {}, "a: DataProcessing cannot read a record: "),
    ],
)
def test_what_is_refused(account: Account, kind: str, split: str, processing: Any, changes: Any, reason: str) -> None:
    assert run(account, CSV_SUM, "1,2\n", kind, split, processing, **changes) == "Failed"
    failure = account.journal.last("T").failure
    assert failure is not None and failure.startswith(reason)


def test_answers_that_do_not_match_the_records(account: Account) -> None:
    one_for_all = "def model_fn(f): return 1\ndef transform_fn(m, b, k, a): return 'x'"
    assert run(account, one_for_all, "1\n2\n", "text/csv", "Line", {"JoinSource": "Input"}) == "Failed"
    assert account.journal.last("T").failure == ("a: the model gave 1 line(s) for 2 record(s); they cannot be joined")

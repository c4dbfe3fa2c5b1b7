"""Models of several containers, and model servers that end while a Transform runs."""

from __future__ import annotations

from typing import Any

import pytest
from ports_for_tests import Account, step, tar_gz

from mlops.run.outcome import StepFailed
from mlops.run.serving.model_data import place_model

ADD = """
def model_fn(folder): return open(folder + "/word").read()
def transform_fn(model, body, content_type, accept):
    return f"{body}{model}[{content_type},{accept}]", KIND
"""
FRAGILE = """
import os, pathlib
def model_fn(folder): return None
def transform_fn(model, body, content_type, accept):
    mark = pathlib.Path("/opt/ml/model/died")
    if WHEN and not (ONCE and mark.exists()):
        mark.touch()
        print("last words", flush=True)
        os._exit(9)
    return body
"""


def model(account: Account, name: str, *sources: dict[str, str], **more: Any) -> None:
    containers = [
        {"Image": "i", "ModelDataUrl": account.objects.write(f"s3://bucket/{name}/{number}/m.tar.gz", tar_gz(files))}
        for number, files in enumerate(sources)
    ]
    listed = {"Containers": containers} if len(containers) != 1 else {"PrimaryContainer": containers[0]}
    account.registry.model(name, **listed, **more)


def adding(word: str, kind: str) -> dict[str, str]:
    return {"word": word, "code/inference.py": ADD.replace("KIND", repr(kind))}


def transform(account: Account, **more: Any) -> str:
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}}
    request = {
        "ModelName": "m",
        "TransformInput": {**source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://bucket/answers/", "Accept": "text/plain"},
        **more,
    }
    return account.run(step("Transform", "T", request))


def answer(account: Account, name: str) -> bytes:
    return account.objects.read(f"s3://bucket/answers/{name}.out")


@pytest.mark.parametrize("isolated", [False, True])
def test_what_one_answers_is_the_next_ones_request(account: Account, isolated: bool) -> None:
    sources = [adding("-one", "application/json"), adding("-two", "text/csv"), adding("-three", "text/plain")]
    model(account, "m", *sources, EnableNetworkIsolation=isolated)
    account.objects.write("s3://bucket/in/a", "a")
    assert transform(account) == "Succeeded", account.journal.log("T")
    # Only the last one is asked for what the caller accepts.
    said = "a-one[text/csv,application/json]-two[application/json,application/json]-three[text/csv,text/plain]"
    assert answer(account, "a") == said.encode()


def test_an_error_in_the_middle_is_the_answer(account: Account) -> None:
    broken = {"code/inference.py": "def model_fn(folder): pass\ndef transform_fn(*given): raise ValueError('second')"}
    model(account, "m", adding("", "text/csv"), broken, adding("", "text/csv"))
    account.objects.write("s3://bucket/in/a", "a")
    assert transform(account, ModelClientConfig={"InvocationsMaxRetries": 0}) == "Failed"
    assert "the model answered 500" in str(account.journal.last("T").failure)


def test_containers_one_by_one_cannot_be_served(account: Account) -> None:
    archive = account.objects.write("s3://bucket/m/m.tar.gz", tar_gz(adding("", "text/csv")))
    containers = [{"Image": "i", "ModelDataUrl": archive, "ContainerHostname": name} for name in ("first", "second")]
    account.registry.model("m", Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})
    account.objects.write("s3://bucket/in/a", "a")
    assert transform(account) == "Failed"
    assert str(account.journal.last("T").failure).startswith("containers that are invoked one by one")


def test_nothing_cannot_be_served(account: Account) -> None:
    with pytest.raises(StepFailed, match="model m has no container"):
        place_model({"ModelName": "m"}, account.folder, account.objects, account.registry)


def test_a_server_that_ends_once_is_started_again(account: Account) -> None:
    model(account, "m", {"code/inference.py": FRAGILE.replace("WHEN", "True").replace("ONCE", "True")})
    for name in "ab":
        account.objects.write(f"s3://bucket/in/{name}", name)
    assert transform(account) == "Succeeded", account.journal.last("T").failure
    assert (answer(account, "a"), answer(account, "b")) == (b"a", b"b")


def test_a_record_that_ends_every_server(account: Account) -> None:
    """The others are answered."""
    fragile = FRAGILE.replace("WHEN", "body == 'bad'").replace("ONCE", "False")
    model(account, "m", {"code/inference.py": fragile})
    for name in ("a", "bad", "c"):
        account.objects.write(f"s3://bucket/in/{name}", name)
    assert transform(account, ModelClientConfig={"InvocationsMaxRetries": 1}) == "Failed"
    failure = str(account.journal.last("T").failure)
    assert failure.startswith("bad: the model server ended while it answered, exit code 9: ")
    assert failure.endswith("last words")
    assert account.objects.keys("s3://bucket/answers/") == ("s3://bucket/answers/a.out", "s3://bucket/answers/c.out")


def test_a_server_that_never_lives_long(account: Account) -> None:
    model(account, "m", {"code/inference.py": FRAGILE.replace("WHEN", "True").replace("ONCE", "False")})
    for name in "abcd":
        account.objects.write(f"s3://bucket/in/{name}", name)
    assert transform(account) == "Failed"
    assert "the model server ended again and again, exit code 9: last words" in str(account.journal.last("T").failure)


def test_a_server_that_holds_too_much(account: Account) -> None:
    greedy = (
        "import time\ndef model_fn(folder): return bytearray(b'x' * 400 * 2**20)\ndef transform_fn(*given): return ''"
    )
    model(account, "m", {"code/inference.py": greedy})
    account.objects.write("s3://bucket/in/a", "a")
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}}
    request = {
        "ModelName": "m",
        "TransformInput": source,
        "TransformOutput": {"S3OutputPath": "s3://bucket/answers/"},
    }
    assert account.run(step("Transform", "T", request), memory_limit=200 * 2**20) == "Failed"
    failure = str(account.journal.last("T").failure)
    assert failure.startswith("the model server: it held ") and "MLOPS_MEMORY_LIMIT gives 200.0 MiB" in failure

"""Handlers, the model server and Transform steps, with a real scikit-learn model."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import pickle
import socket
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy
import pytest
from ports_for_tests import Account, step, tar_gz

from mlops.run.serving.handlers import HandlerFault, Handlers, RequestFault, decode, encode
from mlops.run.serving.model_server import ModelServer, ModelServerFailed

LOAD = """
import os, pickle
import numpy
class Linear:
    def __init__(self, weights):
        self.weights = weights
    def predict(self, rows):
        if len(rows[0]) != len(self.weights):
            raise ValueError(f"{len(rows[0])} features for {len(self.weights)}")
        return numpy.asarray(rows) @ self.weights
def model_fn(folder):
    with open(os.path.join(folder, "model.pkl"), "rb") as file:
        return Linear(pickle.load(file))
"""
"""As small as it can be: that those of real libraries serve is asked by tests/sentence/test_local_sentence.py."""


def model_files(code: str = LOAD, name: str = "code/inference.py") -> dict[str, str | bytes]:
    return {"model.pkl": pickle.dumps([2.0, 3.0]), name: code}


def place(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        target = folder / "ml" / "model" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "ml" / "model"


def post(server: ModelServer, body: bytes | str, path: str = "/invocations", **headers: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", path, body, {name.replace("_", "-"): text for name, text in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.headers["Content-Type"]


def test_server(tmp_path: Path, sandbox_mode: str) -> None:
    model = place(tmp_path, model_files())
    log = tmp_path / "log"
    with ModelServer.start(model, {}, log) as one, ModelServer.start(model, {}, log) as two:
        assert one.port != two.port
        assert one.healthy() and two.healthy()
        status, body, kind = post(one, "1,1\n2,0\n", Content_Type="text/csv", Accept="text/csv")
        assert (status, kind) == (200, "text/csv")
        assert [round(float(line), 3) for line in body.split()] == [5.0, 4.0]
        status, body, kind = post(two, "[[1, 1]]", Content_Type="application/json", Accept="*/*")
        assert (status, kind) == (200, "application/json")
        assert [round(value, 3) for value in json.loads(body)] == [5.0]
        assert post(one, "x", Content_Type="application/xml")[0] == 415
        assert post(one, "1,1", Content_Type="text/csv", Accept="image/png")[0] == 406
        assert post(one, "{", Content_Type="application/json")[0] == 400
        status, body, _ = post(one, "1,2,3", Content_Type="text/csv")
        assert status == 500 and b"Traceback" in body and b"features" in body
        assert post(one, "", path="/other")[0] == 404
        one.stop()
        assert not one.healthy() and two.healthy()
        assert one.process.poll() == 0
    assert two.process.poll() is not None
    assert not list(tmp_path.glob("server-*"))


def test_an_answer_leaves_in_one_piece(tmp_path: Path, sandbox_mode: str) -> None:
    """Head and body apart meet Nagle's algorithm: the body waits until the head is acknowledged, 40 ms and more."""
    code = "def model_fn(f): return 1\ndef transform_fn(m, body, kind, accept): return body"
    request = b"POST /invocations HTTP/1.1\r\nContent-Type: text/csv\r\nContent-Length: 2\r\n\r\n42"
    with ModelServer.start(place(tmp_path, {"code/inference.py": code}), {}, tmp_path / "log") as server:
        with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
            for _ in range(5):
                connection.sendall(request)
                assert connection.recv(65_536).endswith(b"\r\n\r\n42")


def test_requests_at_a_time(tmp_path: Path, sandbox_mode: str) -> None:
    """One, as a worker of the toolkits, or as many as the container asks for."""
    code = "import threading\ndef model_fn(f): return threading.Barrier(3)\n"
    code += "def transform_fn(m, body, kind, accept): m.wait(20); return body"
    environment = {"SAGEMAKER_GUNICORN_THREADS": "3"}
    with ModelServer.start(place(tmp_path, {"code/inference.py": code}), environment, tmp_path / "log") as server:
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(lambda number: post(server, number, Content_Type="text/csv"), "123"))
    assert [(status, body) for status, body, _ in found] == [(200, b"1"), (200, b"2"), (200, b"3")]


@pytest.mark.parametrize(
    ("files", "environment", "reason"),
    [
        ({"model.pkl": b""}, {}, "model_fn is missing: put code/inference.py into model.tar.gz"),
        ({"code/a.py": ""}, {"SAGEMAKER_PROGRAM": "b.py"}, "SAGEMAKER_PROGRAM is 'b.py', but"),
        ({"code/a.py": ""}, {"SAGEMAKER_PROGRAM": "a.py"}, "model_fn is missing: a does not define it"),
        ({"code/inference.py": "import nothing_there"}, {}, "No module named 'nothing_there'"),
        ({"code/inference.py": "def model_fn(folder): return open(folder + '/none')"}, {}, "FileNotFoundError"),
        (
            {"code/inference.py": f"{LOAD}\ndef transform_fn(*a): pass\ndef predict_fn(*a): pass"},
            {},
            "defines transform_fn and predict_fn: use one or the other",
        ),
    ],
)
def test_server_that_does_not_start(
    tmp_path: Path, files: dict[str, str | bytes], environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(ModelServerFailed) as fault:
        ModelServer.start(place(tmp_path, files), environment, tmp_path / "log")
    assert "exit code 1" in str(fault.value) and reason in str(fault.value)


def test_server_that_never_answers(tmp_path: Path) -> None:
    model = place(tmp_path, {"code/inference.py": "import time\ntime.sleep(60)"})
    with pytest.raises(ModelServerFailed, match=r"did not answer /ping within 0\.5 seconds"):
        ModelServer.start(model, {}, tmp_path / "log", startup_seconds=0.5)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    model = place(tmp_path, {"code/inference.py": ""})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            ModelServer.start(model, {}, tmp_path / "log", port=taken.getsockname()[1])


def module(**functions: Any) -> types.ModuleType:
    made = types.ModuleType("inference")
    for name, function in {"model_fn": lambda folder: "model", **functions}.items():
        setattr(made, name, function)
    return made


def answer(made: types.ModuleType, body: bytes = b"in", kind: str = "text/csv", accept: str = "") -> tuple[bytes, str]:
    found = Handlers(made, Path("/opt/ml/model"), "application/json").answer(body, kind, accept, {"X-Id": "7"})
    return found.body, found.content_type


PARTS = {
    "input_fn": lambda body, kind: f"{body}|{kind}",
    "predict_fn": lambda data, model: f"{data}|{model}",
    "output_fn": lambda prediction, accept: f"{prediction}|{accept}",
}


@pytest.mark.parametrize(
    ("made", "accept", "expected"),
    [
        (module(**PARTS), "", (b"in|text/csv|model|application/json", "application/json")),
        (module(**PARTS), "text/csv", (b"in|text/csv|model|text/csv", "text/csv")),
        (
            module(**{**PARTS, "output_fn": lambda prediction, accept: (b"bytes", "image/png")}),
            "text/csv",
            (b"bytes", "image/png"),
        ),
        (
            module(transform_fn=lambda model, body, kind, accept: f"{model},{body},{kind},{accept}"),
            "text/csv;q=1, */*",
            (b"model,in,text/csv,text/csv;q=1, */*", "text/csv;q=1, */*"),
        ),
        (
            module(
                model_fn=lambda folder, context: context.system_properties["model_dir"],
                transform_fn=lambda model, body, kind, accept, context: (
                    f"{model} {context.get_request_header(0, 'x-id')}"
                ),
            ),
            "text/plain",
            (b"/opt/ml/model 7", "text/plain"),
        ),
    ],
)
def test_handlers(made: types.ModuleType, accept: str, expected: tuple[bytes, str]) -> None:
    assert answer(made, accept=accept) == expected


def test_bytes_stay_bytes_for_other_types() -> None:
    made = module(**{**PARTS, "input_fn": lambda body, kind: type(body).__name__})
    assert answer(made, kind="image/png")[0].startswith(b"bytes|")
    assert answer(made, kind="text/csv")[0].startswith(b"str|")
    assert answer(made, kind="text/csv; charset=utf-8")[0].startswith(b"bytes|")


def test_handler_faults() -> None:
    broken = types.ModuleType("inference")
    with pytest.raises(HandlerFault, match="model_fn is missing"):
        Handlers(broken, Path(), "application/json")
    with pytest.raises(TypeError, match="the handler gave dict"):
        answer(module(**{**PARTS, "output_fn": lambda prediction, accept: {}}))
    with pytest.raises(RequestFault, match="not UTF-8"):
        answer(module(**PARTS), body=b"\xff")


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    numpy.save(buffer, array)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("1,2\n3,4", "text/csv", [[1, 2], [3, 4]]),
        ("1,2", "text/csv", [[1, 2]]),
        ("[[1, 2]]", "application/json", [[1, 2]]),
        ("[1, 2]", "application/json", [[1, 2]]),
        (npy(numpy.array([[1.5]])), "application/x-npy", [[1.5]]),
    ],
)
def test_decode(body: Any, kind: str, expected: Any) -> None:
    found = decode(body, kind)
    assert found.tolist() == expected
    assert found.dtype == (numpy.float32 if kind != "application/x-npy" else numpy.float64)


@pytest.mark.parametrize(
    ("prediction", "accept", "expected"),
    [
        (numpy.array([1.0, 2.5]), "application/json", b"[1.0, 2.5]"),
        ({"a": numpy.float32(1)}, "application/json", b'{"a": 1.0}'),
        (numpy.array([1.0, 2.5]), "text/csv", b"1.0\n2.5\n"),
        ([[1, 2], [3, 4]], "text/csv", b"1,2\n3,4\n"),
        (numpy.array(["yes"]), "text/csv", b"yes\n"),
        ([1], "application/x-npy", npy([1])),
    ],
)
def test_encode(prediction: Any, accept: str, expected: bytes) -> None:
    assert encode(prediction, accept) == expected


def transform(uri: str = "s3://bucket/in/", **changes: Any) -> Any:
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}, "ContentType": "text/csv"}
    wanted = {"S3OutputPath": "s3://bucket/answers/", "Accept": "text/csv"}
    source |= changes.pop("TransformInput", {})
    wanted |= changes.pop("TransformOutput", {})
    return step("Transform", "T", {"ModelName": "m", "TransformInput": source, "TransformOutput": wanted, **changes})


def with_model(account: Account, code: str = LOAD, **environment: str) -> None:
    data = account.objects.write("s3://bucket/model.tar.gz", tar_gz(model_files(code)))
    container = {"Image": "i", "ModelDataUrl": data, "Environment": environment}
    account.registry.model("m", PrimaryContainer=container)


def numbers(raw: bytes) -> list[float]:
    return [round(float(line), 3) for line in raw.split()]


def test_transform(account: Account, sandbox_mode: str) -> None:
    with_model(account)
    account.objects.write("s3://bucket/in/a.csv", "1,1\n2,0\n")
    account.objects.write("s3://bucket/in/deep/b.csv", "0,1\n")
    assert account.run(transform(TransformInput={"SplitType": "Line"})) == "Succeeded", account.journal.last(
        "T"
    ).failure
    assert numbers(account.objects.read("s3://bucket/answers/a.csv.out")) == [5.0, 4.0]
    assert numbers(account.objects.read("s3://bucket/answers/deep/b.csv.out")) == [3.0]
    record = account.journal.last("T")
    assert record.response["TransformJobStatus"] == "Completed"
    assert record.metadata == {"TransformJob": {"Arn": record.response["TransformJobArn"]}}


ECHO = """
import os
def model_fn(folder): return os.environ["SAGEMAKER_BATCH"] + os.environ["SAGEMAKER_BATCH_STRATEGY"] + os.environ["MINE"]
def transform_fn(model, body, kind, accept): return f"<{model}:{body}>"
"""


@pytest.mark.parametrize(
    ("given", "wanted", "strategy", "expected"),
    [
        ({}, {}, {}, "<a\nb\n\nc\n>"),
        ({}, {"AssembleWith": "Line"}, {}, "<a\nb\n\nc\n>\n"),
        ({"SplitType": "Line"}, {}, {}, "<a\nb\nc>"),
        ({"SplitType": "Line"}, {}, {"BatchStrategy": "SingleRecord"}, "<a><b><c>"),
        ({"SplitType": "Line"}, {"AssembleWith": "Line"}, {"BatchStrategy": "SingleRecord"}, "<a>\n<b>\n<c>\n"),
    ],
)
def test_splitting_and_assembling(account: Account, given: Any, wanted: Any, strategy: Any, expected: str) -> None:
    with_model(account, "def model_fn(f): return 1\ndef transform_fn(m, body, kind, accept): return f'<{body}>'")
    account.objects.write("s3://bucket/in/a.csv", "a\nb\n\nc\n")
    assert account.run(transform(TransformInput=given, TransformOutput=wanted, **strategy)) == "Succeeded"
    assert account.objects.read("s3://bucket/answers/a.csv.out").decode() == expected


def test_batches(account: Account) -> None:
    with_model(account, ECHO, MINE="model")
    rows = ["x" * 400_000, "y" * 400_000, "z" * 400_000]
    raw = gzip.compress("\n".join(rows).encode())
    account.objects.write("s3://bucket/in/a.csv", raw)
    step_ = transform(
        "s3://bucket/in/a.csv",
        TransformInput={"SplitType": "Line", "CompressionType": "Gzip"},
        BatchStrategy="MultiRecord",
        MaxPayloadInMB=1,
        Environment={"MINE": "!"},
    )
    assert account.run(step_) == "Succeeded", account.journal.last("T").failure
    said = "trueMULTI_RECORD!"
    assert account.objects.read("s3://bucket/answers/a.csv.out").decode() == (
        f"<{said}:{rows[0]}\n{rows[1]}><{said}:{rows[2]}>"
    )


REFUSE = """
def model_fn(folder): return None
def transform_fn(model, body, kind, accept):
    if body == "bad": raise ValueError("cannot")
    return body
"""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ModelName": "other"}, 'Could not find model "arn:aws:sagemaker:eu-west-1:000000000000:model/other"'),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "TransformInput.SplitType RecordIO cannot run"),
        ({"DataProcessing": {"JoinSource": "Output"}}, "DataProcessing.JoinSource is 'Output'"),
        ({"uri": "s3://bucket/none"}, "TransformInput: no object is stored under s3://bucket/none"),
        ({"TransformOutput": {"S3OutputPath": "/x"}}, "TransformOutput.S3OutputPath is '/x'"),
        (
            {"ModelClientConfig": {"InvocationsMaxRetries": 0}},
            "bad.csv: the model answered 500: ValueError: cannot",
        ),
    ],
)
def test_transform_failures(account: Account, changes: dict[str, Any], reason: str) -> None:
    with_model(account, REFUSE)
    account.objects.write("s3://bucket/in/a.csv", "good")
    account.objects.write("s3://bucket/in/bad.csv", "bad")
    assert account.run(transform(changes.pop("uri", "s3://bucket/in/"), **changes)) == "Failed"
    failure = account.journal.last("T").failure
    assert failure is not None and failure.startswith(reason)
    if reason.startswith("bad"):
        assert account.objects.keys("s3://bucket/answers/") == ("s3://bucket/answers/a.csv.out",)


def test_transform_with_a_broken_model(account: Account) -> None:
    with_model(account, "def model_fn(folder): raise RuntimeError('cannot load')")
    account.objects.write("s3://bucket/in/a.csv", "1,1\n")
    assert account.run(transform()) == "Failed"
    failure = account.journal.last("T").failure
    assert failure is not None and failure.endswith("RuntimeError: cannot load")


def test_stopped_transform(account: Account) -> None:
    with_model(account, "import time\ndef model_fn(folder): time.sleep(60)")
    account.objects.write("s3://bucket/in/a.csv", "1,1\n")
    account.journal.stop_when = lambda: account.journal.ended().get("T") == "Executing"
    assert account.run(transform()) == "Stopped"
    assert account.journal.last("T").response["TransformJobStatus"] == "Stopped"

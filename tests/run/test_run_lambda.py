"""Lambda steps call functions of the local account: what they get, what they give, and how they fail."""

from __future__ import annotations

import io
import shutil
import sys
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from ports_for_tests import Account, step

from mlops.account.local.answering import answer
from mlops.account.local.refusal import Refusal
from mlops.account.local.services.lambda_.functions import _extract
from mlops.run import function_program, functions
from mlops.run.execute import STEP_FAILURE
from mlops.run.functions import Call, FunctionFailed
from mlops.run.outcome import StepFailed
from mlops.run.ports import Function
from mlops.run.sandbox import Box, probe
from mlops.run.step_outputs import metadata_of, outputs_of

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:score:live"
ROLE = "arn:aws:iam::000000000000:role/f"
ECHO = "def handler(event, context):\n    return {'n': event['n'] * 2, 'who': context.function_name}\n"


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def make(account: Account, code: str = ECHO, **more: Any) -> None:
    given = {"FunctionName": "score", "Runtime": "python3.12", "Role": ROLE, "Handler": "app.handler", **more}
    answer(account.state, "lambda", "CreateFunction", {"Code": {"ZipFile": zipped({"app.py": code})}, **given})


def outputs(**kinds: str) -> list[dict[str, str]]:
    return [{"OutputName": name, "OutputType": kind} for name, kind in kinds.items()]


def asks(event: Mapping[str, Any], *, arn: str = ARN, **kinds: str) -> Any:
    return step("Lambda", "Ask", event, FunctionArn=arn, OutputParameters=outputs(**kinds))


def test_a_function_is_called_and_its_outputs_are_read(account: Account, sandbox_mode: str) -> None:
    make(account)
    behind = step("Fail", "Told", {"ErrorMessage": {"Std:Join": {"On": " ", "Values": [
        get("Steps.Ask.OutputParameters['n']"), get("Steps.Ask.OutputParameters['who']")
    ]}}})  # fmt: skip
    assert account.run(asks({"n": 4}, n="Integer", who="String"), behind) == "Failed"
    assert account.journal.statuses[-1] == ("Failed", f"{STEP_FAILURE}: 8 score")
    told = account.journal.last("Ask").metadata["Lambda"]
    assert told["Arn"] == "arn:aws:lambda:eu-west-1:000000000000:function:score"
    assert told["OutputParameters"] == [{"Name": "n", "Value": "8"}, {"Name": "who", "Value": "score"}]


@pytest.mark.parametrize(
    ("code", "kinds", "said"),
    [
        ("def handler(e, c):\n    raise ValueError('no')", {}, "the function failed: ValueError: no"),
        ("def handler(e, c):\n    return {1, 2}", {}, "Runtime.MarshalError: Unable to marshal response"),
        ("import os\ndef handler(e, c):\n    os._exit(3)", {}, "Runtime.ExitError: exit code 3"),
        ("def other(e, c): ...", {}, "Handler 'handler' missing on module 'app'"),
        ("import nowhere_at_all", {}, "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def handler(e, c):\n    return 7", {"n": "Integer"}, "the answer is 7, no dictionary"),
        (
            "def handler(e, c):\n    return {'m': 7}",
            {"n": "Integer"},
            "the answer lacks n, declared as output; it has m",
        ),
        ("def handler(e, c):\n    return {'n': 'x'}", {"n": "Integer"}, 'the output n is "x", which is no Integer'),
        ("def handler(e, c):\n    return {'n': 'x' * 1025}", {"n": "String"}, "longer than 1024 characters"),
    ],
)
def test_how_a_function_fails(account: Account, code: str, kinds: dict[str, str], said: str) -> None:
    make(account, code)
    assert account.run(asks({"n": 1}, **kinds)) == "Failed"
    assert said in (account.journal.last("Ask").failure or "")


@pytest.mark.parametrize(
    "left",
    ["{}", "[]", "7", '{"error": 7}', '{"error": {"errorType": 1}}', "[" * 100_000, '{"value": 1'],
    ids=lambda text: text[:12],
)
def test_what_a_function_leaves_in_its_answers_place_is_no_answer(tmp_path: Path, left: str) -> None:
    """It can write there as the program that calls it does."""
    (tmp_path / "ml" / "output").mkdir(parents=True)
    (tmp_path / "ml" / "output" / "answer.json").write_text(left)
    ended: Any = SimpleNamespace(poll=lambda: 0)
    function = Function(ARN, tmp_path, "app.handler", 3.0, 128, {})
    with pytest.raises(FunctionFailed, match=r"the answer is no JSON|left another answer than its handler's"):
        Call(function, Box(tmp_path / "ml", tmp_path / "scratch", probe()), ended, tmp_path / "log", 0.0).answer()


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_refused(tmp_path: Path, how: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        archive.writestr("app.py", ECHO * 20)
        archive.writestr("pkg/é.py", ECHO * 20)
    whole, chances = packed.getvalue(), Random(1)
    for number in range(150):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chances.randrange(len(damaged))] = chances.randrange(256)
        with suppress(Refusal):
            _extract(bytes(damaged), tmp_path / str(number))


def test_a_function_is_called_where_we_are_installed_below_tmp(
    tmp_path: Path, sandbox_mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The box has a ``/tmp`` of its own, and sees nothing of the host's."""
    with TemporaryDirectory(dir="/tmp") as below:
        for source in (functions.__file__, function_program.__file__):
            shutil.copy(source, below)
        spec = spec_from_file_location("functions_below_tmp", f"{below}/functions.py")
        assert spec is not None and spec.loader is not None
        there = module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, there)
        spec.loader.exec_module(there)
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "app.py").write_text(
            "import os\ndef handler(e, c):\n"
            "    return [e, c.log_stream_name, c.log_group_name, os.environ['AWS_LAMBDA_LOG_STREAM_NAME']]\n"
        )
        function = Function(ARN, tmp_path / "code", "app.handler", 30.0, 128, {})
        box = Box(tmp_path / "ml", tmp_path / "scratch", probe())
        called = there.call(function, 7, box, tmp_path / "log", request="job-1")
        assert called.boxed.wait(30) == 0, (tmp_path / "log").read_text()
        assert called.answer() == [7, "job-1", "/aws/lambda/score", "job-1"]
        called.boxed.kill()


def test_a_function_has_the_time_that_it_was_given(account: Account) -> None:
    make(account, "import time\ndef handler(e, c):\n    time.sleep(600)", Timeout=1)
    began = time.monotonic()
    assert account.run(asks({})) == "Failed"
    assert time.monotonic() - began < 300
    assert "Task timed out after 1.00 seconds" in (account.journal.last("Ask").failure or "")


def test_a_function_that_is_not_there_is_told_with_the_mend(account: Account) -> None:
    assert account.run(asks({})) == "Failed"
    assert "[env.local.functions]" in (account.journal.last("Ask").failure or "")


def test_a_function_sees_its_own_files_and_variables(account: Account) -> None:
    code = (
        "import os, helper\nfrom pathlib import Path\n"
        "def handler(e, c):\n"
        "    return {'seen': f\"{os.environ['MODE']} {helper.WORD} {Path('data.txt').read_text()} \"\n"
        '            f"{0 < c.get_remaining_time_in_millis() <= 3000}"}\n'
    )
    files = {"app.py": code, "helper.py": "WORD = 'helped'", "data.txt": "read"}
    make(account, Code={"ZipFile": zipped(files)}, Environment={"Variables": {"MODE": "fast"}})
    assert account.run(asks({}, seen="String")) == "Succeeded"
    assert account.journal.last("Ask").response == {"OutputParameters": {"seen": "fast helped read True"}}


@pytest.mark.parametrize(
    ("name", "said"),
    [("../out.py", "outside of its folder"), ("/etc/out.py", "outside of its folder"), ("a/../../b", "outside")],
)
def test_an_archive_stays_in_its_folder(account: Account, name: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        make(account, Code={"ZipFile": zipped({"app.py": ECHO, name: "x"})})
    assert not [path for path in account.folder.rglob("*") if path.name in ("out.py", "b")]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"Code": {"ZipFile": b"no zip"}}, "Could not unzip"),
        ({"Code": {}}, "Please provide a source for function code"),
        ({"Code": {"S3Bucket": "nowhere", "S3Key": "k"}}, "NoSuchKey"),
        ({"Code": {"ImageUri": "i"}, "PackageType": "Image"}, "images are not run"),
        ({"Runtime": "nodejs22.x"}, "functions of Python"),
    ],
)
def test_functions_that_cannot_be(account: Account, more: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal, match=said):
        make(account, **more)


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("String", {"a": [1]}, '{"a": [1]}'),
        ("String", 7, "7"),
        ("String", "7", "7"),
        ("Integer", 7.0, 7),
        ("Integer", "7", 7),
        ("Integer", True, None),
        ("Integer", 7.5, None),
        ("Float", 7, 7.0),
        ("Float", "7.5", 7.5),
        ("Float", False, None),
        ("Float", 10**400, None),
        ("Boolean", True, True),
        ("Boolean", "False", False),
        ("Boolean", 1, None),
    ],
)
def test_outputs_are_of_the_declared_type(kind: str, value: Any, wanted: Any) -> None:
    if wanted is None:
        with pytest.raises(StepFailed, match=f"is no {kind}"):
            outputs_of(outputs(n=kind), {"n": value})
        return
    found = outputs_of(outputs(n=kind), {"n": value})
    assert found == {"n": wanted} and type(found["n"]) is type(wanted)
    assert all(isinstance(item["Value"], str) for item in metadata_of(found))

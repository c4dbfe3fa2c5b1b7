"""`mlops local serve`, `env` and `exec`: what leads a client here, and how a server ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import in_this_process

from mlops.account.wire.client_variables import variables
from mlops.account.wire.registration import living

ASK = (
    "import os, sys, urllib.request\n"
    "assert os.environ['AWS_ENDPOINT_URL'].startswith('http://127.0.0.1:'), os.environ\n"
    "assert 'AWS_PROFILE' not in os.environ and 'AWS_ENDPOINT_URL_S3' not in os.environ\n"
    "body = b'Action=GetCallerIdentity&Version=2011-06-15'\n"
    "print(urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'], body).read().decode())\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_command_runs_with_a_server_of_its_own(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere.example")
    mlops = in_this_process(capfd)
    told = mlops("local", "exec", "--requests", "--as", "ada", "--", sys.executable, "-I", "-c", ASK)
    assert "arn:aws:iam::000000000000:user/ada" in told.out
    assert "200 sts GetCallerIdentity" in told.err
    assert living(project / ".mlops") == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sh", "-c", "exit 7"), 7, ""),
        (("sh", "-c", "kill -9 $$"), 137, ""),
        (("there-is-no-such-command",), 127, "there is no command there-is-no-such-command"),
        ((), 2, "no command is given"),
    ],
)
def test_the_commands_exit_code_is_ours(
    project: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in in_this_process(capfd)("local", "exec", "--", *words, code=code).err


def test_whoever_ends_us_ends_the_command(project: Path) -> None:
    command = [sys.executable, "-m", "mlops", "local", "exec", "--", "sh", "-c", "echo $PPID; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) == process.pid
        process.terminate()
        assert process.wait(120) == 128 + signal.SIGTERM


def test_a_server_is_found_until_it_ends(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mlops = in_this_process(capfd)
    assert "no server of this project runs" in mlops("local", "env", code=2).err
    command = [sys.executable, "-m", "mlops", "local", "serve", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            told += process.stdout.readline()
        url = json.loads(told)["url"]
        shown = mlops("local", "env").out
        found = subprocess.run(["sh", "-c", f"{shown}\nenv"], capture_output=True, text=True, check=True).stdout
        assert f"AWS_ENDPOINT_URL={url}\n" in found
        given = json.loads(mlops("local", "env", "--format", "json").out)
        assert {"name": "AWS_ENDPOINT_URL", "value": url} in given["set"]
        assert "AWS_PROFILE" in given["unset"]
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(120) == 0
    assert living(project / ".mlops") == []
    assert [*(project / ".mlops" / "servers").iterdir()] == []


def test_what_a_dead_server_has_left_is_removed(project: Path) -> None:
    (project / ".mlops" / "servers").mkdir(parents=True)
    (project / ".mlops" / "servers" / "99999").write_text('{"url": "http://127.0.0.1:1", "region": "r", "process": 1}')
    assert living(project / ".mlops") == []
    assert [*(project / ".mlops" / "servers").iterdir()] == []


def test_an_environment_that_wants_an_approval_is_not_served(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "mlops.toml").write_text("[env.local]\napproval = true\n")
    for words in (("serve", "--for", "0"), ("exec", "--", "true")):
        assert "wants an approval" in in_this_process(capfd)("local", *words, code=2).err


def test_a_port_that_is_taken_is_told(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}" in in_this_process(capfd)("local", "serve", "--port", port, code=2).err


def test_proxies_are_passed_by_and_nothing_else_is_changed() -> None:
    given = {"NO_PROXY": "a.example, localhost", "PATH": "/bin", "AWS_SESSION_TOKEN": "x", "AWS_ENDPOINT_URL_STS": "y"}
    found = variables("http://127.0.0.1:1", "eu-west-1", given).of(given)
    assert (found["NO_PROXY"], found["no_proxy"]) == ("a.example,localhost,127.0.0.1",) * 2
    assert (found["PATH"], found["AWS_REGION"]) == ("/bin", "eu-west-1")
    assert not {"AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_STS"} & found.keys()

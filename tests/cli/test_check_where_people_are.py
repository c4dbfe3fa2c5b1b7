"""The check where people are: a commit hook, an editor's problem matcher and language server, a watching terminal."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import ROOT, in_this_process, mlops

from mlops.cli import main

PIPELINE = """\
from mlops import Pipeline, Training
from parts import IMAGE

with Pipeline("x") as pipeline:
    Training(
        "Train",
        image=IMAGE,
        code="train.py",
        instance="ml.m5.{size}",
    )
"""
STEP = '{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}'
SOUND = f'{{"Version": "2020-12-01", "Metadata": {{}}, "Steps": [{STEP}]}}'
FAULTY = SOUND.replace("Fail", "Fial")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mlops.toml").write_text("[project]\n")
    (tmp_path / "parts.py").write_text('IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/steps:1"\n')
    (tmp_path / "train.py").write_text("print('🙂')\n")
    (tmp_path / "pipeline.py").write_text(PIPELINE.format(size="huge"))
    (tmp_path / "d.json").write_text(FAULTY)
    (tmp_path / "other.json").write_text("{}")
    return tmp_path


def test_the_hook_passes_over_what_holds_no_pipeline(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    mlops = in_this_process(capfd)
    (line,) = re.findall(r"^  entry: mlops (.*)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    entry = shlex.split(line)
    files = sorted(path.name for path in folder.iterdir() if path.suffix in (".py", ".json"))
    told = mlops(*entry, *files, code=1)
    assert re.findall(r"^[\w.]+:.* error (\w+)", told.out, re.MULTILINE) == ["S210", "S204"]
    mlops(*entry, "train.py", "other.json")


def test_the_hook_sees_that_a_script_was_renamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pipeline's own file did not change, so a hook that gets the changed files is not told of it."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["pass_filenames"], hook["always_run"]) == (False, True)
    words = [*shlex.split(hook["entry"])[1:], *hook["args"]]
    (folder / "pipelines").mkdir()
    for name in ("parts.py", "train.py"):
        (folder / name).rename(folder / "pipelines" / name)
    (folder / "pipelines" / "pipeline.py").write_text(PIPELINE.format(size="large"))
    monkeypatch.chdir(folder)
    assert main(words) == 0, capsys.readouterr()
    (folder / "pipelines" / "train.py").rename(folder / "pipelines" / "fit.py")
    assert main(words) == 1
    assert "train.py" in capsys.readouterr().out


def test_the_hook_is_one_that_pre_commit_takes() -> None:
    pytest.importorskip("pre_commit")
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_problem_matcher_of_the_documents_reads_what_is_written(folder: Path) -> None:
    text = (ROOT / "docs" / "checking.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```json\n(\{.*?\"problemMatcher\".*?)```", text, re.DOTALL)
    matcher = json.loads(block)["tasks"][0]["problemMatcher"]
    pattern = matcher["pattern"]
    names = {key: number for key, number in pattern.items() if key != "regexp"}
    told = mlops("check", "pipeline.py", "d.json", folder=folder, code=1)
    found = [
        {name: match[number] for name, number in names.items()}
        for line in told.out.splitlines()
        if (match := re.search(pattern["regexp"], line))
    ]
    expected = json.loads(mlops("check", "pipeline.py", "d.json", "--format", "json", folder=folder, code=1).out)
    assert [(item["file"], item["line"], item["column"], item["code"]) for item in found] == [
        (item["file"], str(item["line"]), item["column"] and str(item["column"]), item["code"])
        for item in expected["findings"]
    ]
    watching = mlops_watching(folder, "pipeline.py")
    try:
        begins, ends = (matcher["background"][key] for key in ("beginsPattern", "endsPattern"))
        lines = list(until(watching, "watching"))
        assert any(re.search(begins, line) for line in lines)
        assert re.search(ends, lines[-1])
    finally:
        watching.kill()
        watching.communicate()


def mlops_watching(folder: Path, *targets: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "mlops", "check", "--watch", *targets],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def patient(process: subprocess.Popen[Any]) -> threading.Timer:
    """Ends a process that never says what a test waits for."""
    timer = threading.Timer(60, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def until(process: subprocess.Popen[str], word: str) -> Iterator[str]:
    """Lines of standard error up to one that begins with ``word``."""
    timer = patient(process)
    assert process.stderr is not None
    for line in process.stderr:
        yield line.rstrip("\n")
        if line.startswith(word):
            timer.cancel()
            return
    raise AssertionError("the process ended")


def test_watching_checks_again_when_anything_changes_that_counts(folder: Path) -> None:
    watching = mlops_watching(folder, "pipeline.py")
    try:
        list(until(watching, "watching"))
        for name, text in (
            ("pipeline.py", PIPELINE.format(size="large")),
            ("parts.py", 'IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/steps:2"\n'),
            ("train.py", "print('another one')\n"),
            ("mlops.toml", "[check]\nselect = ['NO1']\n"),
            ("mlops.toml", "[check]\n"),
        ):
            (folder / name).write_text(text)
            lines = list(until(watching, "watching"))
            assert lines[0] == "checking", name
            assert any("there is no code 'NO1'" in line for line in lines) is ("NO1" in text)
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=10)
        assert (watching.returncode, err) == (130, "")
    finally:
        watching.kill()
        watching.wait()


@pytest.mark.parametrize("options", [("--fix",), ("--diff",), ("--baseline", "b.json", "--write-baseline")], ids=str)
def test_watching_goes_with_nothing_that_writes(
    folder: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    in_this_process(capfd)("check", "pipeline.py", "--watch", *options, code=2)


class Editor:
    """The other side of a language server's pipe."""

    def __init__(self, folder: Path) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "mlops", "lsp"], cwd="/", env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.timer = patient(self.server)
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self.send({"method": "initialized", "params": {}})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def receive(self) -> dict[str, Any]:
        out = self.server.stdout
        assert out is not None
        length = 0
        while (line := out.readline().strip()) or not length:
            assert line or out.peek(1), "the server ended"
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(out.read(length))
        return message

    def ask(self, method: str, params: Any) -> dict[str, Any]:
        self.send({"id": 1, "method": method, "params": params})
        while (message := self.receive()).get("id") != 1:
            pass
        return message

    def published(self, uri: str) -> list[dict[str, Any]]:
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found: list[dict[str, Any]] = message["params"]["diagnostics"]
                return found

    def open(self, file: Path) -> list[dict[str, Any]]:
        text = file.read_text(encoding="utf-8")
        document = {"uri": file.as_uri(), "languageId": "x", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        return self.published(file.as_uri())

    def saved(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="utf-8")
        self.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": file.as_uri()}}})

    def save(self, file: Path, text: str) -> list[dict[str, Any]]:
        self.saved(file, text)
        return self.published(file.as_uri())

    def close(self) -> int:
        self.ask("shutdown", None)
        self.send({"method": "exit"})
        self.timer.cancel()
        return self.server.wait(120)


def test_the_language_server_tells_on_opening_and_on_saving(folder: Path) -> None:
    pytest.importorskip("pygls")
    editor = Editor(folder)
    try:
        (found,) = [item for item in editor.open(folder / "pipeline.py") if item["code"] == "S204"]
        assert (found["source"], found["severity"]) == ("mlops", 1)
        assert found["range"]["start"] == {"line": 8, "character": 17}
        assert found["range"]["end"] == {"line": 8, "character": 17 + len('"ml.m5.huge"')}
        assert "[Train] 'ml.m5.huge'" in found["message"]
        assert editor.save(folder / "pipeline.py", PIPELINE.format(size="large")) == []
        (found,) = editor.open(folder / "d.json")
        assert found["code"] == "S210"
        assert editor.save(folder / "d.json", "{") != []
        assert editor.save(folder / "d.json", SOUND) == []
        (found,) = editor.save(folder / "pipeline.py", "from mlops import Pipeline\nPipeline('x'\n")
        assert found["code"] == "D101"
        assert editor.close() == 0
    finally:
        editor.server.kill()
        editor.server.communicate()


def test_the_language_server_runs_nothing_that_declares_no_pipeline(folder: Path) -> None:
    pytest.importorskip("pygls")
    script = folder / "script.py"
    script.write_text("import pathlib\npathlib.Path('ran').touch()\n")
    editor = Editor(folder)
    try:
        document = {"uri": script.as_uri(), "languageId": "x", "version": 1, "text": script.read_text()}
        editor.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        editor.open(folder / "d.json")  # by now the script was looked at
        time.sleep(0.2)
        assert not (folder / "ran").exists()
        assert editor.close() == 0
    finally:
        editor.server.kill()
        editor.server.communicate()


@pytest.mark.proof("deep")
def test_saving_a_module_checks_the_open_pipelines_again(folder: Path) -> None:
    pytest.importorskip("pygls")
    editor = Editor(folder)
    pipeline = folder / "pipeline.py"
    try:
        pipeline.write_text(PIPELINE.format(size="large"))
        assert editor.open(pipeline) == []
        editor.saved(folder / "parts.py", "IMAGE = 5\n")
        assert "D042" in [item["code"] for item in editor.published(pipeline.as_uri())]
        editor.saved(folder / "parts.py", 'IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/steps:1"\n')
        assert editor.published(pipeline.as_uri()) == []
        assert editor.close() == 0
    finally:
        editor.server.kill()
        editor.server.communicate()


ENDLESS = "from mlops import Pipeline\n{more}while True:\n    pass\nPipeline('p')\n"


def below(process: int) -> set[int]:
    """All that it started, and what those did."""
    found: set[int] = set()
    for listed in Path(f"/proc/{process}/task").glob("*/children"):
        # Of a thread that has just ended.
        with suppress(OSError):
            for child in map(int, listed.read_text().split()):
                found |= {child} | below(child)
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def runs(process: int, word: str) -> bool:
    try:
        return word in Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return False


@pytest.mark.proof("deep")
@pytest.mark.skipif(sys.platform != "linux", reason="asks the system which processes there are")
@pytest.mark.parametrize(
    ("how", "more", "word"),
    [
        ("exit", "", "language_server.checking"),
        ("the end of its input", "import subprocess\n", "mlops.compose.composing"),
        ("saving it again", "", "language_server.checking"),
    ],
)
def test_a_file_that_never_ends_goes_with_the_server(folder: Path, how: str, more: str, word: str) -> None:
    pytest.importorskip("pygls")
    editor = Editor(folder)
    pipeline = folder / "pipeline.py"
    try:
        pipeline.write_text(ENDLESS.format(more=more))
        document = {"uri": pipeline.as_uri(), "languageId": "x", "version": 1, "text": pipeline.read_text()}
        editor.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        wait_for(lambda: any(runs(process, word) for process in below(editor.server.pid)))
        processes = below(editor.server.pid)
        match how:
            case "exit":
                assert editor.close() == 0
            case "the end of its input":
                assert editor.server.stdin is not None
                editor.server.stdin.close()
            case _:
                assert editor.save(pipeline, PIPELINE.format(size="large")) == []
        wait_for(lambda: not any(map(alive, processes)))
    finally:
        editor.server.kill()
        editor.server.wait()


@pytest.mark.proof("deep")
def test_a_file_that_never_ends_is_a_finding_in_the_editor(folder: Path) -> None:
    pytest.importorskip("pygls")
    (folder / "mlops.toml").write_text("[project]\ntime_limit = 1\n")
    editor = Editor(folder)
    try:
        (folder / "pipeline.py").write_text(ENDLESS.format(more=""))
        (found,) = editor.open(folder / "pipeline.py")
        assert found["code"] == "D107" and found["range"]["start"]["line"] in (1, 2)
        assert editor.save(folder / "pipeline.py", PIPELINE.format(size="large")) == []
        assert editor.close() == 0
    finally:
        editor.server.kill()
        editor.server.communicate()


@pytest.mark.proof("deep")
def test_the_editor_is_told_of_arguments_and_offered_mends(folder: Path) -> None:
    pytest.importorskip("pygls")
    editor = Editor(folder)
    pipeline = folder / "pipeline.py"
    try:
        text = PIPELINE.format(size="large").replace("instance=", "instnce=")
        pipeline.write_text(text)
        (found,) = [item for item in editor.open(pipeline) if "instnce" in item["message"]]
        place = {"textDocument": {"uri": pipeline.as_uri()}}
        asked = editor.ask(
            "textDocument/codeAction", {**place, "range": found["range"], "context": {"diagnostics": []}}
        )
        titles = [action["title"] for action in asked["result"]]
        assert titles == ["D040: write 'instance' for 'instnce'", "Make all mends that are certain"]
        (edit,) = asked["result"][0]["edit"]["changes"][pipeline.as_uri()]
        lines = text.split("\n")
        line = lines[edit["range"]["start"]["line"]]
        begin, end = (edit["range"][side]["character"] for side in ("start", "end"))
        assert line[:begin] + edit["newText"] + line[end:] == '        instance="ml.m5.large",'
        for argument, told in (
            ("image=", "**image** of Training: `AlgorithmSpecification.TrainingImage`"),
            ("code=", ""),
        ):
            number = next(number for number, line in enumerate(lines) if argument in line)
            position = {"line": number, "character": lines[number].index(argument) + 1}
            assert (
                told in editor.ask("textDocument/hover", {**place, "position": position})["result"]["contents"]["value"]
            )
        assert editor.ask("textDocument/hover", {**place, "position": {"line": 0, "character": 0}})["result"] is None
        assert editor.close() == 0
    finally:
        editor.server.kill()
        editor.server.communicate()

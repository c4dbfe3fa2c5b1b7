"""What the shell offers behind `mlops`, asked as the shell asks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mlops.account.local import LocalAccount
from mlops.cli import cli, main
from mlops.cli.completing import completer

Offered = Callable[..., list[str]]
FILES = ["file"]
"""The shell completes them itself."""


PIPELINE = """\
from mlops import Pipeline, Training
import mlops
raise SystemExit("it is not run")
with Pipeline("churn"):
    Training("Train", code="t.py")
    mlops.Fail("Stop", "x")
    print("no step")
"""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Offered:
    """In a project with an account that has one execution; the last word is what is being typed."""
    (tmp_path / "mlops.toml").write_text(
        "[env.staging]\n[env.prod]\n[env.defaults.feedback.late]\nalarm = 'a'\n"
        "[env.local.feedback.drift]\nalarm = 'a'\n"
    )
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    store = LocalAccount(tmp_path / ".mlops", "us-east-1").state.store
    for kind, name in (("Pipeline", "churn"), ("Endpoint", "serves"), ("ModelPackageGroup", "models")):
        store.write("INSERT INTO resource VALUES (?, ?, 'now', 'now', '', '{}')", kind, name)
    for identity, step in (("abc", "One"), ("abd", "Two")):
        store.write(
            "INSERT INTO execution (id, pipeline, version, status, created, modified, body) "
            "VALUES (?, 'churn', 1, 'Succeeded', ?, 'now', '{}')",
            identity,
            identity,
        )
        store.write(
            "INSERT INTO step (execution, name, attempt, type, status, started, metadata, response) "
            "VALUES (?, ?, 1, 'Training', 'Succeeded', 'now', '{}', '{}')",
            identity,
            step,
        )
    for version in (1, 2):
        store.write("INSERT INTO package VALUES ('models', ?, 'now', 'Approved', '{}')", version)

    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_MLOPS_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(["mlops", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        capfd.readouterr()
        main([])
        lines = [line.split(",", 1) for line in capfd.readouterr().out.splitlines() if line]
        return [value if kind == "plain" else kind for kind, value in lines]

    return ask


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["endp"], ["endpoints"]),
        (["executions", "lo"], ["logs"]),
        (["check", "pipe"], FILES),
        (["run", ""], FILES),
        (["compile", "pipeline.py", "-o", "x"], FILES),
        (["plan", ".", "--env", ""], ["local", "prod", "staging"]),
        (["promote", "models", "--to", "st"], ["staging"]),
        (["promote", "m"], ["models"]),
        (["executions", "show", "a"], ["abd", "abc"]),
        (["executions", "show", "la"], ["last"]),
        (["executions", "show", "--env", "prod", ""], []),
        (["executions", "logs", "abc", ""], ["One"]),
        (["executions", "logs", "last", ""], ["Two"]),
        (["executions", "metrics", "abc", ""], ["One"]),
        (["executions", "open", "T"], ["Two"]),
        (["executions", "open", "abc", ""], ["One"]),
        (["executions", "list", ""], ["churn"]),
        (["run", "pipeline.py", "--only", ""], ["Train", "Stop"]),
        (["run", "--from", "abc", "--only", ""], ["One"]),
        (["start", "ch"], ["churn", "file"]),
        (["models", "approve", "models", ""], ["2", "1"]),
        (["models", "card", "models", ""], ["2", "1"]),
        (["models", "notes", "models", "1", ""], ["2", "1"]),
        (["models", "compare", "models", ""], ["2", "1"]),
        (["endpoints", "show", ""], ["serves"]),
        (["feedback", "show", ""], ["drift", "late"]),
        (["schema", "fee"], ["feedback"]),
        (["bootstrap", "--emit", "cl"], ["cloudformation"]),
        (["schema", "cache", ""], ["explain"]),
        (["schema", "run", ""], []),
        (["destroy", ""], ["churn"]),
    ],
)
def test_what_is_offered(offered: Offered, words: list[str], found: list[str]) -> None:
    assert offered(*words) == found


def test_where_nothing_is_nothing_is_offered_and_nothing_made(
    offered: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "mlops.toml").write_text("[[")
    assert offered("plan", ".", "--env", "") == ["local"]
    (tmp_path / "mlops.toml").unlink()
    monkeypatch.chdir(tmp_path / "empty")
    assert offered("executions", "show", "") == ["last"]
    assert offered("endpoints", "show", "") == []
    assert not list((tmp_path / "empty").iterdir())


TYPED = {
    "init directory": "a new folder",
    "explain code": "a rule",
    "completion shell": "click knows the choices",
    "function name": "click knows the choices",
    "put source": "click knows files",
    "put uri": "a place that need not be there yet",
    "get uri": "a place",
    "ls uri": "a place",
    "query words": "a query",
    "mount folder": "click knows folders",
    "mount uri": "a place that need not be there yet",
}


TYPED_OPTIONS = {
    **dict.fromkeys(("since", "until", "every", "ahead", "look_back", "seasons"), "a time"),
    **dict.fromkeys(("reason", "failure", "user", "data", "accept", "content_type"), "a text"),
    **dict.fromkeys(("name", "environments", "suffix", "alias", "aliases"), "a name that is given"),
    **dict.fromkeys(("metric", "namespace", "statistic", "variant", "kinds", "prefix", "ids"), "of an account"),
    **dict.fromkeys(("host", "user_header"), "of a network"),
    **dict.fromkeys(("parameters", "outputs", "overrides"), "NAME=VALUE"),
    **dict.fromkeys(("select", "ignore", "allowed"), "rules"),
    **dict.fromkeys(("instance", "base", "changed_since", "further", "remove"), "of many forms"),
}
"""Options of text that are of no kind which the shell could offer."""


def test_every_argument_and_option_is_completed() -> None:
    """A command whose argument has a name of its own says here what that is, or in the tables."""
    missing, typed = [], set()

    def walk(command: click.Command, words: tuple[str, ...]) -> None:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                walk(found, (*words, name))
            return
        for parameter in command.params:
            if completer(" ".join(words[-2:]), parameter.name or "") is not None:
                continue
            if isinstance(parameter, click.Argument):
                missing.append(f"{words[-1]} {parameter.name}")
            elif parameter.type is click.STRING and not (isinstance(parameter, click.Option) and parameter.is_flag):
                typed.add(parameter.name)

    walk(cli, ("mlops",))
    assert set(missing) == set(TYPED)
    assert typed == set(TYPED_OPTIONS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    told = capsys.readouterr().out
    assert re.search(r"_MLOPS_COMPLETE=" + shell + "_complete", told)


def test_the_shell_is_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("SHELL", "/bin/zsh")
    assert main(["completion"]) == 0
    assert "compdef" in capsys.readouterr().out
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert main(["completion"]) == 2

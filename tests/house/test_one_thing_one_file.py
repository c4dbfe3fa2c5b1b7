"""One new thing is one new file: a copy of the package gets one of each kind, and nothing else is touched.

The table "Where things go" in CONTRIBUTING.md says how many files; here they are counted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import public_names
from tests.house.toys import TOYS

ROOT = Path(__file__).parent.parent.parent
GENERATED = {"__init__.py", "resources.py", "declare/resources/__init__.py"}
"""Written by `make names`."""

pytestmark = pytest.mark.xdist_group("toys")

PIPELINE = """from mlops import Compilation, Pipeline, Toy

with Pipeline("toys"):
    Toy("Play", colour="grey")
    Compilation("Compile", to="s3://mlops-local/compiled")
"""
COMPILES = PIPELINE.replace("Toy, ", "").replace(", Toy", "").replace('    Toy("Play", colour="grey")\n', "")

ASKS = """
import json
from pathlib import Path
from mlops.account.local.answering import answer
from mlops.account.local.process.clock.tickers.deliveries import all_targets
from mlops.account.local.process.clock.ticking import all_tickers
from mlops.account.local.state import State

state = State(Path(".mlops"), "us-east-1")
def ask(service, operation, **request):
    return answer(state, service, operation, request)

(job,) = ask("sagemaker", "ListCompilationJobs")["CompilationJobSummaries"]
described = ask("sagemaker", "DescribeCompilationJob", CompilationJobName=job["CompilationJobName"])
ask("sagemaker", "AddTags", ResourceArn=described["CompilationJobArn"], Tags=[{"Key": "a", "Value": "b"}])
group = "/aws/sagemaker/CompilationJobs"
groups = [item["logGroupName"] for item in ask("logs", "DescribeLogGroups")["logGroups"]]
print(json.dumps({
    "status": described["CompilationJobStatus"],
    "ended": "CompilationEndTime" in described,
    "listed": group in groups,
    "log": [event["message"] for event in ask("logs", "FilterLogEvents", logGroupName=group)["events"]],
    "toys": ask("sagemaker", "ListImages"),
    "ticks": "toys" in all_tickers(),
    "told": any(target.arn.fullmatch("arn:toys:a") for target in all_targets()),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package and all toys in it."""
    folder = tmp_path_factory.mktemp("copy")
    package = folder / "mlops"
    # With what was compiled of it, which is as old: each of the processes below loads most of it.
    shutil.copytree(ROOT / "mlops", package)
    before = hashes(package)
    for files in TOYS.values():
        for path, text in files.items():
            assert not (package / path).exists()
            (package / path).parent.mkdir(exist_ok=True)
            (package / path).write_text(text, encoding="utf-8")
    added = {path for files in TOYS.values() for path in files}
    for file, text in public_names.files(package).items():
        file.write_text(text, encoding="utf-8")
    after = hashes(package)
    assert {path for path in after if after[path] != before.get(path)} == added | GENERATED
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "mlops.toml").touch()
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "compiles.py").write_text(COMPILES)
    return folder


def hashes(package: Path) -> dict[str, str]:
    return {
        file.relative_to(package).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(package.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def python(copy: Path, project: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy), "NO_COLOR": "1"}
    done = subprocess.run([sys.executable, *words], cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mlops(copy: Path, project: Path, *commands: str) -> list[str]:
    """What each tells: one after the other in one process."""
    script = (
        "import contextlib, io, json, sys\n"
        "from mlops.cli import main\n"
        "told = []\n"
        "for command in sys.argv[1:]:\n"
        "    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())) as out:\n"
        "        code = main(tuple(command.split()))\n"
        "        out.flush()\n"
        "    told.append(out.buffer.getvalue().decode())\n"
        "    assert code == 0, (command, code, told)\n"
        "print(json.dumps(told))\n"
    )
    found: list[str] = json.loads(python(copy, project, "-c", script, *commands))
    return found


def test_a_step_type_a_rule_and_a_report_format(copy: Path, project: Path) -> None:
    checked, compiled, explained = mlops(
        copy, project, "check pipeline.py --format toy", "compile pipeline.py -o -", "explain dull-toy"
    )
    assert checked == "1 in 1: Y999\n"
    assert '"Type": "Toy"' in compiled
    assert "A toy is grey" in explained


def test_what_a_step_type_needs_to_be_allowed_is_known(copy: Path, project: Path) -> None:
    script = (
        "from mlops.check.sources import open_one; from mlops.ir.permissions import actions_of\n"
        "print(*actions_of(open_one('pipeline.py', 'local').pipelines))\n"
    )
    assert {"toys:Play", "sagemaker:CreateCompilationJob"} <= set(python(copy, project, "-c", script).split())


def test_a_job_kind_runs_and_is_told_of_by_the_account_whose_clock_finds_its_own(copy: Path, project: Path) -> None:
    mlops(copy, project, "run compiles.py")
    told = python(copy, project, "-c", ASKS)
    assert told == (
        '{"status": "Completed", "ended": true, "listed": true, "log": ["[mlops] compiled"], "toys": {"Images": []}, '
        '"ticks": true, "told": true}\n'
    )


def test_an_emit_target_and_a_command(copy: Path, project: Path) -> None:
    emitted, played, helped = mlops(copy, project, "emit toy-names pipeline.py", "play", "--help")
    assert emitted == "local: Play, Compile\n"
    assert played == "played\n"
    assert "play " in helped


def test_the_states_of_a_step_type(copy: Path, project: Path) -> None:
    (project / "plays.py").write_text(PIPELINE.replace("toys", "plays").partition("    Compilation(")[0])
    (machine,) = mlops(copy, project, "emit states plays.py")
    assert json.loads(machine)["States"]["Play"]["Type"] == "Pass"


def test_a_page_of_the_console(copy: Path, project: Path) -> None:
    script = (
        "from mlops.console.application import Answers, Settings; from mlops.console.finding import navigation\n"
        "from mlops.use_cases.connecting import connect_here\n"
        "answers = Answers(Settings(connect_here('local'), 'mark', False, print, ()))\n"
        "paths = [route.path for route in answers.application().routes]\n"
        "print([page.title for page in navigation()][-2:], '/toys' in paths)\n"
    )
    assert python(copy, project, "-c", script) == "['Toys', 'Findings'] True\n"


def test_a_type_of_resource_and_a_declared_one_are_planned_made_and_removed(copy: Path, project: Path) -> None:
    (project / "grouped.py").write_text(
        f"{COMPILES.replace('toys', 'grouped')}from mlops import resources\nresources.Bell('ding', above=0)\n"
    )
    planned, made, again, removed, gone = mlops(
        copy,
        project,
        "plan grouped.py",
        "upsert grouped.py",
        "upsert grouped.py",
        "destroy grouped --yes",
        "destroy ding --resources --yes",
    )
    assert "  + group grouped-models\n" in planned and "  + bell ding\n" in planned
    assert made == "grouped: created in local\ngrouped.py: upserted in local\n"
    assert again == "grouped: unchanged in local\ngrouped.py: unchanged in local\n"
    assert removed.startswith("removed group grouped-models\n")
    assert gone == "removed bell ding\n"


def test_a_strategy_a_measure_a_gate_and_a_kind_of_hook(copy: Path, project: Path) -> None:
    table = """[env.local.promote]
strategy = { halves = { half = 40 } }
judge.broken = { at_most = 3 }
gates.toys-only = true
hooks.before = { bell = "ding" }
"""
    (project / "shop").mkdir()
    (project / "shop" / "mlops.toml").write_text(table)
    script = (
        "from pathlib import Path; from mlops.deploy.shifting.settings import read\n"
        "from mlops.project.environments import read_project\n"
        "found = read(read_project(Path('shop')).environment('local'), Path('shop'))\n"
        "print([stage.share for stage in found.course(1).stages], [rule.limit for rule in found.rules], "
        "[gate.name for gate, _ in found.gates], [hook.settings for hook in found.hooks])\n"
    )
    assert python(copy, project, "-c", script) == "[40.0, 100.0] ['at most 3.0'] ['toys-only'] ['ding']\n"


def test_the_contracts_hold_for_them_too(copy: Path) -> None:
    """Without a word in pyproject.toml; and a step type that knows another is refused."""
    (copy / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    contract = ["--config", "pyproject.toml", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(copy)}

    def linted() -> str:
        done = subprocess.run([*lint, *contract], cwd=copy, env=environment, capture_output=True, text=True)
        return done.stdout

    assert "0 broken" in linted()
    toy = copy / "mlops" / "declare" / "steps" / "toy.py"
    text = toy.read_text()
    toy.write_text(
        text.replace(
            "from mlops.declare.references",
            "from mlops.declare.steps import fail  # noqa\nfrom mlops.declare.references",
        )
    )
    try:
        assert "Step types do not know each other BROKEN" in linted()
    finally:
        toy.write_text(text)


def test_the_table_of_where_things_go_has_these_numbers() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## Where things go")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (\d+) \|", section, re.MULTILINE)
    assert {name.lower(): int(files) for name, files in rows} == {name: len(files) for name, files in TOYS.items()}

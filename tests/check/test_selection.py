"""Which findings are told and how loud: settings, options, allow comments."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.check.sources import Opened, open_targets
from mlops.cli import main
from mlops.ir import ConfigurationError, UsageError
from mlops.project.environments import read_project

BODY = """
unread = p.string("Unread")
a = Training("A", image=image.sklearn("1.2-1"), code="train.py", environment={"PASSWORD": "hunter2-Xk9#qL"})
"""
"""Gives P409 (info) at line 4 and X840 (warning) at line 5."""


def codes(opened: Opened) -> list[str]:
    return sorted(finding.code for finding in opened.findings)


def test_without_settings_all_is_told(declare: Callable[..., Opened]) -> None:
    assert codes(declare(BODY)) == ["P409", "X840"]


@pytest.mark.parametrize(
    ("toml", "left"),
    [
        ('ignore = ["P409"]', {"X840": "warning"}),
        ('ignore = ["P"]', {"X840": "warning"}),
        ('select = ["P4"]', {"P409": "info"}),
        ('select = ["X"]\nignore = ["X840"]', {}),
        ('select = ["X840"]\nignore = ["X8"]', {"X840": "warning"}),
        ('severity = { X840 = "error" }', {"P409": "info", "X840": "error"}),
        ('severity = { X8 = "error", X840 = "off" }', {"P409": "info"}),
        ('per_file_ignores = { "*.py" = ["X"] }', {"P409": "info"}),
        ('per_file_ignores = { "legacy/*" = ["X"] }', {"P409": "info", "X840": "warning"}),
    ],
)
def test_settings(declare: Callable[..., Opened], toml: str, left: dict[str, str]) -> None:
    opened = declare(BODY, toml=f"[check]\n{toml}\n")
    assert {finding.code: finding.severity.value for finding in opened.findings} == left
    assert {finding.code for checked in opened.pipelines for finding in checked.findings} == set(left)


@pytest.mark.parametrize(
    ("toml", "line", "said"),
    [
        ("[check]\nignore = ['X8400']", 2, "did you mean X840 (secret)?"),
        ("[check]\nignore = ['secret']", 2, "is the name of X840"),
        ("[check.severity]\nX840 = 'error'\nQ1 = 'error'", 3, "there is no code 'Q1'"),
        ("[check]\nseverity = { X840 = 'loud' }", 2, '"error", "warning", "info", "off"'),
        ("[check]\nseverity = { G104 = 'off' }", 2, "G104 cannot be changed"),
        ("[check]\nselct = []", 2, "known: select, ignore"),
        ("[check]\nselect = 'X'", 2, "a list of codes"),
        ("check = 1", 1, "has to be a table"),
        ("[check", 1, "Expected"),
    ],
)
def test_wrong_settings_have_a_line(tmp_path: Path, toml: str, line: int, said: str) -> None:
    (tmp_path / "mlops.toml").write_text(toml)
    (tmp_path / "definition.json").write_text('{"Version": "2020-12-01", "Steps": []}')
    with pytest.raises(ConfigurationError) as caught:
        open_targets([str(tmp_path / "definition.json")], "local")
    assert f"mlops.toml:{line}: " in caught.value.message
    assert said in caught.value.message


def test_a_project_knows_the_table(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text("[check]\nselect = ['X']\n[project]\n")
    assert read_project(tmp_path).pipelines == "pipelines"
    (tmp_path / "mlops.toml").write_text("[check]\nselect = 1\n[env.a]\n")
    with pytest.raises(ConfigurationError, match=r"mlops\.toml:2: check\.select.*\n.*mlops\.toml:3: "):
        read_project(tmp_path)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--select", "X,P"), ["P409", "X840"]),
        (("--select", "P409", "--select", "x840"), ["P409", "X840"]),
        (("--ignore", "X8"), ["P409"]),
        (("--select", "X", "--ignore", "X840"), []),
    ],
)
def test_options(declare: Callable[..., Opened], tmp_path: Path, options: tuple[str, ...], left: list[str],
                 capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    declare(BODY)
    assert main(["check", str(tmp_path / "pipeline.py"), "--format", "json", *options]) == 0
    assert sorted(item["code"] for item in json.loads(capsys.readouterr().out)["findings"]) == left


def test_the_exit_code_follows(declare: Callable[..., Opened], tmp_path: Path) -> None:
    declare(BODY, toml='[check]\nseverity = { X840 = "error" }\n')
    file = str(tmp_path / "pipeline.py")
    assert main(["check", file]) == 1
    assert main(["check", file, "--ignore", "X840"]) == 0
    assert main(["compile", file, "-o", str(tmp_path / "out.json")]) == 1


def test_options_win_over_settings(declare: Callable[..., Opened], tmp_path: Path) -> None:
    declare(BODY, toml='[check]\nignore = ["X840"]\n')
    assert codes(open_targets([str(tmp_path / "pipeline.py")], "local", select=["X"])) == ["X840"]


def test_an_unknown_code_in_an_option(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ignore: there is no code 'G1040'; did you mean G104"):
        open_targets([str(tmp_path)], "local", ignore=["G1040"])


def test_mistakes_of_the_file_are_always_told(declare: Callable[..., Opened], tmp_path: Path) -> None:
    declare('Training("A", wrong=1)')
    assert "D040" in codes(open_targets([str(tmp_path / "pipeline.py")], "local", select=["X"], ignore=["D"]))


STEP = 'Training("A", image=image.sklearn("1.2-1"), code="train.py", environment={"PASSWORD": "hunter2-Xk9#qL"})'
MANY_LINES = STEP.replace("(", "(\n", 1).replace(", environment", ",\n    environment").replace("})", "},\n)")


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (f"{STEP}  # mlops: allow X840 a demo", []),
        (f"{STEP}  # mlops: allow X840, P409", ["A001"]),
        (f"{STEP}  # mlops: allow x840", []),
        (f"# mlops: allow X840 a demo\n{STEP}", []),
        (f"# mlops: allow X840 a demo\n# more talk\n\n{STEP}", []),
        (MANY_LINES.replace("Training(", "Training(  # mlops: allow X840"), []),
        (MANY_LINES.replace('"},', '"},  # mlops: allow X840'), []),
        (MANY_LINES + "  # mlops: allow X840", ["A001", "X840"]),
        (f"{STEP}\n# mlops: allow X840", ["A001", "X840"]),
        (f"{STEP}  # mlops: allow", ["A002", "X840"]),
        (f"{STEP}  # mlops: allow X84", ["A002", "X840"]),
        (f"{STEP}  # mlops: allow X000", ["A002", "X840"]),
        (f"{STEP}  # mlops: allow D040", ["A002", "X840"]),
        (f'{STEP}\ntext = "# mlops: allow X840"', ["X840"]),
        (f'x = """\n# mlops: allow X840\n"""\n{STEP}', ["X840"]),
        (f"{STEP}  # see mlops: allow X840", ["X840"]),
    ],
)  # fmt: skip
def test_allow_comments(declare: Callable[..., Opened], body: str, left: list[str]) -> None:
    assert codes(declare(body)) == left


def test_a_comment_that_speaks_of_what_is_not_told_is_not_idle(declare: Callable[..., Opened]) -> None:
    assert codes(declare(f"{STEP}  # mlops: allow X751", toml='[check]\nignore = ["X"]\n')) == []


def test_a_mistake_makes_no_comment_idle(declare: Callable[..., Opened]) -> None:
    assert {code[0] for code in codes(declare('Training("A", wrong=1)  # mlops: allow X751'))} == {"D"}


def test_an_idle_comment_can_be_ignored(declare: Callable[..., Opened]) -> None:
    assert codes(declare('Fail("A", "no")  # mlops: allow X751')) == ["A001"]
    assert codes(declare('Fail("A", "no")  # mlops: allow X751', toml='[check]\nignore = ["A"]\n')) == []


def test_a_finding_in_an_imported_module_is_allowed_there(declare: Callable[..., Opened], tmp_path: Path) -> None:
    made = f"from mlops import *\nfrom mlops import image\ndef make():\n    {STEP}  # mlops: allow X840\n"
    (tmp_path / "parts_of_it.py").write_text(made)
    assert codes(declare("import parts_of_it\nparts_of_it.make()")) == []


BOOSTED = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
FIT = 'image="i:1", channels={"train": "s3://acme/t/"}'
LATER = 'Tuning("T", job=job, ranges={"eta": ContinuousRange(0.1, 0.3)}, objective=Minimize("rmse"), max_jobs=4)'
SEARCH = f'Tuning("T", job=TrainingJob({FIT}), objective=Minimize("rmse"), max_jobs=4, ranges={{\n#}})'
VARIANTS = 'EndpointConfig("C", variants={\n"b": Variant("n", "ml.m5.large"),\n#})'


@pytest.mark.parametrize(
    ("body", "code", "line", "column"),
    [
        ('Training(\n    "A",\n    instance="ml.m5.huge",\n    image="1",\n    code="train.py",\n)', "S204", 6, 18),
        ('t = Training("Ä", image=image.sklearn("1.2-1"), arguments={"Größe": 1}, code="train.py")', "S201", 4, 64),
        ('Training("A", image="i:1", after=["B"], code="train.py")', "G102", 4, 39),
        ('Training("A", instnce="i", image="i:1", code="train.py")', "D040", 4, 19),
        (VARIANTS.replace("#", '"g": Variant("m", "ml.m5.large", weight=-1)'), "S207", 6, 45),
        (VARIANTS.replace("#", '"g": Variant("m", "ml.m5.large", count=0)'), "S207", 6, 38),
        (SEARCH.replace("#", '"eta": ContinuousRange(0.3, 0.01),\n"alpha": ContinuousRange(0.1, 1)'), "X770", 5, 28),
        (f"job = TrainingJob({FIT},\nmax_runtime=20,\nspot=True, max_wait=10)\n{LATER}", "X750", 6, 25),
        (f"Training({FIT},\nkeep_alive=60,\nspot=True, max_wait=3600)".replace("(", '("A", ', 1), "X752", 6, 5),
        (f'Training("A", {FIT},\nhyperparameters={{"max_depth": 5}})'.replace("i:1", BOOSTED), "X850", 5, 5),
        (
            f'Training("A", {FIT},\nhyperparameters={{"num_round": 5,\n"eta": 7}})'.replace("i:1", BOOSTED),
            "X850",
            6,
            12,
        ),
    ],
)
def test_a_finding_stands_at_the_word(
    declare: Callable[..., Opened], body: str, code: str, line: int, column: int
) -> None:
    found = next(finding for finding in declare(body).findings if finding.code == code)
    assert (found.where.line, found.where.column) == (line, column)

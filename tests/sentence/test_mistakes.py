"""What people do wrong, one row each: told with file and line, all at once, without a traceback, nothing compiled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import in_this_process, mlops

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"

START = f"""\
from mlops import Fail, Model, Pipeline, Processing, RegisterModel, when
STEP = dict(code="step.py", image="{IMAGE}")
with Pipeline("x") as pipeline:
"""
"""Three lines; a row's first line is line 4."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """``told`` pairs the line in ``file`` with what is said of it; ``code`` is how ``compile`` ends."""

    name: str
    source: str
    told: tuple[tuple[int, str], ...]
    code: int = 1
    configuration: str = ""
    file: str = "pipeline.py"


MISTAKES = (
    Mistake("a syntax error", "    Processing('A', **STEP\n", ((4, "'(' was never closed"),)),
    Mistake("no step and no pipeline", "    pass\npipeline = undefined\n", ((5, "name 'undefined' is not defined"),)),
    Mistake(
        "steps that wait for each other",
        "    Processing('A', after=['B'], **STEP)\n    Processing('B', after=['A'], **STEP)\n",
        ((4, "A -> B -> A"),),
    ),
    Mistake(
        "and between references",
        "    a, b = pipeline.float('A', default=1.0), pipeline.float('B', default=1.0)\n"
        "    with when(a > 1 and b > 1):\n        Fail('No', 'no')\n",
        ((5, "`and`"),),
    ),
    Mistake(
        "a chained comparison of references",
        "    a = pipeline.float('A', default=1.0)\n    with when(0 < a < 1):\n        Fail('No', 'no')\n",
        ((5, "chained comparison"),),
    ),
    Mistake(
        "an if on a reference",
        "    a = pipeline.boolean('A', default=True)\n    if a:\n        Fail('No', 'no')\n",
        ((5, "neither true nor false"),),
    ),
    Mistake(
        "two misuses at once",
        "    a = pipeline.float('A', default=1.0)\n    Fail('No', f'below {a}')\n"
        "    Processing('B', instanse='ml.m5.large', **STEP)\n",
        ((5, "cannot become part of a string"), (6, "no argument instanse")),
    ),
    Mistake(
        "two steps of one name",
        "    Processing('A', **STEP)\n    Processing('A', **STEP)\n",
        ((5, "a step named 'A'"),),
    ),
    Mistake(
        "an output that is not there",
        "    a = Processing('A', outputs=['train'], **STEP)\n"
        "    Processing('B', inputs={'x': a.outputs['trian']}, **STEP)\n",
        ((5, "no output 'trian'"),),
    ),
    Mistake(
        "a default of another type",
        "    Processing('A', count=pipeline.integer('N', default='five'), **STEP)\n",
        ((4, "the default 'five'"),),
    ),
    Mistake(
        "a parameter of the wrong type",
        "    Processing('A', count=pipeline.string('N', default='5'), **STEP)\n",
        ((4, "count should be an integer"),),
    ),
    Mistake(
        "data where a model belongs",
        "    a = Processing('A', outputs=['x'], **STEP)\n    Model('M', model=a.outputs['x'], image=STEP['image'])\n",
        ((5, "model should be a trained model"),),
    ),
    Mistake(
        "a number where a list belongs",
        "    RegisterModel('R', group='g', model='s3://a/model.tar.gz', image=STEP['image'], instances=5)\n",
        ((4, "instances should be a list"),),
    ),
    Mistake(
        "code that is not there", "    Processing('A', code='stepp.py', image=STEP['image'])\n", ((4, "'stepp.py'"),)
    ),
    Mistake(
        "a step that nobody knows in after",
        "    Processing('Prepare', **STEP)\n    Processing('B', after=['Prepaer'], **STEP)\n",
        ((5, "no step 'Prepaer'"),),
    ),
    Mistake(
        "two pipelines where one is needed",
        "    Processing('A', **STEP)\nwith Pipeline('y') as other:\n    Processing('A', **STEP)\n",
        ((0, "pipeline.py:x, pipeline.py:y"),),
        code=2,
    ),
    Mistake(
        "a wrong value in mlops.toml",
        "    Processing('A', **STEP)\n",
        ((2, "env.staging.region"), (3, "'buckett' is not a key"), (1, "lacks 'role'")),
        code=2,
        configuration="[env.staging]\nregion = 5\nbuckett = 'acme'\n",
        file="mlops.toml",
    ),
    Mistake(
        "mlops.toml that is no TOML",
        "    Processing('A', **STEP)\n",
        ((2, "Invalid value"),),
        code=2,
        configuration="[project]\npipelines = pipelines\n",
        file="mlops.toml",
    ),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "step.py").write_text("print('done')\n")
    (tmp_path / "mlops.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_told_with_its_line(mistake: Mistake, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "pipeline.py").write_text(START + mistake.source)
    (folder / "mlops.toml").write_text(mistake.configuration)
    told = in_this_process(capfd)("compile", "pipeline.py", "-o", "-", code=mistake.code)
    assert told.out == ""
    for line, said in mistake.told:
        place = f"{mistake.file}:{line}:" if line else mistake.file
        assert any(place in text and said in text for text in told.err.splitlines()), told.err


def test_what_is_right_compiles(folder: Path) -> None:
    (folder / "pipeline.py").write_text(START + "    Processing('A', **STEP)\n")
    told = mlops("compile", "pipeline.py", "-o", "-", folder=folder)
    assert [step["Name"] for step in told.json["Steps"]] == ["A"]
    assert told.err == ""


def test_a_file_without_a_pipeline(folder: Path) -> None:
    (folder / "pipeline.py").write_text("from mlops import Pipeline\n")
    told = mlops("compile", "pipeline.py", folder=folder, code=1)
    assert "pipeline.py:1:" in told.err
    assert "no pipeline is declared here" in told.err
    assert not (folder / "build").exists()


@pytest.mark.parametrize(
    ("output", "said"),
    [("step.py/x.json", "step.py"), ("taken", "taken")],
    ids=["below a file", "a folder"],
)
def test_an_output_that_cannot_be_written(
    output: str, said: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "pipeline.py").write_text(START + "    Processing('A', **STEP)\n")
    (folder / "taken").mkdir()
    told = in_this_process(capfd)("compile", "pipeline.py", "-o", output, code=2)
    assert said in told.err
    assert sorted(path.name for path in folder.iterdir()) == ["mlops.toml", "pipeline.py", "step.py", "taken"]


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "junit"])
def test_check_tells_a_mistake_in_every_form(form: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "pipeline.py").write_text(START + "    Processing('A', code='stepp.py', image=STEP['image'])\n")
    told = in_this_process(capfd)("check", "pipeline.py", "--format", form, code=1)
    assert "D052" in told.out
    if form == "json":
        assert told.json["summary"] == {"errors": 1, "warnings": 0, "files": 1}

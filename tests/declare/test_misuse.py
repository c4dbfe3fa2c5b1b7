"""Every mistake in a pipeline file: the code that it gives, the line, and a word of the mend."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.check.sources import Opened
from mlops.ir import Severity

SOUND = """
lr = p.float("Lr", default=0.5)
depth = p.integer("Depth", default=5)
sk = "111122223333.dkr.ecr.us-east-1.amazonaws.com/fit:1"
a = Processing("A", code="prepare.py", image=sk, outputs=["x", "report"], reports={"q": "report/q.json"})
b = Training("B", code="train.py", image=sk, channels={"train": a.outputs["x"]}, metrics={"loss": "loss=(.*)"})
"""
FIRST = 4 + SOUND.strip().count("\n") + 1

CASES = [
    ("and between conditions", "when((lr > 1) and (lr < 2))", "D010", "&"),
    ("or between conditions", "when((lr > 1) or (lr < 2))", "D010", "|"),
    ("not of a condition", "x = not (lr > 1)", "D010", "~"),
    ("a chained comparison", "when(0.1 <= lr <= 0.9)", "D010", "(a <= b) & (b <= c)"),
    ("if on a reference", "if lr: pass", "D001", "when"),
    ("a reference in an f-string", 'x = f"s3://{a.outputs}" + f"{lr}"', "D002", "join"),
    ("a reference in str()", "x = str(lr)", "D002", "join"),
    ("a string added to a reference", 'x = "s3://" + a.outputs["x"]', "D002", "join"),
    ("join of a list", "join([1])", "D003", "list"),
    ("& with a number: comparisons bind looser", "when((lr > 1) & 2)", "D011", "parentheses"),
    ("an unknown output", 'x = a.outputs["y"]', "D032", "x, report"),
    ("a near miss of an output", 'x = a.outputs["repot"]', "D032", "did you mean 'report'?"),
    ("an unknown report", 'x = a.reports["z"]', "D032", "q"),
    ("an unknown metric", 'x = b.metric("accuracy")', "D032", "loss"),
    ("an unknown attribute", "x = b.artefact", "D031", "model"),
    ("an unknown argument", 'Training("C", image=sk, code="train.py", instnce="x")', "D040", "instance"),
    ("the SDK's word", 'Training("C", image=sk, entry_point="train.py")', "D040", "here it is called code"),
    ("the request's word", 'Training("C", image=sk, MaxRuntimeInSeconds=5)', "D040", "here it is called max_runtime"),
    ("the SDK's inputs of a job", 'Training("C", image=sk, inputs={})', "D040", "here it is called channels"),
    ("two names without keywords", 'Training("C", sk)', "D040", "keyword"),
    ("a missing argument", 'Training("C")', "D041", "image"),
    ("a float where a count is wanted", 'Training("C", image=sk, count=lr)', "D042", "the Float parameter Lr"),
    ("a number as an instance", 'Training("C", image=sk, instance=5)', "D042", "should be a string"),
    ("a boolean as a count", 'Training("C", image=sk, count=True)', "D042", "should be an integer"),
    ("a model as a channel", 'Training("C", image=sk, channels={"t": b.model})', "D042", "a trained model"),
    ("a wrong item in a list", 'Processing("C", image=sk, args=["x", 3])', "D042", "args[1]"),
    ("a report outside the outputs", 'Processing("C", image=sk, reports={"r": "x/y.json"})', "D062", "<output>/<file>"),
    (
        "an input called code",
        'Processing("C", image=sk, code="prepare.py", inputs={"code": "s3://b/k"})',
        "D060",
        "code",
    ),
    ("a missing code file", 'Training("C", image=sk, code="trian.py")', "D052", "did you mean 'train.py'?"),
    ("an unknown image version", 'Training("C", image=image.sklearn("9.9"), code="train.py")', "D050", "1.2-1"),
    ("when on a plain value", 'with when(True): Fail("F", "no")', "D012", "compare"),
    ("a default of the wrong type", 'p.integer("N", default="5")', "D020", "Integer"),
    ("True as an integer", 'p.integer("N", default=True)', "D020", "bool"),
    ("a choice of the wrong type", 'p.string("N", choices=["a", 1])', "D021", "1"),
    ("a default that is no choice", 'p.string("N", default="c", choices=["a", "b"])', "D022", "'a', 'b'"),
    ("an unknown argument of a parameter", 'p.string("N", defalt="x")', "D040", "did you mean default?"),
    ("a parameter without a name", "p.integer(default=1)", "D041", "name"),
    ("too many arguments of a parameter", 'p.float("N", 1.0, [2.0])', "D040", "choices"),
    ("an unknown image", 'Training("C", image=image.sklern("1.2-1"), code="train.py")', "D031", "sklearn"),
    ("an unknown execution variable", 'Fail("F", join("x", execution.nope))', "D031", "pipeline_name"),
    (
        "a value that is no JSON",
        'Training("C", image=sk, arguments={"Environment": {"A": object()}})',
        "D004",
        "object",
    ),
]


@pytest.mark.parametrize(("line", "code", "word"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_told_with_its_line(declare: Callable[..., Opened], line: str, code: str, word: str) -> None:
    body = line
    if line.startswith("when("):
        body = f'with {line}:\n    Fail("F", "no")'
    opened = declare(SOUND + body)
    errors = [finding for finding in opened.findings if finding.severity is Severity.ERROR]
    errors = [finding for finding in errors if finding.code != "E503"]  # a second pipeline in a row has no steps
    assert {finding.code for finding in errors} == {code}, errors
    assert errors[0].where.line == FIRST
    assert (errors[0].where.file or "").endswith("pipeline.py")
    assert any(word in f"{error.message} {error.help}" for error in errors)


def test_what_the_mistakes_are_made_of_is_sound(declare: Callable[..., Opened]) -> None:
    opened = declare(SOUND + 'with when((lr > 0.1) & (depth != 3)):\n    Fail("F", join("lr is ", lr))')
    assert not [finding for finding in opened.findings if finding.severity is not Severity.INFO]


def test_all_mistakes_are_told_at_once(declare: Callable[..., Opened]) -> None:
    opened = declare(
        SOUND + 'x = a.outputs["nope"]\nTraining("C", image=sk, count=lr)\nTraining("D", image=sk, wrong=1)'
    )
    errors = [(finding.code, finding.where.line) for finding in opened.findings if finding.severity is Severity.ERROR]
    assert errors == [("D032", FIRST), ("D042", FIRST + 1), ("D040", FIRST + 2)]


def test_a_mistake_has_no_followers(declare: Callable[..., Opened]) -> None:
    """What comes out of a mistake may be used everywhere without another word."""
    opened = declare(
        SOUND
        + textwrap.dedent(
            """
            bad = Training("Bad", image=sk, wrong=1)
            Training("C", image=sk, code="train.py", channels={"t": a.outputs["nope"]})
            RegisterModel("R", model=bad.model, image=sk, group="g", after=[bad, "C"])
            with when(bad.metric("m") > 1, name="W"):
                Fail("F", join("x", bad.anything["at all"].really))
            """
        )
    )
    errors = [finding.code for finding in opened.findings if finding.severity is Severity.ERROR]
    assert errors == ["D040", "D032"]


def test_outside_of_a_load_the_first_mistake_is_raised() -> None:
    from mlops import Pipeline
    from mlops.declare.misuse import MisuseError

    with Pipeline("notebook") as pipeline:
        number = pipeline.integer("N", default=1)
        with pytest.raises(MisuseError, match=r"test_misuse\.py:\d+: .* neither true nor false"):
            bool(number)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("x = (\n", "D101", 1),
        ("import nothing_of_that_name\n", "D102", 1),
        ("def f():\n    return 1 / 0\n\nf()\n", "D102", 2),
        ("import sys\nsys.exit(3)\n", "D102", 2),
        ("from mlops import Training, image\nTraining('A', image=image.sklearn('1.2-1'))\n", "D030", 2),
        ("x = 1\n", "D103", 1),
    ],
    ids=["syntax", "a missing import", "an exception", "sys.exit", "a step outside", "no pipeline"],
)
def test_a_file_that_does_not_load(tmp_path, text: str, code: str, line: int) -> None:  # type: ignore[no-untyped-def]
    from mlops.check.sources import open_targets

    file = tmp_path / "broken.py"
    file.write_text(text)
    (finding,) = open_targets([str(file)], "local").findings
    assert (finding.code, finding.where.line) == (code, line)


def test_what_a_pipeline_file_prints_stays_off_standard_output(
    declare: Callable[..., Opened], capsys: pytest.CaptureFixture[str]
) -> None:
    declare(SOUND + 'print("hello")')
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err


def test_modules_beside_two_files_do_not_meet(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from mlops.declare.load import load

    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "shared_names.py").write_text(f"NAME = {name!r}\n")
        (folder / "p.py").write_text("from mlops import Pipeline\nfrom shared_names import NAME\nPipeline(NAME)\n")
    assert [load(tmp_path / name / "p.py").pipelines[0].name for name in ("one", "two")] == ["one", "two"]


def test_a_file_that_raises_has_no_followers(declare: Callable[..., Opened]) -> None:
    opened = declare('p.string("A")\np.string("B")\n1 / 0')
    assert [finding.code for finding in opened.findings] == ["D102"]


def test_two_pipelines_of_one_name_are_told(declare: Callable[..., Opened]) -> None:
    opened = declare('Fail("F", "x")\nwith Pipeline("test"):\n    Fail("F", "x")')
    (finding,) = opened.findings
    assert (finding.code, finding.where.line) == ("D104", 5)


def test_a_program_that_the_file_starts_does_not_write_to_standard_output(
    declare: Callable[..., Opened], capfd: pytest.CaptureFixture[str]
) -> None:
    declare('import os; os.system("echo from a program")\nFail("F", "x")')
    assert capfd.readouterr().out == ""


def test_a_file_may_change_the_working_directory(declare: Callable[..., Opened], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(".")
    opened = declare('import os; os.chdir("/")\nTraining("C", image=image.sklearn("1.2-1"), code="train.py")')
    assert opened.pipelines[0].ok


def test_a_folder_runs_only_what_declares_a_pipeline(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from mlops.check.sources import pipeline_files

    (tmp_path / "pipeline.py").write_text("from mlops import Pipeline\nPipeline('x')\n")
    (tmp_path / "script.py").write_text('TEXT = """\nfrom mlops import Pipeline\nPipeline(1)\n"""\n')
    (tmp_path / "tool.py").write_text("import mlops\nraise SystemExit\n")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (tmp_path / "venv" / "other.py").write_text("from mlops import Pipeline\nPipeline('x')\n")
    assert [file.name for file in pipeline_files(tmp_path)] == ["pipeline.py"]


def test_a_file_that_ends_the_process_is_told(tmp_path, capfd: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    """In a child that the file forks, os._exit does what it always did."""
    from mlops.check.sources import open_targets

    file = tmp_path / "ends.py"
    file.write_text(
        "import os\nif os.fork() == 0:\n    os._exit(7)\nprint(os.waitstatus_to_exitcode(os.wait()[1]))\nos._exit(0)\n"
    )
    (finding,) = open_targets([str(file)], "local").findings
    assert (finding.code, finding.where.line) == ("D102", 5)
    assert "os._exit" in finding.message
    assert capfd.readouterr().err == "7\n"


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ('[env.local]\nparameters = { N = "x" }\n', 2),
        ('[env.local.parameters]\nM = 1\nN = "x"\n', 3),
        ('[env.defaults.parameters]\nN = "x"\n[env.local.parameters]\nM = 1\n', 2),
    ],
)
def test_a_parameter_of_an_environment_is_told_where_it_is_written(
    declare: Callable[..., Opened], tmp_path: Path, toml: str, line: int
) -> None:
    opened = declare('p.integer("N", default=3)\np.integer("M", default=3)\nFail("A", "x")', toml=toml)
    (finding,) = [finding for finding in opened.findings if finding.code == "D023"]
    assert (finding.where.file, finding.where.line) == (str(tmp_path / "mlops.toml"), line)

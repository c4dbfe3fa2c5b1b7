"""Every mistake in a pipeline file: the code that it gives, the line, and a word of the mend."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.check.sources import Opened
from mlops.ir import Finding, Severity

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
    ("join of a list", "join([1])", "D003", "one by one"),
    ("& with a number: comparisons bind looser", "when((lr > 1) & 2)", "D011", "parentheses"),
    ("an unknown output", 'x = a.outputs["y"]', "D032", "x, report"),
    ("a near miss of an output", 'x = a.outputs["repot"]', "D032", "did you mean 'report'?"),
    ("an unknown report", 'x = a.reports["z"]', "D032", "q"),
    ("a metric in brackets", 'x = b.metrics["loss"]', "D031", 'metric("loss")'),
    ("an unknown metric in brackets", 'x = b.metrics["accuracy"]', "D032", "loss"),
    ("a metric as an attribute", "x = b.metrics.loss", "D031", 'metric("loss")'),
    ("a hyperparameter that was not given", 'x = b.hyperparameters["depth"]', "D032", "hyperparameters are"),
    ("a variable that was not given", 'x = a.environment["HOME"]', "D032", "no variable 'HOME'"),
    ("the outputs of a training", 'x = b.outputs["model"]', "D031", "here it is model"),
    ("the name of a job", "x = b.latest_training_job", "D031", "TrainingJobName"),
    ("a dependency afterwards", "b.add_depends_on([a])", "D031", "after="),
    ("a step that is to run by itself", "b.fit()", "D031", "--only"),
    ("a step in brackets", 'x = a["report"]', "D031", 'outputs["report"]'),
    ("a pipeline in brackets", 'x = p["A"]', "D031", "variable"),
    ("the bucket of a pipeline", "x = p.bucket", "D031", "mlops.toml"),
    ("an unknown metric", 'x = b.metric("accuracy")', "D032", "loss"),
    ("an unknown attribute", "x = b.artefact", "D031", "model"),
    ("an unknown argument", 'Training("C", image=sk, code="train.py", volme=5)', "D040", "did you mean volume?"),
    ("an argument of no sense", 'Training("C", image=sk, wrong=1)', "D040", "it takes image, algorithm, code"),
    (
        "a misspelt required one",
        'Processing("C", code="prepare.py", imge=sk)',
        "D040",
        "did you mean image?",
    ),
    ("an unknown word where one is missing", "Channel(dta=5)", "D040", "source is missing: write source="),
    ("the SDK's needless argument", 'Training("C", image=sk, sagemaker_session=1)', "D040", "no session is needed"),
    ("one argument by two names", 'Training("C", image=sk, count=1, instance_count=1)', "D040", "given already"),
    (
        "the SDK's word for entry",
        'Training("C", image=sk, code="train.py", entry_point="x")',
        "D040",
        "entry",
    ),
    ("a third word without a keyword", 'Fail("Y", "x", depth)', "D040", "only name and message may"),
    (
        "a training rule on what is no metric",
        'Training("C", image=sk, code="train.py", metrics={"loss": "l"}, rules=[rules.Plateau("los")])',
        "D032",
        "did you mean 'loss'?",
    ),
    (
        "a training rule that can never find anything",
        'Training("C", image=sk, code="train.py", metrics={"loss": "l"}, rules=[rules.Plateau("loss", values=0)])',
        "D092",
        "values = 0 has to be at least 1",
    ),
    (
        "a training rule with a wrong argument",
        'Training("C", image=sk, code="train.py", metrics={"loss": "l"}, rules=[rules.Plateau("loss", then="go")])',
        "D042",
        "then",
    ),
    ("all outputs as one", 'Training("C", image=sk, channels={"t": a.outputs})', "D042", 'did you mean outputs["x"]?'),
    ("a step as data", 'Training("C", image=sk, channels={"t": b})', "D042", "did you mean its model?"),
    ("an image that is not called", 'Training("C", image=image.sklearn)', "D042", "call it: image.sklearn("),
    ("the module of images", 'Training("C", image=image)', "D042", "say which: image.sklearn("),
    ("a number in quotes", 'Training("C", image=sk, count="2")', "D042", "write 2 without quotes"),
    ("a number as a name", 'Training("C", image=sk, instance=5)', "D042", 'write it in quotes: "5"'),
    ("words in one text", 'Processing("C", image=sk, args="--n 3")', "D042", '["--n", "3"]'),
    ("one step in place of a list", 'Processing("C", image=sk, after=a)', "D042", "after=[…]"),
    ("a list in place of a dictionary", 'Processing("C", image=sk, inputs=["s3://b/k"])', "D042", 'inputs={"name": …}'),
    ("words of a command line as arguments", 'Processing("C", image=sk, arguments=["--n", 3])', "D042", "args=[…]"),
    ("nothing as data", 'Processing("C", image=sk, inputs={"d": None})', "D042", "leave it out"),
    ("a choice in another case", 'Training("C", image=sk, input_mode="file")', "D042", "did you mean 'File'?"),
    ("a choice of a record in another case", 'Channel("s3://b/k", mode="pipe")', "D042", "did you mean 'Pipe'?"),
    ("an output as an attribute", "x = a.outputs.x", "D031", 'write outputs["x"]'),
    ("a misspelt output as an attribute", "x = a.outputs.repot", "D031", 'did you mean outputs["report"]?'),
    ("a report as an attribute", "x = a.reports.q", "D031", 'write reports["q"]'),
    ("a report's value as an attribute", 'x = a.reports["q"].accuracy', "D031", '["accuracy"]'),
    ("the SDK's properties", "x = b.properties.ModelArtifacts.S3ModelArtifacts", "D031", 'property("…")'),
    ("the SDK's model data", "x = b.model_data", "D031", "here it is model"),
    ("a product", "x = depth * 2", "D006", "calculated with"),
    ("a difference, the other way round", "x = 2 - depth", "D006", "calculated with"),
    ("an opposite", "x = -lr", "D006", "calculated with"),
    ("a rounded reference", "x = round(lr)", "D006", "calculated with"),
    ("an integer of a reference", "x = int(depth)", "D006", "made a number"),
    ("a float of a reference", "x = float(lr)", "D006", "made a number"),
    ("a range", "x = list(range(depth))", "D006", "counted with"),
    ("an index", 'x = ["a", "b"][depth]', "D006", "counted with"),
    ("the length of a reference", 'x = len(b.property("A"))', "D006", "measured"),
    ("a loop over a reference", "x = [item for item in b.model]", "D006", "looped over"),
    ("a part of a reference", "x = b.model[0]", "D006", "taken apart"),
    ("a search in a reference", "x = 'a' in b.model", "D006", "searched"),
    ("a method of a text", "x = b.model.upper()", "D031", "has no upper"),
    ("a path of a reference", 'import os; x = os.path.join(b.model, "x")', "D002", "join"),
    ("a call of a step", 'x = b(code="train.py")', "D031", "Training B is no function"),
    ("brackets on a branch", 'with when(lr > 1) as good: Fail("I", good["x"])', "D031", "otherwise()"),
    ("a call of a branch", 'with when(lr > 1) as good: Fail("I", good())', "D031", "otherwise()"),
    (
        "a branch as a block",
        'with when(lr > 1) as good, good: Fail("I", "x")',
        "D031",
        "with good.otherwise()",
    ),
    ("brackets on a condition step", 'with when(lr > 1) as w: Fail("I", w.step["x"])', "D031", "outcome"),
    ("a misspelt outcome", 'with when(lr > 1) as w: Fail("I", w.step.outcom)', "D031", "outcome"),
    ("a call of a condition", "x = (lr > 1)()", "D031", "given to when"),
    ("brackets on a condition", "x = (lr > 1)[0]", "D031", "given to when"),
    ("brackets on an image", 'x = image.sklearn("1.2-1")["x"]', "D102", "given whole"),
    ("a call of an image", 'x = image.sklearn("1.2-1")()', "D102", "given whole"),
    ("an attribute of an image", 'x = image.sklearn("1.2-1").uri', "D102", "given whole"),
    ("brackets on the images", 'x = image["sklearn"]', "D031", "write image.sklearn(…)"),
    ("a call of the images", 'x = image("xgboost", "1.7-1")', "D031", "write image.xgboost(…)"),
    ("brackets on the execution", 'x = execution["execution_id"]', "D031", "write execution.execution_id"),
    ("a call of the environment", "x = environment()", "D031", "e.g. environment.bucket"),
    ("outputs in parentheses", 'x = a.outputs("report")', "D031", 'write outputs["report"]'),
    ("metrics in parentheses", 'x = b.metrics("loss")', "D031", "not in parentheses"),
    ("a call of a reference", "x = b.model()", "D031", "leave the parentheses out"),
    ("a call of the pipeline", "p()", "D031", "below `with`"),
    ("a step as a block", "with b: pass", "D031", "only when(…) and ForEach(…)"),
    ("an arrow", "a >> b", "D031", "after=[…] with A where B is made"),
    ("an arrow to several", "a >> [b]", "D031", "after=[…] with A"),
    ("an arrow from several", "[a] >> b", "D031", "where B is made"),
    ("an arrow back", "b << a", "D031", "after=[…] with A where B is made"),
    (
        "a fact of the environment in a text",
        'x = f"s3://{environment.bucket}/x"',
        "D002",
        "when the pipeline is compiled",
    ),
    ("a fact of the environment that there is not", "x = environment.account", "D031", "environment has no account"),
    ("a reference as a default", 'p.string("N", join("x", lr))', "D020", "a joined string"),
    ("a reference as a key", "x = {}[lr]", "D102", "so it is no key here"),
    ("a reference in JSON", "import json; x = json.dumps(lr)", "D102", "'Float parameter'"),
    ("a kind of parameter by Python's name", 'x = p.int("X")', "D031", "here it is called integer"),
    ("an argument of steps alone", 'Pipeline("q", after="x")', "D040", "it takes description"),
    ("the SDK's upsert", 'p.upsert("role")', "D031", "mlops upsert"),
    ("an attribute that a pipeline has not", "x = p.paramters", "D031", "did you mean parameters?"),
    ("a pipeline without a name", "Pipeline()", "D041", 'Pipeline("Name", …)'),
    ("an unknown argument of a pipeline", 'Pipeline("x", parallelsm=2)', "D040", "did you mean parallelism?"),
    ("a word too many for a pipeline", 'Pipeline("x", "desc")', "D040", "only name may"),
    ("an image without a version", 'Training("C", image=image.sklearn())', "D041", "version"),
    ("an unknown argument of an image", 'image.sklearn("1.2-1", foo="py3")', "D040", "it takes version"),
    ("a separator by another name", 'x = join("a", lr, sep="/")', "D040", "it takes parts, on"),
    ("a choice in a list", "x = depth.in_([1, 2])", "D042", "in_(1, 2)"),
    ("choices in one text", 'p.string("N", choices="abc")', "D021", "choices=[…]"),
    ("a parameter as written that is none", "p.parameter(5)", "D042", "object of the document"),
    ("the SDK's class", 'ProcessingStep("X")', "D102", "here it is Processing"),
    ("an import of the SDK's class", "from mlops import TrainingStep", "D031", "here it is Training"),
    ("a misspelt import", "from mlops import Trainning", "D031", "did you mean Training?"),
    ("a name that is not imported", "x = datetime.now()", "D102", "made or imported above"),
    ("a method that is not called", 'x = b.metric["loss"]', "D102", "called with parentheses"),
    ("the other side by another word", "with when(lr > 1) as w: w.else_()", "D031", "otherwise"),
    ("the SDK's word", 'Training("C", image=sk, entry_point="train.py")', "D040", "here it is called code"),
    ("the request's word", 'Training("C", image=sk, MaxRuntimeInSeconds=5)', "D040", "here it is called max_runtime"),
    ("the SDK's inputs of a job", 'Training("C", image=sk, inputs={})', "D040", "here it is called channels"),
    ("two names without keywords", 'Training("C", sk)', "D040", "keyword"),
    ("a missing argument", 'Training("C")', "D041", "image"),
    ("a float where a count is wanted", 'Training("C", image=sk, count=lr)', "D042", "the Float parameter Lr"),
    ("a number as an instance", 'Training("C", image=sk, instance=5)', "D042", "should be a string"),
    ("a boolean as a count", 'Training("C", image=sk, count=True)', "D042", "should be an integer"),
    ("a model as a channel", 'Training("C", image=sk, channels={"t": b.model})', "D042", "the trained model of B"),
    ("a wrong item in a list", 'Processing("C", image=sk, args=["x", True])', "D042", "args[1]"),
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


def test_who_only_asks_what_a_thing_can_do_makes_no_mistake(declare: Callable[..., Opened]) -> None:
    opened = declare(
        SOUND
        + textwrap.dedent(
            """
            assert not hasattr(a, "fit") and getattr(lr, "shape", None) is None and not hasattr(p, "describe")
            assert len(list(a.outputs)) == 2
            try:
                a.outputs.nothing
            except AttributeError:
                pass
            """
        )
    )
    assert [finding.code for finding in opened.findings if finding.severity is Severity.ERROR] == ["D031"]


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
        ("import mlops\ndef f():\n    return 1 / 0\n\nf()\n", "D102", 3),
        ("import sys, mlops\nsys.exit(3)\n", "D102", 2),
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
    from mlops.check.target_files import pipeline_files

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
        "import os, mlops\nif os.fork() == 0:\n    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\nos._exit(0)\n"
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


@pytest.mark.parametrize("before", [350, 370, 390])
def test_what_the_author_raised_holds_no_half_of_a_secret(declare: Callable[..., Opened], before: int) -> None:
    """It is cut where it is long."""
    opened = declare(f"raise ValueError('x ' * {before // 2} + 'ghp_' + '0' * 36)")
    assert [finding.code for finding in opened.findings] == ["D102"]
    assert "ghp_" not in opened.findings[0].message


def test_a_file_of_many_mistakes_is_judged_once(
    declare: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not again with each of its pipelines."""
    looked, told = [0], Finding.__hash__

    def counted(finding: Finding) -> int:
        looked[0] += 1
        return told(finding)

    monkeypatch.setattr(Finding, "__hash__", counted)

    def work(pipelines: int) -> int:
        looked[0] = 0
        one = 'with Pipeline("p{n}"):\n' + "".join(f'    Fail("F{n}", "x", tagz=1)\n' for n in range(9))
        opened = declare("pass\n" + "\n".join(one.replace("{n}", str(number)) for number in range(pipelines)))
        assert len(opened.findings) >= 9 * pipelines
        assert all(len(checked.findings) >= 9 * pipelines for checked in opened.pipelines)
        assert all(list(checked.findings) == sorted(checked.findings, key=by_place) for checked in opened.pipelines)
        return looked[0]

    assert work(40) < 2.5 * work(20)


def by_place(finding: Finding) -> object:
    return finding.sort_key


def test_a_mistake_in_a_large_definition_is_told(declare: Callable[..., Opened]) -> None:
    """How long it would be is not known then."""
    opened = declare(
        f'{SOUND}Processing("C", code="prepare.py", image=sk, after=3, environment={{"A": "x" * 300_000}})'
    )
    assert "D042" in {finding.code for finding in opened.findings}

"""The fixtures as a project of somebody else's sees them: pytest in a process of its own, in a small project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

PIPELINE = """
from mlops import Fail, Pipeline, Processing, RegisterModel, Training, image, when

with Pipeline("churn") as pipeline:
    rows = pipeline.integer("Rows", default=3)
    floor = pipeline.float("Floor", default=0.5)
    pipeline.seed = pipeline.integer("Seed", default=42)
    sklearn = image.sklearn("1.2-1")
    prepare = Processing("Prepare", code="prepare.py", image=sklearn, environment={"ROWS": rows},
        outputs=["train", "test"])
    train = Training("Train", code="train.py", image=sklearn, channels={"train": prepare.outputs["train"]})
    evaluate = Processing("Evaluate", code="evaluate.py", image=sklearn,
        inputs={"model": train.model, "test": prepare.outputs["test"]},
        outputs=["report"], reports={"quality": "report/quality.json"})
    with when(evaluate.reports["quality"]["score"] >= floor) as good:
        RegisterModel("Register", model=train.model, image=sklearn, group="churn")
    with good.otherwise():
        Fail("TooBad", "too bad")
"""
SCRIPTS = {
    "prepare.py": """
import os, pathlib
out = pathlib.Path("/opt/ml/processing/output")
for name in ("train", "test"):
    (out / name / "rows.txt").write_text("1\\n" * int(os.environ["ROWS"]))
""",
    "train.py": """
import os, pathlib
rows = (pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "rows.txt").read_text().split()
print("fitted on", len(rows), "drawn by", os.environ.get("MLOPS_SEED"))
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "score").write_text(str(len(rows) / 10))
""",
    "evaluate.py": """
import json, pathlib, tarfile
base = pathlib.Path("/opt/ml/processing")
with tarfile.open(next((base / "input/model").glob("*.tar.gz"))) as model:
    score = float(model.extractfile("score").read())
(base / "output/report/quality.json").write_text(json.dumps({"score": score}))
""",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in {**SCRIPTS, "pipeline.py": PIPELINE}.items():
        (folder / name).write_text(text)
    (folder / "mlops.toml").touch()
    (folder / "mlops.lock").write_bytes((ROOT / "mlops.lock").read_bytes())
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


IMPORTS = "import pytest\nfrom mlops.testing import Stub\n"


def run_pytest(
    project: Path, test: str, *options: str, code: int = 0, environment: dict[str, str] | None = None
) -> str:
    (project / "test_it.py").write_text(f"{IMPORTS}{test}")
    # Where the package is installed without its entry point, naming the plugin is the same.
    given = {key: value for key, value in os.environ.items() if key not in ("CI", "PYTEST_ADDOPTS")}
    given |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **(environment or {})}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "mlops.testing.plugin", "-p", "no:cacheprovider", *options]
    ended = subprocess.run(command, cwd=project, env=given, capture_output=True, text=True, timeout=120)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


WHOLE = """
def test_both(run_pipeline, local_account):
    good = run_pipeline("pipeline.py", parameters={"Rows": 8})
    assert good.status == "Succeeded", good.failure
    assert good.steps["Train"].status == "Succeeded"
    assert "fitted on 8 drawn by 42" in good.log("Train")
    assert (good.output("Prepare", "train") / "rows.txt").read_text() == "1\\n" * 8
    assert good.output("Train", "model").name == "model.tar.gz"
    assert good.report("Evaluate", "quality") == {"score": 0.8}
    assert [version.number for version in good.versions("churn")] == [1]
    assert good.versions("nobody") == ()
    with pytest.raises(Exception, match="has no output 'trian'; it has train, test"):
        good.output("Prepare", "trian")
    assert len(local_account.client("sagemaker").list_pipelines()["PipelineSummaries"]) == 1


def test_an_account_starts_empty(local_account):
    assert local_account.client("sagemaker").list_pipelines()["PipelineSummaries"] == []
"""


STUBS = """
def test_stubs(run_pipeline, tmp_path):
    model, report = tmp_path / "model", tmp_path / "quality.json"
    model.mkdir()
    (model / "score").write_text("0.1")
    rows = tmp_path / "rows.txt"
    rows.write_text("1")
    stubs = {"Train": Stub(outputs={"model": model}), "Prepare": Stub(outputs={"test": rows})}
    bad = run_pipeline("pipeline.py", stubs=stubs)
    assert bad.status == "Failed"
    assert "Train" not in bad.steps and "Prepare" not in bad.steps
    assert bad.steps["TooBad"].status == "Failed"
    assert bad.report("Evaluate", "quality") == {"score": 0.1}

    report.write_text('{"score": 0.9}')
    given = tmp_path / "evaluate.json"
    given.write_text('{"outputs": {"report": "quality.json"}}')
    stubs["Evaluate"] = given
    stubs["WhenRegister"] = Stub(values={"Outcome": "True"})
    good = run_pipeline("pipeline.py", stubs=stubs)
    assert good.status == "Succeeded", good.failure
    assert good.steps["Register"].status == "Succeeded"

    for wrong, told in (
        ({"Trian": Stub()}, "no step Trian"),
        ({"Train": Stub()}, "lacks what other steps read: the output model"),
        ({"Train": Stub(outputs={"modle": model})}, "no output 'modle'; it has model"),
        ({"Train": Stub(outputs={"model": tmp_path / "none"})}, "there is no "),
        ({"TooBad": Stub()}, "cannot be stubbed"),
    ):
        with pytest.raises(Exception, match=told):
            run_pipeline("pipeline.py", stubs=wrong)
"""


ALONE = """
def test_one(run_step, tmp_path):
    rows = tmp_path / "rows.txt"
    rows.write_text("1\\n1\\n")
    ended = run_step("pipeline.py", "Train", inputs={"train": rows})
    assert (ended.status, list(ended.steps)) == ("Succeeded", ["Train"]), ended.failure
    assert "fitted on 2 drawn by 42" in ended.log("Train")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "rows.txt").write_text("1\\n")
    assert "fitted on 1" in run_step("pipeline.py", "Train", inputs={"train": tmp_path / "more"}).log("Train")
    assert run_step("pipeline.py", "Prepare", parameters={"Rows": 5}).output("Prepare", "test").is_dir()
    with pytest.raises(Exception, match="model comes from Train"):
        run_step("pipeline.py", "Evaluate", inputs={"test": rows})
    with pytest.raises(Exception, match="no input 'code'; it has model, test"):
        run_step("pipeline.py", "Evaluate", inputs={"code": rows})
    with pytest.raises(Exception, match="no parameter Row"):
        run_step("pipeline.py", "Prepare", parameters={"Row": 5})
"""


BATCH = """
from mlops import Fail, Model, Pipeline, Processing, Training, Transform, image, when

with Pipeline("batch") as pipeline:
    sklearn = image.sklearn("1.2-1")
    train = Training("Train", code="train.py", image=sklearn, metrics={"auc": "auc=([0-9.]+);"},
        channels={"train": "s3://bucket/none/"})
    model = Model("Serve", image=sklearn, model=train.model)
    score = Transform("Score", model=model.model_name, data="s3://bucket/none/")
    count = Processing("Count", code="count.py", image=sklearn, inputs={"answers": score.output}, outputs=["sum"])
    with when(train.metric("auc") >= 0.7) as good:
        Processing("Praise", code="count.py", image=sklearn, inputs={"answers": score.output}, outputs=["sum"])
    with good.otherwise():
        Fail("TooBad", "too bad")
"""
COUNT = """
import pathlib
base = pathlib.Path("/opt/ml/processing")
lines = [line for file in (base / "input/answers").glob("*.out") for line in file.read_text().split()]
(base / "output/sum/sum.txt").write_text(str(sum(map(int, lines))))
"""


STUBS_OF_METRICS = """
def test_both(run_pipeline, tmp_path):
    (tmp_path / "model").mkdir()
    answers = tmp_path / "answers"
    answers.mkdir()
    for name in ("a.csv.out", "b.csv.out"):
        (answers / name).write_text("1\\n2\\n")
    stubs = {
        "Train": Stub(outputs={"model": tmp_path / "model"}, metrics={"auc": 0.75}),
        "Score": Stub(outputs={"output": answers}),
    }
    good = run_pipeline("batch.py", stubs=stubs)
    assert good.status == "Succeeded", good.failure
    assert list(good.steps) and "Score" not in good.steps and "Train" not in good.steps
    assert (good.output("Count", "sum") / "sum.txt").read_text() == "6"
    assert good.steps["Praise"].status == "Succeeded"

    stubs["Train"] = Stub(outputs={"model": tmp_path / "model"}, metrics={"auc": 0.5})
    assert run_pipeline("batch.py", stubs=stubs).steps["TooBad"].status == "Failed"
    stubs["Train"] = Stub(outputs={"model": tmp_path / "model"})
    with pytest.raises(Exception, match="lacks what other steps read: the metric auc"):
        run_pipeline("batch.py", stubs=stubs)
    stubs |= {"Train": Stub(outputs={"model": tmp_path / "model"}, metrics={"auc": 1.0}), "Score": Stub()}
    with pytest.raises(Exception, match="lacks what other steps read: the output output"):
        run_pipeline("batch.py", stubs=stubs)
"""


SPOT = """
from mlops import Pipeline, Training, image

with Pipeline("spot") as pipeline:
    Training("Train", code="spot.py", image=image.sklearn("1.2-1"), arguments={
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        "CheckpointConfig": {"S3Uri": "s3://mlops-local/checkpoints"}})
    Training("Other", code="train.py", image=image.sklearn("1.2-1"), channels={"train": "s3://bucket/none/"})
"""
RESUME = """
import os, pathlib, time
base = pathlib.Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
checkpoint = base / "checkpoints" / "epoch"
if checkpoint.exists():
    print("goes on at", checkpoint.read_text())
else:
    checkpoint.write_text("7")
    time.sleep(30)
(base / "model" / "x").touch()
"""


INTERRUPTED = """
def test_it(run_step):
    ended = run_step("spot_pipeline.py", "Train", interrupt={"Train": 0})
    assert ended.status == "Succeeded", ended.failure
    assert "goes on at 7" in ended.log("Train")
    job = ended.account.client("sagemaker").describe_training_job(TrainingJobName=ended.steps["Train"].job)
    assert "Interrupted" in [item["Status"] for item in job["SecondaryStatusTransitions"]]
    with pytest.raises(Exception, match="Other has no spot instances"):
        run_step("spot_pipeline.py", "Other", interrupt={"Other": 0})
"""


SNAPSHOT = """
def test_definition(definition_snapshot):
    definition_snapshot("pipeline.py")
"""


@pytest.mark.proof("deep")
def test_a_definition_is_written_when_asked_and_compared_otherwise(project: Path) -> None:
    assert "there is no " in run_pytest(project, SNAPSHOT, code=1)
    told = run_pytest(project, SNAPSHOT, "--update-definitions", code=4, environment={"CI": "true"})
    assert "refused in CI" in told
    assert not (project / "pipeline.json").exists()
    run_pytest(project, SNAPSHOT, "--update-definitions")
    run_pytest(project, SNAPSHOT)
    (project / "pipeline.py").write_text(PIPELINE.replace("default=3", "default=4"))
    told = run_pytest(project, SNAPSHOT, code=1)
    assert "is stale" in told
    assert '+      "DefaultValue": 4' in told


def test_a_pipeline_with_mistakes_tells_them(project: Path) -> None:
    (project / "pipeline.py").write_text(PIPELINE.replace('outputs["train"]', 'outputs["trian"]'))
    assert "D032" in run_pytest(project, SNAPSHOT, code=1)


def test_the_plugin_costs_nothing_until_a_fixture_is_used() -> None:
    heavy = "{'boto3', 'botocore', 'pydantic', 'click', 'networkx'}"
    program = f"import sys, mlops.testing.plugin; print(sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


ASKS = """
from mlops import *
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/steps:1"
with Pipeline("asks") as pipeline:
    queue = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
    ask = Callback("Ask", queue=queue, outputs={"approved": bool, "by": str})
    score = Lambda("Score", function="arn:aws:lambda:us-east-1:123456789012:function:f", outputs={"score": float})
    job = TrainingJob(image=IMAGE, code="use.py", channels={"train": "s3://mlops-local/in"},
        metrics={"auc": "auc=([0-9.]+)"})
    tune = Tuning("Tune", job=job, ranges={"depth": IntegerRange(1, 5)}, objective=Maximize("auc"), max_jobs=2)
    with when(all_of(ask.outputs["approved"] == True, score.outputs["score"] > 0.5), "Good") as good:
        Processing("Use", code="use.py", image=IMAGE, inputs={"model": tune.best_model}, outputs=["found"],
            args=[ask.outputs["by"]], environment={"BEST": tune.top(0).job_name})
    with good.otherwise():
        Fail("Bad", "no")
"""
USE = """
import os, sys, tarfile
with tarfile.open("/opt/ml/processing/input/model/model.tar.gz") as tar:
    names = ",".join(sorted(item.name for item in tar if item.isfile()))
with open("/opt/ml/processing/output/found/found.txt", "w") as file:
    file.write(f"{sys.argv[1]} {os.environ['BEST']} {names}")
"""
STUBS_OF_ALL = """
import re
BEST = "TrainingJobSummaries[0].TrainingJobName"
def test_stubs(run_pipeline, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.txt").write_text("1")
    stubs = {
        "Ask": Stub(outputs={"approved": True, "by": "jane"}),
        "Score": Stub(outputs={"score": 1}),
        "Tune": Stub(outputs={"model": tmp_path / "model"}, values={BEST: "job-7"}),
    }
    ended = run_pipeline("asks.py", stubs=stubs)
    assert ended.status == "Succeeded", ended.log("Use")
    assert (ended.output("Use", "found") / "found.txt").read_text() == "jane job-7 weights.txt"
    bad = run_pipeline("asks.py", stubs={**stubs, "Score": Stub(outputs={"score": 0.1})})
    assert bad.steps["Bad"].status == "Failed"
    for wrong, said in (
        ({"Ask": Stub()}, "lacks what other steps read: the output"),
        ({"Ask": Stub(outputs={"approved": "yes", "by": "x"})}, "approved of Ask is of type Boolean"),
        ({"Ask": Stub(outputs={"aproved": True})}, "no output 'aproved'; it has approved, by"),
        ({"Score": Stub(outputs={"score": True})}, "score of Score is of type Float"),
        ({"Tune": Stub(outputs={"model": tmp_path / "model"})}, "values={'TrainingJobSummaries[0].TrainingJobName'"),
        ({"Tune": Stub(values={BEST: "x"})}, "the output model"),
        ({"Bad": Stub()}, "cannot be stubbed: Bad does no work"),
        ({"Good": Stub()}, "has to say which branch is taken"),
    ):
        with pytest.raises(Exception, match=re.escape(said)):
            run_pipeline("asks.py", stubs={**stubs, **wrong})
"""


MISUSES = """
from mlops.testing import Stub

def test_pipeline(run_pipeline): run_pipeline("pipelin.py")
def test_step(run_pipeline): run_pipeline("pipeline.py", stubs={"Trian": Stub()})
def test_stub(run_pipeline): run_pipeline("pipeline.py", stubs={"Train": {"model": "pipeline.py"}})
def test_model(run_pipeline): run_pipeline("pipeline.py", stubs={"Train": Stub(outputs={"model": "pipeline.py"})})
def test_parameter(run_pipeline): run_pipeline("pipeline.py", parameters={"Rwos": 1})
def test_inputs(run_step): run_step("pipeline.py", "Train")
def test_failure(run_step, tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "other.txt").touch()
    ended = run_step("pipeline.py", "Train", inputs={"train": tmp_path / "rows"})
    assert repr(ended) == "<execution Failed; Train: Failed>"
    assert ended.status == "Succeeded", ended.failure
"""
TOLD = (
    "help: a target is a pipeline file, a folder or a definition in JSON",
    "there is no step Trian; the steps are Prepare, Train",
    "did you mean 'Train'?",
    "help: give mlops.testing.Stub(outputs={",
    "given as model of Train, is no .tar.gz",
    "there is no parameter Rwos; it has Rows, Floor, Seed; did you mean 'Rows'?",
    'step Train alone is to be given inputs={"train": FILE}: train comes from Prepare',
    "AssertionError: Step failure: One or multiple steps failed: Train. Train: ",
)


@pytest.mark.proof("deep")
def test_a_misuse_is_told_at_the_line_of_the_test(project: Path) -> None:
    """Forty lines of our own frames stood before the sentence, and the failure of an execution named no reason."""
    told = run_pytest(project, MISUSES, code=1)
    assert [line for line in TOLD if line not in told] == []
    assert "mlops/testing/" not in told and "mlops/check/" not in told
    assert "7 failed" in told


INSIDE = {
    "whole": WHOLE,
    "stubs": STUBS,
    "alone": ALONE,
    "stubs_of_metrics": STUBS_OF_METRICS,
    "interrupted": INTERRUPTED,
    "stubs_of_all": STUBS_OF_ALL,
}


@pytest.mark.proof("deep")
def test_the_fixtures_run_pipelines_and_steps_with_stubs_and_interrupts(project: Path) -> None:
    """By one pytest for all of them: to start one takes longer than what some of them do."""
    files = {
        "batch.py": BATCH,
        "count.py": COUNT,
        "spot_pipeline.py": SPOT,
        "spot.py": RESUME,
        "asks.py": ASKS,
        "use.py": USE,
    }
    for name, text in files.items():
        (project / name).write_text(text)
    for name, text in INSIDE.items():
        (project / f"test_{name}.py").write_text(f"{IMPORTS}{text}")
    run_pytest(project, "")
    assert not (project / ".mlops").exists()

"""Steps with virtual environments that stand for their images: each its own, in one execution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cached_runs import RAN, SERVED, Pipeline
from images_for_tests import NEW, OLD, of, stand_in
from ports_for_tests import Account, processing, step, tar_gz, training

from mlops.account.local.images.shelf import Shelf
from mlops.ir import Step

TELL = "import thing, sys; print('TOLD', thing.version, sys.executable)"
RUNPROC = """#!/bin/bash
cd "${SAGEMAKER_BASE_DIR:-/opt/ml}/processing/input/code/"
tar -xzf sourcedir.tar.gz
set -e
if [[ -f 'requirements.txt' ]]; then
    pip install -r requirements.txt
fi
python3 prepare.py "$@"
"""
LACKING = "no-such-thing-at-all==1"


def framework_processing(account: Account, image: str, files: dict[str, str]) -> Step:
    """As the official SDK's FrameworkProcessor sends it."""
    account.objects.put([tar_gz(files)], "s3://bucket/code/p/sourcedir.tar.gz")
    shell = account.objects.write("s3://bucket/code/p/source/runproc.sh", RUNPROC)
    inputs = {"code": "s3://bucket/code/p/sourcedir.tar.gz", "entrypoint": shell}
    words = ["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"]
    specification = {"ImageUri": image, "ContainerEntrypoint": words}
    return processing(account, "Prepare", "", inputs=inputs, AppSpecification=specification)


def of_image(image: str) -> dict[str, Any]:
    return {"algorithm": {"TrainingImage": image, "TrainingInputMode": "File"}}


def test_steps_run_with_what_was_built_for_their_images(account: Account, sandbox_mode: str) -> None:
    state = account.state.folder
    for image, text, number in ((OLD, "", "1"), (NEW, "", "2"), (NEW, LACKING, "3")):
        folder = stand_in(state, of(image, text), {"thing": f"version = {number}"})
        pip = folder / "venv" / "bin" / "pip"
        pip.write_text("#!/bin/sh\necho satisfied $*\n", encoding="utf-8")
        pip.chmod(0o755)
    steps = [
        training(account, "Old", {"train.py": TELL}, **of_image(OLD)),
        training(account, "New", {"train.py": TELL, "requirements.txt": "# none\n"}, **of_image(NEW)),
        framework_processing(account, NEW, {"prepare.py": TELL, "requirements.txt": LACKING}),
    ]
    assert account.run(*steps) == "Succeeded", account.journal.records
    logs = {name: account.journal.log(name) for name in ("Old", "New", "Prepare")}
    assert {name: log.split("TOLD ")[1][0] for name, log in logs.items()} == {"Old": "1", "New": "2", "Prepare": "3"}
    assert "satisfied install -r requirements.txt" in logs["Prepare"]
    assert "with the packages of scikit-learn 1.2-1, built by `mlops local images build`" in logs["Old"]


@pytest.mark.parametrize("kind", ["training", "processing"])
def test_what_nothing_here_has_is_told_and_noted(account: Account, kind: str) -> None:
    files = {"train.py": TELL, "prepare.py": TELL, "requirements.txt": LACKING}
    made = training(account, "T", files, **of_image(OLD)) if kind == "training" else None
    assert account.run(made or framework_processing(account, OLD, files)) == "Failed"
    failure = account.journal.records[-1].failure
    assert failure is not None and f"requirements.txt asks for {LACKING} (missing)" in failure
    assert "`mlops local images build`" in failure
    assert [kept.need for kept in Shelf(account.state.folder).all()] == [of(OLD, LACKING)]


def test_what_was_moved_or_has_lost_its_python_is_not_taken(tmp_path: Path) -> None:
    folder = stand_in(tmp_path / "a", of(OLD), {})
    wanted = of(OLD)
    assert wanted is not None and Shelf(tmp_path / "a").find(wanted) is not None
    (tmp_path / "a").rename(tmp_path / "b")
    assert Shelf(tmp_path / "b").find(wanted) is None
    (tmp_path / "b").rename(tmp_path / "a")
    (folder / "venv" / "bin" / "python").unlink()
    assert Shelf(tmp_path / "a").find(wanted) is None


def test_handlers_answer_in_it(account: Account) -> None:
    stand_in(account.state.folder, of(OLD, serves=True), {"thing": "version = 7"})
    code = "import thing\ndef model_fn(f): return 1\ndef transform_fn(m, body, kind, accept): return str(thing.version)"
    account.objects.put([tar_gz({"code/inference.py": code})], "s3://bucket/model.tar.gz")
    container = {"Image": OLD, "ModelDataUrl": "s3://bucket/model.tar.gz"}
    account.registry.model("m", PrimaryContainer=container)
    account.objects.write("s3://bucket/in/a.csv", "1")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}}
    request = {
        "ModelName": "m",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    assert account.run(step("Transform", "Ask", request)) == "Succeeded", account.journal.records
    assert account.objects.read("s3://bucket/out/a.csv.out") == b"7"


def test_what_is_built_decides_what_the_cache_serves(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path)
    uri = pipeline.write("s3://bucket/code/main.py", "print(1)")
    request = {
        "AppSpecification": {"ImageUri": OLD, "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/main.py"]},
        "ProcessingInputs": [{"InputName": "code", "S3Input": {"S3Uri": uri, "LocalPath": "/opt/ml/processing/input"}}],
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large"}},
        "RoleArn": "arn:aws:iam::000000000000:role/r",
    }
    ran = lambda: pipeline.run(step("Processing", "P", request))["P"]  # noqa: E731
    assert [ran(), ran()] == [RAN, SERVED]
    stand_in(pipeline.state.folder, of(NEW), {})
    assert ran() == SERVED
    stand_in(pipeline.state.folder, of(OLD), {})
    assert [ran(), ran()] == [RAN, SERVED]


@pytest.mark.parametrize(
    ("requirements", "failing"),
    [
        ("scikit-learn==1.2.1\n", None),
        ("scikit-learn==1.5\n", "scikit-learn==1.5 (found 1.2.1); the job has no network"),
        ("packaging==0.1\n", None),
        (LACKING, f"{LACKING} (missing); the job has no network"),
    ],
    ids=["the image's own version", "another", "nobody knows", "missing"],
)
def test_nothing_is_installed_without_a_network(account: Account, requirements: str, failing: str | None) -> None:
    files = {"train.py": "", "requirements.txt": requirements}
    ended = account.run(training(account, "T", files, **of_image(OLD), EnableNetworkIsolation=True))
    failure = account.journal.last("T").failure or ""
    assert ended == ("Failed" if failing else "Succeeded") and (failing or "") in failure

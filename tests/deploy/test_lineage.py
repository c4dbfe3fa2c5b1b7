"""What a version is made of: recorded once, told of any account, and what changed since is told as that."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from command_line import in_this_process

from mlops.account import connect
from mlops.account.local import LocalAccount
from mlops.deploy.endpoints.promote import Target
from mlops.deploy.models import lineage
from mlops.deploy.models.registry import version
from mlops.deploy.pipelines import commits
from mlops.ir import Refusal, UsageError
from mlops.project.environments import read_project
from mlops.project.git import Commit, between, head
from mlops.use_cases.models import Decision, decide
from mlops.use_cases.news import Said
from mlops.use_cases.promote import Promotion, plan
from mlops.use_cases.running import Manner, carry_out, open_source

from .conftest import World
from .test_registry import IMAGE

PIPELINE = """
from mlops import Pipeline, RegisterModel, Training, image

with Pipeline("churn", seed=42) as pipeline:
    days = pipeline.integer("Days", default=7)
    sklearn = image.sklearn("1.2-1")
    train = Training(
        "Train",
        code="src",
        entry="train.py",
        environment={"DEPTH": "3"},
        image=sklearn,
        channels={"train": "s3://mlops-local/table.csv"},
        hyperparameters={"random-seed": 5, "days": days},
        cache="P30D",
    )
    RegisterModel("Register", group="churn", model=train.model, image=sklearn)
"""
TRAIN = """
import os, pathlib
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("a model")
"""


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *words], check=True)


def registered(world: World, **more: Any) -> None:
    """A version by hand, of no execution."""
    bucket = world.environment.bucket
    world.account.client("s3").put_object(Bucket=bucket, Key="m/model.tar.gz", Body=b"one")
    sagemaker = world.account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    containers = [{"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/m/model.tar.gz"}]
    specification = {"Containers": containers, "SupportedContentTypes": ["a/b"], "SupportedResponseMIMETypes": ["a/b"]}
    sagemaker.create_model_package(ModelPackageGroupName="churn", InferenceSpecification=specification, **more)


def test_it_is_recorded_once_and_says_what_was_there(world: World) -> None:
    registered(world)
    found = version(world.account, "churn", 1)
    assert lineage.read(world.account, world.environment, found) is None
    made = lineage.record(world.account, world.environment, found)
    (artefact,) = made.artefacts
    assert made.unknown == "no execution registered it" and made.at is not None
    assert artefact.sha256 == "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key="m/model.tar.gz", Body=b"two")
    assert lineage.record(world.account, world.environment, found) == made


def test_one_that_cannot_be_read_is_told(world: World) -> None:
    registered(world)
    found = version(world.account, "churn", 1)
    key = f"{world.environment.prefix}/lineage/churn/1.json"
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key=key, Body=b"[")
    with pytest.raises(Refusal, match="is none that mlops wrote"):
        lineage.read(world.account, world.environment, found)


@pytest.mark.parametrize(
    ("noted", "found"),
    [
        ([("a", False)], ("a", False)),
        ([("a", True), ("b", False)], ("b", False)),
        ([("a", False), ("b", True)], ("a", False)),
        ([("a", False), ("b", False)], ("a", False)),
        ([("a", True), ("b", True)], ("a", True)),
        ([None], None),
    ],
    ids=["one", "clean after dirty", "dirty after clean", "a later one", "two dirty ones", "no repository"],
)
def test_the_commit_of_a_definition(world: World, noted: list[Any], found: Any) -> None:
    for item in noted:
        commits.note(world.account, world.environment, '{"Steps": []}', item and Commit(*item))
    told = commits.find(world.account, world.environment, '{ "Steps" : [ ] }')
    assert told == (found and Commit(*found))
    assert commits.find(world.account, world.environment, "{}") is None


def test_where_a_working_copy_stands(tmp_path: Path) -> None:
    assert head(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert head(tmp_path) is None
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "file").write_text("1")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    clean = head(tmp_path / "inside")
    assert clean is not None and not clean.dirty and len(clean.id) == 40
    (tmp_path / "beside").write_text("not of this folder")
    assert head(tmp_path / "inside") == clean
    (tmp_path / "inside" / "new").write_text("1")
    assert head(tmp_path / "inside") == Commit(clean.id, True)


def test_commits_between_two(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for number in range(4):
        inside = tmp_path / ("inside" if number != 2 else "beside")
        inside.mkdir(exist_ok=True)
        (inside / "file").write_text(str(number))
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", f"change | {number}\n\nwhy")
    told = subprocess.run(["git", "-C", tmp_path, "rev-list", "HEAD"], capture_output=True, text=True, check=True)
    newest, *_, first = told.stdout.split()
    found = between(tmp_path / "inside", first, newest, 10)
    assert [(item.subject, item.author) for item in found] == [("change | 3", "a"), ("change | 1", "a")]
    assert found[0].id == newest and between(tmp_path, first, newest, 1)[0].id == newest
    assert between(tmp_path, newest, first, 10) == ()
    for old in ("--output=x", "HEAD", "0" * 40):
        with pytest.raises(UsageError):
            between(tmp_path, old, newest, 10)


def test_an_execution_says_what_its_version_is_made_of_and_a_rerun_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPS_LOCAL_USER", "ada")
    (tmp_path / "mlops.toml").touch()
    (tmp_path / ".gitignore").write_text(".mlops\n")
    (tmp_path / "pipeline.py").write_text(PIPELINE)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(TRAIN)
    (tmp_path / "src" / "requirements.txt").write_text("packaging\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    environment = read_project(tmp_path).environment("local")
    account = connect(environment)
    account.client("s3").put_object(Bucket="mlops-local", Key="table.csv", Body=b"1\n")
    said: list[str] = []

    def run() -> None:
        chosen = open_source("pipeline.py", {}, (), lambda event: None)
        hear = lambda event: said.append(event.text) if isinstance(event, Said) else None  # noqa: E731
        assert carry_out(chosen, Manner(), hear).status == "Succeeded"

    run()
    found = version(account, "churn", 1)
    made = lineage.read(account, environment, found)
    assert made is not None and made.unknown is None and said == []
    commit = head(tmp_path)
    assert commit is not None
    assert (made.commit, made.dirty, made.pipeline) == (commit.id, False, "churn")
    assert made.parameters == {"Days": "7"}
    assert made.seeds == {"Train: random-seed": "5", "Train: MLOPS_SEED": "42"}
    assert made.environment == {"Train: DEPTH": "3"} and made.dependencies == {"Train: packaging": "packaging"}
    assert list(made.code) == ["Train: sourcedir.tar.gz"]
    assert made.data["Train: train"].uri == "s3://mlops-local/table.csv" and not made.data["Train: train"].changed
    assert made.artefacts[0].sha256 is not None
    assert found.details["CreatedBy"]["IamIdentity"]["Arn"].endswith("user/ada")
    assert found.details["InferenceSpecification"]["Containers"][0]["ModelDataETag"] == made.artefacts[0].etag

    run()
    assert said.pop() == "version 1 of churn is made of the same, so nothing was registered; --no-cache registers anew"
    assert version(account, "churn", None).number == 1

    # Of two versions, what somebody chose comes before what follows from it.
    (tmp_path / "src" / "train.py").write_text(f"{TRAIN}\n# another\n")
    (tmp_path / "pipeline.py").write_text(PIPELINE.replace('"days": days', '"days": days, "trees": 50'))
    run()
    ask = in_this_process(capfd)
    lines = ask("models", "compare", "churn", "1", "2").out.splitlines()
    names = [line.split("  ")[0] for line in lines if line and not line.startswith(" ")]
    assert names[:2] == ["approval", "hyperparameter Train: trees"] and names.index("image, the same") > 2
    (code,) = (line for line in lines if line.startswith("code "))
    assert [len(digest) for digest in code.split()[-2:]] == [12, 12]
    (trees,) = (line for line in lines if line.startswith("hyperparameter "))
    assert trees.split()[-2:] == ["-", "50"]
    rows = ask("models", "compare", "churn", "1", "2", "--format", "json").json["lineage"]
    assert {"name": "hyperparameter Train: trees", "old": None, "new": "50"} in rows


def test_a_store_of_an_older_version_tells_who_it_always_told(tmp_path: Path) -> None:
    account = LocalAccount(tmp_path / ".mlops", "us-east-1", "ada")
    body = json.dumps({"SourceUri": "s3://b/m"})
    account.state.store.write("INSERT INTO package VALUES ('old', 0, '2026-01-01T00:00:00', '', ?)", body)
    told = account.client("sagemaker").describe_model_package(ModelPackageName="old")
    assert told["CreatedBy"]["IamIdentity"]["Arn"].endswith("user/local")


ARCHIVE = "s3://mlops-local/m/model.tar.gz"


SOURCES = {
    "an archive": {"ModelDataUrl": ARCHIVE},
    "an archive that is a source": {"S3Uri": ARCHIVE, "S3DataType": "S3Object", "CompressionType": "Gzip"},
    "a folder": {"S3Uri": "s3://mlops-local/m/", "S3DataType": "S3Prefix", "CompressionType": "None"},
}
TOLD = {"a folder": "was written after the version was registered"}


@pytest.mark.parametrize("data", SOURCES)
def test_what_is_swapped_between_registration_and_approval_is_told(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCES[data]
    container = source if "ModelDataUrl" in source else {"ModelDataSource": {"S3DataSource": source}}
    told = TOLD.get(data, "the registry noted another archive than what was recorded")
    (tmp_path / "mlops.toml").write_text("[env.local.promote.gates]\nchecksum = true\n")
    monkeypatch.chdir(tmp_path)
    environment = read_project(tmp_path).environment("local")
    account = connect(environment)
    s3, sagemaker = account.client("s3"), account.client("sagemaker")
    s3.put_object(Bucket="mlops-local", Key="m/model.tar.gz", Body=b"one")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    for _ in range(2):
        specification = {
            "Containers": [{"Image": IMAGE, **container}],
            "SupportedContentTypes": ["a/b"],
            "SupportedResponseMIMETypes": ["a/b"],
        }
        sagemaker.create_model_package(ModelPackageGroupName="churn", InferenceSpecification=specification)
    decide("local", Decision("churn", 1, "Approved"), lambda event: None)
    (sound,) = (item for item in plan(Promotion("churn", "local", Target(""))).gates if item.gate == "checksum")
    assert sound.passes, sound.found
    s3.put_object(Bucket="mlops-local", Key="m/model.tar.gz", Body=b"another")
    with sqlite3.connect(tmp_path / ".mlops" / "account.sqlite") as store:  # times of S3 are whole seconds
        store.execute("UPDATE package SET created = '2026-01-01T00:00:00+00:00' WHERE version = 2")
    decide("local", Decision("churn", 2, "Approved"), lambda event: None)
    (gated,) = (item for item in plan(Promotion("churn", "local", Target(""))).gates if item.gate == "checksum")
    assert not gated.passes and told in gated.found, gated.found

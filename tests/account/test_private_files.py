"""What lies in ``.mlops`` is its owner's alone, whoever makes the folder first and whatever the umask."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from account_definitions import IMAGE, ROLE, document, processing
from command_line import in_this_process

from mlops.account.local import LocalAccount, ownership
from mlops.deploy.executions.following import follow, log_lines
from mlops.deploy.executions.recording import _alone
from mlops.project.private import mend, private_folder, state_folder

STEPS_OWN = {"ml", "scratch", "hosts", "containers"}


@pytest.fixture(params=[0o022, 0o000], ids=["umask 022", "umask 000"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """This process's, and what it starts has it too."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def until_gone(folder: Path) -> None:
    """A runner that has told the end still puts its own away."""
    deadline = time.monotonic() + 60
    while any(ownership.owned(own) for own in folder.glob("executions/*")):
        assert time.monotonic() < deadline, "a runner does not end"
        time.sleep(0.02)


def an_object(account: LocalAccount) -> None:
    account.client("s3").create_bucket(Bucket="some-bucket")
    account.client("s3").put_object(Bucket="some-bucket", Key="deep/down/there", Body=b"1")


def an_upload_in_parts(account: LocalAccount) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="some-bucket")
    upload = s3.create_multipart_upload(Bucket="some-bucket", Key="big")["UploadId"]
    s3.upload_part(Bucket="some-bucket", Key="big", UploadId=upload, PartNumber=1, Body=b"1")


def an_execution_and_its_log(account: LocalAccount) -> None:
    definition = document([processing("One", "echo one; touch /opt/ml/new"), processing("Two", "exit 3")])
    sagemaker = account.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=definition, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="churn")["PipelineExecutionArn"]
    assert follow(account, arn).status == "Failed"


def an_endpoint_and_its_log(account: LocalAccount) -> None:
    sagemaker = account.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": "s3://some-bucket/none.tar.gz"}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    while sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "Creating":
        time.sleep(0.05)


def a_record_to_mlflow(account: LocalAccount) -> None:
    folder = account.state.folder
    with _alone(folder / "mlflow"):
        (folder / "mlflow" / "mlflow.db").write_text("")
    outside = folder.parent / "outside"
    outside.write_text("")
    assert outside.stat().st_mode & 0o044 == 0o044


def open_to_others(folder: Path) -> Iterator[str]:
    until_gone(folder)
    for here, folders, files in os.walk(folder):
        # Below 0700; a step writes there with the umask that it has in a container.
        folders[:] = [name for name in folders if name not in STEPS_OWN]
        for path in (Path(here), *(Path(here, name) for name in files)):
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                continue  # whoever wrote it has taken it away meanwhile
            if mode & 0o077 and not stat.S_ISLNK(mode):
                yield f"{path.relative_to(folder.parent)} is {stat.S_IMODE(mode):o}"


@pytest.mark.parametrize(
    "first", [an_object, an_upload_in_parts, an_execution_and_its_log, an_endpoint_and_its_log, a_record_to_mlflow]
)
def test_nobody_else_reads_what_is_made_first(
    tmp_path: Path, first: Callable[[LocalAccount], None], umask: int
) -> None:
    folder = tmp_path / "deep" / "project" / ".mlops"
    first(LocalAccount(folder, "us-east-1"))
    assert folder.is_dir()
    assert [*open_to_others(folder)] == []


def test_nor_what_commands_make(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "work.py").write_text("print(1)\n")
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    (tmp_path / "pipeline.py").write_text(
        "from mlops import Pipeline, Processing\n"
        'with Pipeline("churn"):\n'
        f'    Processing("Work", code="work.py", image="{image}", instance="ml.m5.large")\n'
    )
    monkeypatch.chdir(tmp_path)
    mlops = in_this_process(capfd)
    for words in ("check pipeline.py", "run pipeline.py", "executions logs last", "local prune --keep 0 --yes"):
        mlops(*words.split())
        assert [*open_to_others(tmp_path / ".mlops")] == [], words
    os.umask(0o022)
    mlops("compile", "pipeline.py", "-o", "pipeline.json")
    assert stat.S_IMODE((tmp_path / "pipeline.json").stat().st_mode) == 0o644, "what is not state is as ever"


@pytest.mark.proof("sdk")
def test_nor_what_composing_a_file_of_the_official_sdk_makes(tmp_path: Path, umask: int) -> None:
    shutil.copytree(Path(__file__).parent.parent / "oracle" / "sdk_pipelines", tmp_path / "sdk_pipelines")
    (tmp_path / "mlops.toml").write_text(
        '[env.local]\nregion = "us-east-1"\nrole = "arn:aws:iam::000000000000:role/pipelines"\n'
    )
    command = [sys.executable, "-m", "mlops", "compile", "sdk_pipelines/v3/count_rows.py", "-o", "-"]
    done = subprocess.run(command, cwd=tmp_path, umask=umask, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".mlops" / "composed").is_dir()
    assert [*open_to_others(tmp_path / ".mlops")] == []


def test_a_step_has_the_umask_of_a_container(local: LocalAccount) -> None:
    definition = document([processing("One", "umask; touch /opt/ml/made; stat -c %a /opt/ml/made")])
    sagemaker = local.client("sagemaker")
    sagemaker.create_pipeline(PipelineName="churn", PipelineDefinition=definition, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(PipelineName="churn")["PipelineExecutionArn"]
    (step,) = follow(local, arn).steps
    assert [line for line in log_lines(local, step) if not line.startswith("[mlops]")] == ["0022", "644"]


def test_what_an_older_mlops_has_left_open_is_mended_when_it_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / ".mlops"
    LocalAccount(folder, "us-east-1").ensure_bucket("some-bucket")
    outside = tmp_path / "outside"
    outside.write_text("")
    for opened in (folder, folder / "account.sqlite"):
        (folder / "objects").mkdir(exist_ok=True)
        (folder / "objects" / "file").write_text("")
        (folder / "objects" / "link").unlink(missing_ok=True)
        (folder / "objects" / "link").symlink_to(outside)
        for path in (outside, folder / "objects", folder / "objects" / "file"):
            path.chmod(0o755)
        opened.chmod(0o755)
        LocalAccount(folder, "us-east-1")
        assert [*open_to_others(folder)] == []
        assert stat.S_IMODE(outside.stat().st_mode) == 0o755, "what a link names is not ours"


def test_a_step_s_own_folder_is_not_walked(tmp_path: Path) -> None:
    own = tmp_path / ".mlops" / "executions" / "one" / "Train" / "1" / "ml"
    own.mkdir(parents=True)
    own.chmod(0o755)
    mend(tmp_path / ".mlops")
    assert stat.S_IMODE(own.stat().st_mode) == 0o755
    assert stat.S_IMODE(own.parent.stat().st_mode) == 0o700


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FileExistsError):
        private_folder(tmp_path / "taken")
    assert state_folder(tmp_path / "new" / "state").is_dir()

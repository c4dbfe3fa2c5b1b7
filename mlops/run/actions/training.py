"""Training: a script as the training toolkit would start it, or the request's own entrypoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.run.archive import pack, unpack
from mlops.run.command import CommandTask, Ended, runtime_limit
from mlops.run.job import Job
from mlops.run.log import compiled_metrics, exit_reason, final_metrics
from mlops.run.outcome import REASON_LIMIT, Outcome, StepFailed, Task
from mlops.run.requirements import check_requirements
from mlops.run.resolve import as_text, as_texts
from mlops.run.sandbox import start as start_boxed
from mlops.run.training_toolkit import Script, is_package, script_of, variables
from mlops.run.training_toolkit import command as script_command
from mlops.run.transfer import Upload, below_opt_ml, fetch, fetch_source, left_in, safe, upload
from mlops.run.work import Work, now

_SUBMIT_DIRECTORY = "sagemaker_submit_directory"


def start(work: Work) -> Task:
    request = {**work.request}
    for member in ("HyperParameters", "Environment"):
        if member in request:
            request[member] = as_texts(request[member])
    job = Job("TrainingJob", work, request)
    return job.launch(lambda: _launch(work, request, job))


def _launch(work: Work, request: Mapping[str, Any], job: Job) -> Task:
    algorithm = request.get("AlgorithmSpecification") or {}
    hyperparameters: dict[str, str] = request.get("HyperParameters", {})
    given: dict[str, str] = request.get("Environment", {})
    entrypoint = algorithm.get("ContainerEntrypoint")
    script = None if entrypoint else script_of(hyperparameters, given)
    if not entrypoint and script is None:
        raise StepFailed(
            f"the image {algorithm.get('TrainingImage') or algorithm.get('AlgorithmName')} brings its own algorithm, "
            "which cannot run on this machine: give a script (hyperparameters sagemaker_program and "
            "sagemaker_submit_directory) or AlgorithmSpecification.ContainerEntrypoint"
        )
    compiled_metrics(algorithm.get("MetricDefinitions"))
    for folder in ("input/config", "input/data", "model", "output/data", "code"):
        (work.opt_ml / folder).mkdir(parents=True, exist_ok=True)
    channels = _fetch_channels(work, request)
    resources = _resources(request)
    _write_config(work, hyperparameters=hyperparameters, inputdataconfig=channels, resourceconfig=resources)
    checkpoints = _fetch_checkpoints(work, request)
    environment = {"TRAINING_JOB_NAME": work.name, "TRAINING_JOB_ARN": job.description["TrainingJobArn"], **given}
    if script is not None:
        _place_code(work, script)
        environment |= variables(
            script,
            resources=resources,
            channels=channels,
            job_name=environment["TRAINING_JOB_NAME"],
            search_path=given.get("PYTHONPATH"),
        )
        command, cwd = script_command(script, work.opt_ml / "code"), "/opt/ml/code"
    else:
        command = [as_text(word) for word in (*(entrypoint or ()), *(algorithm.get("ContainerArguments") or ()))]
        cwd = "/tmp"  # noqa: S108 - the step's own
    if (request.get("ResourceConfig") or {}).get("InstanceCount", 1) != 1:
        work.note("several instances are asked for; one runs here and gets all data")
    work.starting(command, environment, cwd)
    boxed = start_boxed(
        command,
        work.box(network=not request.get("EnableNetworkIsolation")),
        environment=environment,
        log=work.log,
        cwd=cwd,
    )
    job.tell("InProgress", SecondaryStatus="Training")
    return CommandTask(
        boxed,
        metadata=job.metadata,
        limit_seconds=runtime_limit(request),
        grace_seconds=work.grace_seconds,
        finish=lambda ended: job.finish(lambda: _finish(work, request, job, ended)),
        uploads=checkpoints,
    )


def _fetch_channels(work: Work, request: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Answers inputdataconfig.json."""
    default_mode = (request.get("AlgorithmSpecification") or {}).get("TrainingInputMode") or "File"
    config: dict[str, dict[str, str]] = {}
    for channel in request.get("InputDataConfig") or []:
        name = str(channel.get("ChannelName"))
        what = f"channel {name}"
        mode = channel.get("InputMode") or default_mode
        if mode == "Pipe":
            raise StepFailed(f"{what}: input mode Pipe cannot run on this machine yet, use File")
        source = (channel.get("DataSource") or {}).get("S3DataSource")
        if not isinstance(source, dict):
            raise StepFailed(f"{what}: only an S3DataSource can be read on this machine yet")
        count = fetch_source(source, work.opt_ml / "input" / "data" / safe(name, what), work.ports.objects, what)
        work.note(f"{what}: {count} file(s) from {source['S3Uri']}")
        config[name] = {
            "TrainingInputMode": mode,
            "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
            "RecordWrapperType": channel.get("RecordWrapperType") or "None",
        }
        if channel.get("ContentType"):
            config[name]["ContentType"] = channel["ContentType"]
    return config


def _resources(request: Mapping[str, Any]) -> dict[str, Any]:
    asked = request.get("ResourceConfig") or {}
    groups = asked.get("InstanceGroups") or [{}]
    instance = asked.get("InstanceType") or groups[0].get("InstanceType") or "local"
    group = groups[0].get("InstanceGroupName") or "homogeneousCluster"
    return {
        "current_host": "algo-1",
        "current_instance_type": instance,
        "current_group_name": group,
        "hosts": ["algo-1"],
        "instance_groups": [{"instance_group_name": group, "instance_type": instance, "hosts": ["algo-1"]}],
        "network_interface_name": "eth0",
    }


def _write_config(work: Work, **documents: Mapping[str, Any]) -> None:
    for name, document in documents.items():
        (work.opt_ml / "input" / "config" / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")


def _place_code(work: Work, script: Script) -> None:
    code = work.opt_ml / "code"
    if script.module_dir.startswith("s3://"):
        archive = work.folder / "sourcedir.tar.gz"
        fetch(script.module_dir, archive, work.ports.objects, _SUBMIT_DIRECTORY)
        unpack(archive, code, f"{_SUBMIT_DIRECTORY} {script.module_dir}")
        archive.unlink()
    elif below_opt_ml(script.module_dir, work.opt_ml, _SUBMIT_DIRECTORY) != code:
        raise StepFailed(f"{_SUBMIT_DIRECTORY} is {script.module_dir!r}; on this machine it is to be an s3:// URI")
    program = code / safe(script.program, "sagemaker_program")
    if not program.is_file() and not is_package(script.program, code):
        there = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise StepFailed(f"sagemaker_program is {script.program!r}, but the code holds: {there}")
    if program.is_file() and not script.program.endswith(".py"):
        program.chmod(0o755)
    check_requirements(code, work)


def _fetch_checkpoints(work: Work, request: Mapping[str, Any]) -> list[Upload]:
    """Brings those of earlier jobs; answers what is to be stored while the new one runs."""
    config = request.get("CheckpointConfig")
    if not config:
        return []
    path = config.get("LocalPath") or "/opt/ml/checkpoints"
    folder = below_opt_ml(path, work.opt_ml, "CheckpointConfig.LocalPath")
    uri = config.get("S3Uri")
    if not isinstance(uri, str) or not uri.startswith("s3://"):
        raise StepFailed(f"CheckpointConfig.S3Uri is {uri!r}, not an s3:// URI")
    folder.mkdir(parents=True, exist_ok=True)
    below = f"{uri.rstrip('/')}/"
    if work.ports.objects.keys(below):
        fetch_source({"S3Uri": below}, folder, work.ports.objects, "CheckpointConfig")
    checkpoints = Upload(folder, below, work.ports.objects)
    checkpoints.known()
    return [checkpoints]


def _finish(work: Work, request: Mapping[str, Any], job: Job, ended: Ended) -> Outcome:
    metrics = final_metrics(
        compiled_metrics((request.get("AlgorithmSpecification") or {}).get("MetricDefinitions")), work.log
    )
    seconds = max(1, round((now() - job.began).total_seconds()))
    members: dict[str, Any] = {"TrainingTimeInSeconds": seconds, "FinalMetricDataList": metrics or None}
    if ended.stopped:
        return job.ended("Stopped", SecondaryStatus="Stopped", **members)
    if ended.timed_out:
        # The job itself ends as Stopped and keeps its model; the step has not done what it was to do.
        model = _publish(work, request) if any(_left(work, "model").iterdir()) else None
        job.ended("Stopped", SecondaryStatus="MaxRuntimeExceeded", ModelArtifacts=model, **members)
        return job.outcome("Failed", f"it ran longer than MaxRuntimeInSeconds = {runtime_limit(request):g}")
    if ended.code != 0:
        reason = _failure(_left(work, "output") / "failure") or exit_reason(ended.code, work.log)
        return job.ended("Failed", reason, SecondaryStatus="Failed", **members)
    return job.ended("Completed", SecondaryStatus="Completed", ModelArtifacts=_publish(work, request), **members)


def _left(work: Work, folder: str) -> Path:
    return left_in(work.opt_ml / folder, work.opt_ml)


def _failure(file: Path) -> str | None:
    if file.is_symlink() or not file.is_file():
        return None
    with file.open(encoding="utf-8", errors="replace") as opened:
        return opened.read(REASON_LIMIT).strip() or None


def _publish(work: Work, request: Mapping[str, Any]) -> dict[str, str]:
    """Answers ModelArtifacts."""
    config = request.get("OutputDataConfig") or {}
    path = config.get("S3OutputPath")
    if not isinstance(path, str) or not path.startswith("s3://"):
        raise StepFailed(f"OutputDataConfig.S3OutputPath is {path!r}, not an s3:// URI")
    target = f"{path.rstrip('/')}/{work.name}/output"
    packed = config.get("CompressionType") != "NONE"
    model = f"{target}/model.tar.gz" if packed else f"{target}/model/"
    if not any(_left(work, "model").iterdir()):
        work.note("nothing was written to /opt/ml/model; the model archive is empty")
    _store(work, "model", model, packed)
    if any(_left(work, "output/data").iterdir()):
        _store(work, "output/data", f"{target}/output.tar.gz" if packed else f"{target}/data/", packed)
    return {"S3ModelArtifacts": model}


def _store(work: Work, folder: str, uri: str, packed: bool) -> None:
    source = _left(work, folder)
    if not packed:
        upload(source, uri, work.ports.objects)
        return
    archive = work.folder / "upload.tar.gz"
    pack(source, archive)
    work.ports.objects.put(archive, uri)
    archive.unlink()
    work.note(f"{folder} to {uri}")

"""Training: a script as the training toolkit would start it, or the request's own entrypoint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops.knowledge.algorithm_images import BuiltIn, built_in
from mlops.knowledge.distributions import NO_TORCHRUN, has_torchrun
from mlops.knowledge.notebook_jobs import SCHEDULER
from mlops.knowledge.this_machine import code_elsewhere
from mlops.run import notebook_job
from mlops.run.archive import Member, merged, pack, unpack
from mlops.run.beneath import Folder, content, remove
from mlops.run.cluster import Cluster, cluster
from mlops.run.command import CommandTask, Ended, HostCommand, failure_reason, runtime_limit
from mlops.run.containers import Container, container
from mlops.run.images import interpreter_for, text_of
from mlops.run.job import Job
from mlops.run.limits import limits
from mlops.run.log import compiled_metrics, final_metrics
from mlops.run.outcome import REASON_LIMIT, Outcome, StepFailed, Task
from mlops.run.pipe_mode import PipedChannel, Pipes
from mlops.run.resolve import as_text, as_texts
from mlops.run.spot import Finish, SpotTask
from mlops.run.training_rules import Finding, WatchedTask, Watcher, watcher
from mlops.run.training_toolkit import Script, is_package, script_of, torchrun, variables
from mlops.run.training_toolkit import command as script_command
from mlops.run.transfer import Upload, below_opt_ml, fetch, fetch_source, left_in, safe, upload
from mlops.run.work import Work, now

_SUBMIT_DIRECTORY = "sagemaker_submit_directory"
_FOLDERS = ("input", "input/config", "input/data", "model", "output", "output/data", "code")
_PIPED = "piped"
"""Below the folder of a host: copies of what goes through FIFOs, which the script does not see."""

_UNENCRYPTED = {"KmsKeyId": ""}
"""The service tells of no key so, and the SDK's tuner takes it to be told."""

_ALGORITHM_ENTRY = Path(__file__).parents[1] / "algorithms" / "entry.py"
_LATE = {"MaxRuntimeInSeconds": "MaxRuntimeExceeded", "MaxWaitTimeInSeconds": "MaxWaitTimeExceeded"}


def start(work: Work) -> Task:
    request = {**work.request}
    for member in ("HyperParameters", "Environment"):
        if member in request:
            request[member] = as_texts(request[member])
    request = _with_metrics(request)
    output = {"OutputDataConfig": {**_UNENCRYPTED, **(request.get("OutputDataConfig") or {})}}
    job = Job(work, {**request, **output, **_debugged(request)})
    return job.launch(lambda: _launch(work, request, job))


def _debugged(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the service tells of Debugger and Profiler beyond what it was asked, as a test of its SDK finds it
    (test_training_job_with_debugger_and_profiler). Neither runs here."""
    told: dict[str, Any] = {}
    if rules := request.get("DebugRuleConfigurations"):
        told["DebugRuleConfigurations"] = [{"VolumeSizeInGB": 0, **rule} for rule in rules]
    profiler = request.get("ProfilerConfig")
    if profiler is not None and not profiler.get("DisableProfiler"):
        told |= {"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 500, **profiler}, "ProfilingStatus": "Enabled"}
    return told


def _with_metrics(request: Mapping[str, Any]) -> dict[str, Any]:
    """A built-in algorithm has the MetricDefinitions that the service gives it."""
    found = _algorithm(request)
    if found is None or not found.algorithm.metric_definitions:
        return {**request}
    definitions = {"MetricDefinitions": found.algorithm.metric_definitions}
    return {**request, "AlgorithmSpecification": {**definitions, **request["AlgorithmSpecification"]}}


def _algorithm(request: Mapping[str, Any]) -> BuiltIn | None:
    """That of the image, where it is the image's that is to run."""
    algorithm, values, environment = (
        request.get(name) or {} for name in ("AlgorithmSpecification", "HyperParameters", "Environment")
    )
    image = algorithm.get("TrainingImage")
    program = environment.get("SAGEMAKER_PROGRAM") or values.get("sagemaker_program", "").strip('"')
    return built_in(image) if isinstance(image, str) and not (program or algorithm.get("ContainerEntrypoint")) else None


def _starts_modules(image: Any) -> bool:
    """XGBoost's image starts a script by its module's name (sagemaker-xgboost-container, training.py, run_module)."""
    found = built_in(image) if isinstance(image, str) else None
    return found is not None and found.algorithm.name == "xgboost"


def _launch(work: Work, request: Mapping[str, Any], job: Job) -> Task:
    work.need_possible(request)
    algorithm = request.get("AlgorithmSpecification") or {}
    entrypoint = algorithm.get("ContainerEntrypoint")
    script = None if entrypoint else script_of(request.get("HyperParameters", {}), request.get("Environment", {}))
    if script is not None and _starts_modules(algorithm.get("TrainingImage")):
        script = replace(script, program=f"{script.program.removesuffix('.py')}.py")
    compiled_metrics(algorithm.get("MetricDefinitions"))
    watched = watcher(work, request, job)
    run = _Run(work, request, job, script, cluster(work.name, request.get("ResourceConfig") or {}), watched)
    task: Task
    if request.get("EnableManagedSpotTraining"):
        task = SpotTask(run, job, request, work.pace, work.execution.interruptions.get(work.step.name))
    else:
        task = run.begin(runtime_limit(request), lambda ended: run.finish(ended))
    return task if watched is None else WatchedTask(task, watched)


class _Run:
    """One training job on its instances; begun again, it gets new ones."""

    def __init__(
        self,
        work: Work,
        request: Mapping[str, Any],
        job: Job,
        script: Script | None,
        hosts: Cluster,
        watched: Watcher | None,
    ) -> None:
        self.works = [work.on(host.name) for host in hosts.hosts]
        self._request = request
        self._job = job
        self._script = script
        self._hosts = hosts
        self._watched = watched
        self._pipes: list[Pipes] = []

    def begin(self, limit: float | None, finish: Finish, upload_seconds: float | None = None) -> CommandTask:
        """Raises :class:`StepFailed`."""
        request, job = self._request, self._job
        job.enters("Downloading")
        planned = [self._planned(work, position) for position, work in enumerate(self.works)]
        job.enters("Training")
        task = CommandTask(
            planned,
            self._hosts,
            network=not request.get("EnableNetworkIsolation"),
            metadata=job.metadata,
            limit_seconds=limit,
            finish=lambda ended: job.finish(lambda: self._close(ended, finish)),
            upload_seconds=upload_seconds,
        )
        job.tell("InProgress")
        return task

    def _close(self, ended: Ended, finish: Finish) -> Outcome | None:
        for pipes in self._pipes:
            pipes.close()
        faults = [pipes.fault for pipes in self._pipes if pipes.fault]
        if self._pipes:
            for work in self.works:
                remove(work.folder / _PIPED)
        self._pipes.clear()
        if faults and ended.code == 0:
            raise StepFailed(str(faults[0]))
        return finish(ended)

    def clear(self) -> None:
        """Nothing of an instance that was taken away is left, but for the log."""
        for work in self.works:
            for name in ("ml", "scratch"):
                remove(work.folder / name)

    def note(self, text: str) -> None:
        for work in self.works:
            work.note(text)

    def finish(self, ended: Ended, late: str = "MaxRuntimeInSeconds") -> Outcome:
        """``late`` is the limit that it ran into, where it did."""
        finding = None
        if self._watched is not None:
            finding = self._watched.last_look()
        return _finish(self.works, self._request, self._job, ended, late, finding)

    def _planned(self, work: Work, position: int) -> HostCommand:
        request, script, host = self._request, self._script, self._hosts.hosts[position]
        given: dict[str, str] = request.get("Environment", {})
        work.opt_ml.mkdir(parents=True, exist_ok=True)
        for folder in _FOLDERS:
            (work.opt_ml / folder).mkdir(exist_ok=True)
        channels = _fetch_channels(work, request, self._hosts, position)
        resources = self._hosts.resource_config(host)
        _write_config(
            work,
            hyperparameters=request.get("HyperParameters", {}),
            inputdataconfig=channels,
            resourceconfig=resources,
        )
        checkpoints = _fetch_checkpoints(work, request)
        if checkpoints and script is None:
            path = request["CheckpointConfig"].get("LocalPath") or "/opt/ml/checkpoints"
            _write_config(work, checkpointconfig={"LocalPath": str(work.box().path(path))})
        environment = {
            "TRAINING_JOB_NAME": work.name,
            "TRAINING_JOB_ARN": self._job.description["TrainingJobArn"],
            **given,
        }
        cwd, python, contained = "/tmp", None, None  # noqa: S108 - the step's own
        if script is not None:
            _place_code(work, script)
            python = interpreter_for(
                work,
                _image(request),
                text_of(work.opt_ml / "code"),
                isolated=bool(request.get("EnableNetworkIsolation")),
            )
            environment |= variables(
                script,
                resources=resources,
                channels=channels,
                job_name=environment["TRAINING_JOB_NAME"],
                search_path=given.get("PYTHONPATH"),
            )
            command, cwd = script_command(script, work.opt_ml / "code"), "/opt/ml/code"
            # Where there are no namespaces the names of hosts do not resolve.
            master = "127.0.0.1" if work.isolation.mode == "folders" else None
            launch = torchrun(script, resources, work.opt_ml / "code", master)
            if launch is not None:
                if python is None:
                    _need_torchrun()
                command, environment = launch.command, {**environment, **launch.environment}
        elif (found := _algorithm(request)) is not None:
            command = ["python", "-P", str(_ALGORITHM_ENTRY), found.algorithm.name, found.version]
        elif (contained := _container(request)) is not None:
            command = [contained.entrypoint or "", *contained.words]
        else:
            algorithm = request["AlgorithmSpecification"]
            command = [as_text(word) for word in (*algorithm["ContainerEntrypoint"], *_arguments(algorithm))]
            if command[0] == SCHEDULER:
                command, added = notebook_job.command(work, environment)
                environment = {**environment, **added}
            else:
                python = interpreter_for(work, _image(request))
        work.starting(command, environment, cwd, python)
        if piped := _piped(work, request, channels):
            self._pipes.append(Pipes(work.opt_ml / "input" / "data", piped))
        config = request.get("ResourceConfig") or {}
        return HostCommand(
            work,
            command,
            environment,
            cwd,
            checkpoints,
            limits(config, host.instance, work.execution.memory_limit),
            python,
            contained,
        )


def _container(request: Mapping[str, Any]) -> Container | None:
    algorithm = request.get("AlgorithmSpecification") or {}
    entrypoint, given = (
        [as_text(word) for word in algorithm.get(name) or ()] for name in ("ContainerEntrypoint", "ContainerArguments")
    )
    return container(algorithm.get("TrainingImage"), entrypoint, given, ["train"])


def _image(request: Mapping[str, Any]) -> Any:
    return (request.get("AlgorithmSpecification") or {}).get("TrainingImage")


def _need_torchrun() -> None:
    if not has_torchrun():
        raise StepFailed(NO_TORCHRUN)


def _arguments(algorithm: Mapping[str, Any]) -> Sequence[Any]:
    return algorithm.get("ContainerArguments") or ()


def _fetch_channels(work: Work, request: Mapping[str, Any], hosts: Cluster, position: int) -> dict[str, dict[str, str]]:
    """Answers inputdataconfig.json. A channel for some instance groups is unknown to the hosts of the others; what the
    service tells those is not documented."""
    default_mode = (request.get("AlgorithmSpecification") or {}).get("TrainingInputMode") or "File"
    config: dict[str, dict[str, str]] = {}
    host = hosts.hosts[position]
    for channel in request.get("InputDataConfig") or []:
        name = str(channel.get("ChannelName"))
        what = f"channel {name}"
        mode = channel.get("InputMode") or default_mode
        source = channel["DataSource"]["S3DataSource"]
        groups = source.get("InstanceGroupNames")
        takers = [item for item in hosts.hosts if not groups or item.group in groups]
        if host not in takers:
            continue
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        part = {"position": takers.index(host), "hosts": len(takers)} if sharded else {}
        data = work.opt_ml / "input" / "data"
        folder = (work.folder / _PIPED if mode == "Pipe" else data) / safe(name, what)
        if mode == "FastFile":
            work.note(f"{what}: FastFile is File here, all objects are copied first")
        count = fetch_source(source, folder, work.ports.objects, what, **part)
        work.note(f"{what}: {count} file(s) from {source['S3Uri']}")
        config[name] = {
            "TrainingInputMode": mode,
            "S3DistributionType": source.get("S3DataDistributionType") or "FullyReplicated",
            "RecordWrapperType": channel.get("RecordWrapperType") or "None",
        }
        if channel.get("ContentType"):
            config[name]["ContentType"] = channel["ContentType"]
    return config


def _piped(work: Work, request: Mapping[str, Any], modes: Mapping[str, Mapping[str, str]]) -> list[PipedChannel]:
    """``modes`` is inputdataconfig.json."""
    return [
        PipedChannel(
            name,
            sorted(path for path in (work.folder / _PIPED / name).rglob("*") if path.is_file()),
            zipped=channel.get("CompressionType") == "Gzip",
            records=channel.get("RecordWrapperType") == "RecordIO",
            seed=(channel.get("ShuffleConfig") or {}).get("Seed"),
        )
        for channel in request.get("InputDataConfig") or []
        if modes.get(name := str(channel.get("ChannelName")), {}).get("TrainingInputMode") == "Pipe"
    ]


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
        raise StepFailed(code_elsewhere(script.module_dir))
    program = code / safe(script.program, "sagemaker_program")
    if not program.is_file() and not is_package(script.program, code):
        there = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise StepFailed(f"sagemaker_program is {script.program!r}, but the code holds: {there}")
    if program.is_file() and not script.program.endswith(".py"):
        program.chmod(0o755)


def _fetch_checkpoints(work: Work, request: Mapping[str, Any]) -> list[Upload]:
    """Brings those of earlier jobs; answers what is to be stored while the new one runs."""
    config = request.get("CheckpointConfig")
    if not config:
        return []
    path = config.get("LocalPath") or "/opt/ml/checkpoints"
    folder = below_opt_ml(path, work.opt_ml, "CheckpointConfig.LocalPath")
    uri = config["S3Uri"]
    folder.mkdir(parents=True, exist_ok=True)
    below = f"{uri.rstrip('/')}/"
    if work.ports.objects.keys(below):
        fetch_source({"S3Uri": below}, folder, work.ports.objects, "CheckpointConfig")
    checkpoints = Upload(folder, work.opt_ml, below, work.ports.objects, mirror=True)
    checkpoints.known()
    return [checkpoints]


def _finish(
    hosts: Sequence[Work],
    request: Mapping[str, Any],
    job: Job,
    ended: Ended,
    late: str,
    finding: Finding | None,
) -> Outcome:
    metrics = final_metrics(
        compiled_metrics((request.get("AlgorithmSpecification") or {}).get("MetricDefinitions")),
        [work.log for work in hosts],
    )
    seconds = max(1, round((now() - job.began).total_seconds()))
    times = {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}  # no instance is cheaper here
    members: dict[str, Any] = {**times, "FinalMetricDataList": metrics or None}
    if finding is not None and (ended.stopped or _is_good(ended)):
        return _found(hosts, request, job, ended, finding, members)
    if ended.stopped:
        # It had its time to write what it has found so far, which the service keeps too.
        return job.ended("Stopped", ModelArtifacts=_publish(hosts, request, even_without_files=False), **members)
    if ended.timed_out:
        # The job itself ends as Stopped and keeps its model; the step has not done what it was to do.
        model = _publish(hosts, request, even_without_files=False)
        job.enters(_LATE[late])
        job.ended("Stopped", ModelArtifacts=model, **members)
        return job.outcome("Failed", f"it ran longer than {late} = {request['StoppingCondition'][late]}")
    if ended.exceeded is not None:
        return job.ended("Failed", failure_reason(ended, hosts), **members)
    if ended.code != 0:
        told = _failure(hosts[ended.host])
        return job.ended("Failed", told or failure_reason(ended, hosts), **members)
    job.enters("Uploading")
    return job.ended("Completed", ModelArtifacts=_publish(hosts, request), **members)


def _is_good(ended: Ended) -> bool:
    return ended.code == 0 and ended.exceeded is None and not ended.timed_out


def _found(
    hosts: Sequence[Work],
    request: Mapping[str, Any],
    job: Job,
    ended: Ended,
    finding: Finding,
    members: Mapping[str, Any],
) -> Outcome:
    """A training that a rule has stopped, or would have: its model is kept whatever becomes of the step."""
    job.enters("Uploading")
    model = _publish(hosts, request, even_without_files=not ended.stopped)
    reason: str | None = finding.told
    if finding.ruled.then == "keep":
        if model is not None:
            # The job was stopped, which is no failure of the step; what it has read of it is there.
            job.enters("Stopped" if ended.stopped else "Completed", finding.told)
            job.ended("Stopped" if ended.stopped else "Completed", ModelArtifacts=model, **members)
            return job.outcome("Succeeded")
        reason = f"{finding.told}; nothing was in /opt/ml/model that could be kept"
    job.enters("Stopped" if ended.stopped else "Failed", reason)
    job.ended("Stopped" if ended.stopped else "Failed", reason, ModelArtifacts=model, **members)
    return job.outcome("Failed", reason)


def _failure(work: Work) -> str | None:
    """What the script wrote into ``/opt/ml/output/failure``."""
    with left_in(work.opt_ml / "output", work.opt_ml) as output:
        raw = output.read("failure", 4 * REASON_LIMIT)
    return (raw or b"").decode("utf-8", errors="replace")[:REASON_LIMIT].strip() or None


def _publish(
    hosts: Sequence[Work], request: Mapping[str, Any], *, even_without_files: bool = True
) -> dict[str, str] | None:
    """Answers ModelArtifacts: the files of all hosts in one. Where two hosts have one of the same name the service
    documents nothing; here, as in the SDK's local mode, the later host's stays."""
    config = request["OutputDataConfig"]
    path = config["S3OutputPath"]
    target = f"{path.rstrip('/')}/{hosts[0].name}/output"
    packed = config.get("CompressionType") != "NONE"
    model = f"{target}/model.tar.gz" if packed else f"{target}/model/"
    with _left(hosts, "model") as folders:
        files = merged(folders)
        if not files:
            if not even_without_files:
                return None
            hosts[0].note("nothing was written to /opt/ml/model; the model archive is empty")
        _store(hosts, "model", files, model, packed)
    with _left(hosts, "output/data") as folders:
        if data := merged(folders):
            _store(hosts, "output/data", data, f"{target}/output.tar.gz" if packed else f"{target}/data/", packed)
    return {"S3ModelArtifacts": model}


@contextmanager
def _left(hosts: Sequence[Work], folder: str) -> Iterator[list[Folder]]:
    """One of each host."""
    with ExitStack() as open_folders:
        yield [open_folders.enter_context(left_in(work.opt_ml / folder, work.opt_ml)) for work in hosts]


def _store(hosts: Sequence[Work], folder: str, files: Mapping[str, Member], uri: str, packed: bool) -> None:
    if not packed:
        for work in hosts:
            upload(work.opt_ml / folder, work.opt_ml, uri, work.ports.objects)
        return
    work = hosts[0]
    archive = work.folder / "upload.tar.gz"
    pack(files, archive)
    with archive.open("rb") as file:
        work.ports.objects.put(content(file), uri)
    archive.unlink()
    work.note(f"{folder} to {uri}")

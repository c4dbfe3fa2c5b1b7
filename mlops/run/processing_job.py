"""A processing job as every action runs it that starts one: inputs to files, a command in a sandbox, outputs to S3 when
it has ended well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.knowledge.requirements import CODE_ARCHIVE, installed_by
from mlops.run.cluster import Cluster, cluster
from mlops.run.command import CommandTask, Ended, HostCommand, failure_reason, runtime_limit
from mlops.run.containers import Container
from mlops.run.images import interpreter_for, text_of
from mlops.run.job import Job
from mlops.run.limits import limits
from mlops.run.outcome import Outcome, StepFailed
from mlops.run.ports import Interpreter
from mlops.run.resolve import as_texts
from mlops.run.transfer import Upload, below_opt_ml, fetch_source, left_in, upload
from mlops.run.work import Work

_MESSAGE_LIMIT = 1024  # bytes of ExitMessage


def requested(work: Work) -> dict[str, Any]:
    """The CreateProcessingJob request with an environment of texts."""
    request = {**work.request}
    if "Environment" in request:
        request["Environment"] = as_texts(request["Environment"])
    return request


@dataclass(frozen=True, slots=True)
class Started:
    """What is started, beside what the request says. ``add`` puts more files before each host's command; ``variables``
    are of its environment alone. ``alone``: one host, however many are asked for. ``network`` where it has one in any
    case. ``image`` is the one that it would run in, None where the program is ours;
    ``container`` is one that runs it for real."""

    command: Sequence[str]
    add: Callable[[Work], None] = lambda work: None
    variables: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    network: bool = False
    image: object = None
    container: Container | None = None


def launch(work: Work, request: Mapping[str, Any], job: Job, started: Started) -> CommandTask:
    """Raises :class:`StepFailed`."""
    work.need_possible(request)
    config = (request.get("ProcessingResources") or {}).get("ClusterConfig") or {}
    hosts = cluster(work.name, {**config, "InstanceCount": 1} if started.alone else config)
    environment = {**request.get("Environment", {}), **started.variables}
    furnished = [
        _furnished(work.on(host.name), request, job, hosts, position, started, environment)
        for position, host in enumerate(hosts.hosts)
    ]
    planned = [
        HostCommand(
            work.on(host.name),
            started.command,
            environment,
            uploads=[
                Upload(output.folder, work.on(host.name).opt_ml, output.uri, work.ports.objects)
                for output in _outputs(work.on(host.name), request)
                if output.continuous
            ],
            limits=limits(config, host.instance, work.execution.memory_limit),
            python=python,
            container=started.container,
        )
        for host, python in zip(hosts.hosts, furnished, strict=True)
    ]
    return CommandTask(
        planned,
        hosts,
        network=started.network or not (request.get("NetworkConfig") or {}).get("EnableNetworkIsolation"),
        metadata=job.metadata,
        limit_seconds=runtime_limit(request),
        finish=lambda ended: job.finish(lambda: _finish([item.work for item in planned], request, job, ended)),
    )


def _furnished(
    work: Work,
    request: Mapping[str, Any],
    job: Job,
    hosts: Cluster,
    position: int,
    started: Started,
    environment: Mapping[str, str],
) -> Interpreter | None:
    """Puts all in place that the command of one host finds; answers the Python that it runs with. Raises
    :class:`StepFailed`."""
    (work.opt_ml / "output").mkdir(parents=True, exist_ok=True)
    _fetch_inputs(work, request, position, len(hosts.hosts))
    for output in _outputs(work, request):
        output.folder.mkdir(parents=True, exist_ok=True)
    _write_config(work, request, job, hosts, position)
    started.add(work)
    python = None
    if started.image is not None and started.container is None:
        python = interpreter_for(
            work,
            started.image,
            _installed(work, request, started.command),
            isolated=bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation")),
        )
    work.starting(started.command, environment, python=python)
    return python


def _installed(work: Work, request: Mapping[str, Any], command: Sequence[str]) -> str:
    """The requirements that a shell script installs before it starts the step's program, as the official SDK's does; no
    image of a processing job does so by itself."""
    listed = [item for item in request.get("ProcessingInputs") or [] if not item.get("AppManaged")]
    inputs = [item.get("S3Input") or item["DatasetDefinition"] for item in listed]
    folders = [below_opt_ml(item.get("LocalPath"), work.opt_ml, "an input") for item in inputs]
    for word in command:
        if word.startswith("/opt/ml/") and word.endswith(".sh"):
            script = below_opt_ml(word, work.opt_ml, "the entrypoint")
            name = installed_by(text_of(script.parent, script.name))
            if name is not None:
                return next((text for folder in folders if (text := text_of(folder, name, CODE_ARCHIVE))), "")
    return ""


def _fetch_inputs(work: Work, request: Mapping[str, Any], position: int, hosts: int) -> None:
    for item in request.get("ProcessingInputs") or []:
        what = f"input {item.get('InputName')}"
        if item.get("AppManaged"):
            continue
        source = item.get("S3Input")
        if source is None:
            source = _asked(work, item["DatasetDefinition"], position, what)
        target = below_opt_ml(source.get("LocalPath"), work.opt_ml, f"{what}: LocalPath")
        sharded = source.get("S3DataDistributionType") == "ShardedByS3Key"
        part = {"position": position, "hosts": hosts} if sharded else {}
        count = fetch_source(source, target, work.ports.objects, what, **part)
        work.note(f"{what}: {count} file(s) from {source['S3Uri']}")


def _asked(work: Work, definition: Mapping[str, Any], position: int, what: str) -> dict[str, Any]:
    """The rows of a DatasetDefinition, as an S3Input. The first host brings them for all of them."""
    from mlops.run.datasets import brought, place_of_rows  # few jobs ask for any

    folder = work.folder / "datasets"
    if position == 0:
        uri = brought(definition, work.ports.dataset, work.ports.objects, folder, what)
        work.note(f"{what}: rows of what stands for its database here")
    else:
        uri = place_of_rows(definition)
    return {
        "S3Uri": uri,
        "LocalPath": definition.get("LocalPath"),
        "S3DataDistributionType": definition.get("DataDistributionType"),
    }


@dataclass(frozen=True, slots=True)
class _Output:
    folder: Path
    uri: str
    continuous: bool


def _outputs(work: Work, request: Mapping[str, Any]) -> Iterator[_Output]:
    """Those that are ours to upload."""
    for item in (request.get("ProcessingOutputConfig") or {}).get("Outputs") or []:
        what = f"output {item.get('OutputName')}"
        if item.get("AppManaged"):
            continue
        target = item["S3Output"]
        folder = below_opt_ml(target.get("LocalPath"), work.opt_ml, f"{what}: LocalPath")
        yield _Output(folder, target["S3Uri"], target.get("S3UploadMode") == "Continuous")


def _write_config(work: Work, request: Mapping[str, Any], job: Job, hosts: Cluster, position: int) -> None:
    """The request with its ARN; unset entrypoint and arguments are null there."""
    specification = {"ContainerEntrypoint": None, "ContainerArguments": None, **request["AppSpecification"]}
    described = {
        "ProcessingJobArn": job.description["ProcessingJobArn"],
        **request,
        "ProcessingJobName": work.name,
        "AppSpecification": specification,
    }
    config = work.opt_ml / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "processingjobconfig.json").write_text(json.dumps(described), encoding="utf-8")
    resources = {"current_host": hosts.hosts[position].name, "hosts": hosts.names}
    (config / "resourceconfig.json").write_text(json.dumps(resources), encoding="utf-8")


def _finish(hosts: Sequence[Work], request: Mapping[str, Any], job: Job, ended: Ended) -> Outcome:
    told = [_exit_message(work) for work in hosts]
    message = _cut("".join(text for text in told if text)) or None
    if ended.stopped:
        return job.ended("Stopped", ExitMessage=message)
    if ended.timed_out:
        limit = runtime_limit(request)
        return job.ended("Failed", f"it ran longer than MaxRuntimeInSeconds = {limit:g}", ExitMessage=message)
    if ended.exceeded is not None:
        return job.ended("Failed", failure_reason(ended, hosts), ExitMessage=message)
    if ended.code != 0:
        own = told[ended.host]
        reason = f"exit code {ended.code}: {own}" if own else failure_reason(ended, hosts)
        return job.ended("Failed", reason, ExitMessage=message)
    for work in hosts:
        for output in _outputs(work, request):
            if not output.continuous:
                count = upload(output.folder, work.opt_ml, output.uri, work.ports.objects)
                work.note(f"{count} file(s) to {output.uri}")
    return job.ended("Completed", ExitMessage=message)


def _exit_message(work: Work) -> str | None:
    """What the script wrote into ``/opt/ml/output/message``. Raises StepFailed where it is not UTF-8; the service calls
    that a ClientError."""
    with left_in(work.opt_ml / "output", work.opt_ml) as output:
        raw = output.read("message", _MESSAGE_LIMIT + 4)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        if fault.start < _MESSAGE_LIMIT - 3:
            raise StepFailed("/opt/ml/output/message is not UTF-8") from fault
        text = raw[: fault.start].decode("utf-8")
    return _cut(text)


def _cut(text: str) -> str:
    return text.encode()[:_MESSAGE_LIMIT].decode("utf-8", errors="ignore")

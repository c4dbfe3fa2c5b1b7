"""What cannot run on this machine, told by a step's request: the run refuses by it, and checking tells it before.

A request may hold expressions: what only the execution decides is not judged. Whether a script or an object is there is
another question; this is about kinds of things.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias

from mlops.ir import Join, JsonGet, Ref, Unknown
from mlops.ir.dataclass import dataclass
from mlops.ir.function_arn import function_name
from mlops.ir.members import get
from mlops.ir.script_mode import is_program
from mlops.knowledge import datasets, distributions, notebook_jobs
from mlops.knowledge.algorithm_images import built_in
from mlops.knowledge.container_engine import HELP, is_contained, is_own, lacking, of_amazon
from mlops.knowledge.elsewhere import cannot_run
from mlops.knowledge.framework_images import needs_script, serves_itself
from mlops.knowledge.monitor_images import program_here
from mlops.knowledge.programs import missing_program

if TYPE_CHECKING:
    from mlops.knowledge.algorithms import Algorithm

_LATER = (Ref, Join, JsonGet, Unknown)
"""Decided by the execution."""

_Request: TypeAlias = Mapping[str, Any]
_Member: TypeAlias = tuple[str | int, ...]


NO_FIFO = "FIFO queues are not kept by the local account; a standard one, without .fifo in its name, is"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``member`` is the place in the request."""

    member: _Member
    message: str


def of_step(type_: str, action: str | None, request: Any) -> Iterator[Obstacle]:
    """``type_`` is the step's Type as written, ``action`` what runs it here."""
    if action is None:
        yield Obstacle((), cannot_run(type_))
    elif action in _JUDGES and isinstance(request, Mapping):
        yield from _JUDGES[action](request)


def algorithm_here(image: Any) -> str | None:
    """The built-in algorithm of an image, where it runs on this machine."""
    found = built_in(image) if isinstance(image, str) else None
    return found.algorithm.name if found is not None and found.algorithm.here is not None else None


def of_images(containers: Sequence[_Request]) -> Iterator[Obstacle]:
    """Of whatever asks them. A ``member`` begins with the number of the container."""
    for number, container in enumerate(containers):
        image = container.get("Image")
        if not isinstance(image, str):
            continue
        found, at = built_in(image), (number, "Image")
        if is_contained(image):
            yield from _contained(image, at)
        elif found is not None and found.algorithm.here is not None:
            yield from (Obstacle(at, message) for message in _missing(found.algorithm))
        elif found is not None:
            yield Obstacle(at, f"the image {image} brings its own algorithm, which cannot be served on this machine")
        elif serves_itself(image):
            yield Obstacle(at, f"the image {image} brings its own model server, which cannot run on this machine")


def is_fifo(queue: str) -> bool:
    """By the name of a queue, or its URL."""
    return queue.endswith(".fifo")


def missing_function(arn: str) -> str:
    """What is said where a Lambda step's function is not here.

    >>> missing_function("arn:aws:lambda:us-east-1:000000000000:function:gate:2")
    'there is no function gate here: name its source in mlops.toml under [env.local.functions], \
e.g. gate = "functions/gate.py:handler"'
    """
    name = function_name(arn)
    message = f"there is no function {name} here: name its source in mlops.toml under [env.local.functions]"
    return f'{message}, e.g. {name} = "functions/{name}.py:handler"'


def of_containers(containers: Sequence[_Request], mode: Any) -> Iterator[Obstacle]:
    """Of a model that a transform job is to ask here; ``mode`` is that of its InferenceExecutionConfig. A ``member``
    begins with the number of the container."""
    if len(containers) > 1 and mode == "Direct":
        message = "containers that are invoked one by one (Mode Direct) cannot be served to a transform job here"
        yield Obstacle((), message)
    yield from of_images(containers)
    for number, container in enumerate(containers):
        if container.get("Mode") == "MultiModel":
            yield Obstacle((number, "Mode"), "a MultiModel container cannot be served to a transform job")


def _processing(request: _Request) -> Iterator[Obstacle]:
    place = ("AppSpecification", "ContainerEntrypoint")
    image = get(request, "AppSpecification", "ImageUri")
    if is_contained(image):
        yield from _contained(str(image), ("AppSpecification", "ImageUri"))
        yield from _one_host(get(request, "ProcessingResources", "ClusterConfig"), ("ProcessingResources",))
        yield from _processed(request)
        return
    ours = program_here(image)
    if not get(request, *place) and ours is None and not _is_later(request.get("AppSpecification")):
        yield Obstacle(place, _own_entrypoint(image))
    yield from _entrypoint(get(request, *place), place, request.get("Environment"))
    cluster = ("ProcessingResources", "ClusterConfig")
    yield from _hosts(get(request, *cluster), cluster)
    yield from _processed(request)


def _own_entrypoint(image: Any) -> str:
    title = of_amazon(image) if isinstance(image, str) else None
    if title is not None:
        return f"{title} works by a program of its image, which is Amazon's and not here"
    message = "the image's own entrypoint cannot run here: give AppSpecification.ContainerEntrypoint"
    return f"{message}{HELP if is_own(image) else ''}"


def _check(request: _Request) -> Iterator[Obstacle]:
    """What runs is ours, whatever the image."""
    place = ("Environment", "dataset_format")
    text = get(request, *place)
    if isinstance(text, str) and "sagemakerCaptureJson" in text:
        yield Obstacle(
            place, "captured requests cannot be read by a check on this machine yet: only csv, json, parquet"
        )
    yield from _processed(request)


def _processed(request: _Request) -> Iterator[Obstacle]:
    at: _Member
    for index, item in _listed(request, "ProcessingInputs"):
        at, what = ("ProcessingInputs", index), f"input {item.get('InputName')}"
        source = item.get("S3Input")
        if _is_later(source) or item.get("AppManaged"):
            continue
        if item.get("DatasetDefinition") is not None and source is None:
            yield from _dataset(item["DatasetDefinition"], (*at, "DatasetDefinition"), what)
            continue
        if not isinstance(source, Mapping):
            yield Obstacle(at, f"{what}: only an S3Input or a DatasetDefinition can be read on this machine")
            continue
        at = (*at, "S3Input")
        if source.get("S3InputMode") == "Pipe":
            message = f"{what}: S3InputMode Pipe cannot run on this machine yet, use File"
            yield Obstacle((*at, "S3InputMode"), message)
        yield from _source(source, at, what)
        yield from _folder(source.get("LocalPath"), (*at, "LocalPath"), what)
    for index, item in _listed(request, "ProcessingOutputConfig", "Outputs"):
        at, what = ("ProcessingOutputConfig", "Outputs", index), f"output {item.get('OutputName')}"
        target = item.get("S3Output")
        if _is_later(target) or item.get("AppManaged"):
            continue
        if not isinstance(target, Mapping):
            yield Obstacle(at, f"{what}: only an S3Output can be written on this machine yet")
            continue
        yield from _folder(target.get("LocalPath"), (*at, "S3Output", "LocalPath"), what)
        yield from _place(target.get("S3Uri"), (*at, "S3Output", "S3Uri"), f"{what}: S3Uri")


def _dataset(definition: Any, at: _Member, what: str) -> Iterator[Obstacle]:
    """Whether something stands for its database is asked of whoever knows."""
    if _is_later(definition):
        return
    found = datasets.asked(definition)
    if found is None:
        yield Obstacle(at, f"{what}: {datasets.NEITHER}")
    else:
        member = datasets.ATHENA if found.service == "Athena" else datasets.REDSHIFT
        for name, said in datasets.unwritable(found):
            yield Obstacle((*at, member, name), f"{what}: {said}")
        yield from _place(found.settings.get("OutputS3Uri"), (*at, member, "OutputS3Uri"), f"{what}: OutputS3Uri")
    if get(definition, "InputMode") == "Pipe":
        message = f"{what}: InputMode Pipe cannot run on this machine yet, use File"
        yield Obstacle((*at, "InputMode"), message)
    yield from _folder(get(definition, "LocalPath"), (*at, "LocalPath"), what)


def _training(request: _Request) -> Iterator[Obstacle]:
    yield from _program(request)
    yield from _hosts(request.get("ResourceConfig"), ("ResourceConfig",))
    at: _Member
    for index, channel in _listed(request, "InputDataConfig"):
        at, what = ("InputDataConfig", index, "DataSource"), f"channel {channel.get('ChannelName')}"
        holder = channel.get("DataSource")
        source = get(holder, "S3DataSource")
        if _is_later(holder) or _is_later(source):
            continue
        if not isinstance(source, Mapping):
            yield Obstacle(at, f"{what}: only an S3DataSource can be read on this machine yet")
            continue
        yield from _source(source, (*at, "S3DataSource"), what)
    checkpoints = request.get("CheckpointConfig")
    if isinstance(checkpoints, Mapping) and checkpoints:
        at = ("CheckpointConfig",)
        yield from _place(checkpoints.get("S3Uri"), (*at, "S3Uri"), "CheckpointConfig.S3Uri")
        path = checkpoints.get("LocalPath") or "/opt/ml/checkpoints"
        yield from _folder(path, (*at, "LocalPath"), "CheckpointConfig")
    target = get(request, "OutputDataConfig", "S3OutputPath")
    if not _is_later(request.get("OutputDataConfig")):
        yield from _place(target, ("OutputDataConfig", "S3OutputPath"), "OutputDataConfig.S3OutputPath")


def _program(request: _Request) -> Iterator[Obstacle]:
    """A script or a command has to be there: no image is run."""
    algorithm, values, environment = (
        request.get(name) or {} for name in ("AlgorithmSpecification", "HyperParameters", "Environment")
    )
    entrypoint = get(algorithm, "ContainerEntrypoint")
    if any(_is_later(item) for item in (algorithm, values, environment)):
        return
    own = get(algorithm, "TrainingImage")
    if is_contained(own) and (entrypoint or not _names_a_script(values, environment)):
        yield from _contained(str(own), ("AlgorithmSpecification", "TrainingImage"))
        yield from _one_host(request.get("ResourceConfig"), ("ResourceConfig",))
        return
    if entrypoint:
        yield from _entrypoint(entrypoint, ("AlgorithmSpecification", "ContainerEntrypoint"), environment)
        return
    if request.get("ServerlessJobConfig"):
        message = "a serverless job (ServerlessJobConfig) works on the service's own models, which are not here"
        yield Obstacle(("ServerlessJobConfig",), message)
        return
    program = get(environment, "SAGEMAKER_PROGRAM") or get(values, "sagemaker_program")
    if isinstance(program, str) and program.strip('"'):
        name = program.strip('"')
        if not is_program(name):
            message = (
                f"sagemaker_program is {name!r}; the training toolkit takes only a relative path of letters, digits "
                "and . _ + - / inside the code"
            )
            yield Obstacle(("HyperParameters", "sagemaker_program"), message)
        yield from _code(values)
        yield from _distributed(values, name)
        return
    image = get(algorithm, "TrainingImage")
    if program or _is_later(image):
        return
    named = get(algorithm, "AlgorithmName")
    if image is None and named is not None:
        if not _is_later(named):
            message = f"the algorithm {named} lies in an account of AWS, and none is here: give its TrainingImage"
            yield Obstacle(("AlgorithmSpecification", "AlgorithmName"), message)
        return
    found = built_in(str(image))
    if found is not None and found.algorithm.here is not None:
        at = ("AlgorithmSpecification", "TrainingImage")
        yield from (Obstacle(at, message) for message in _missing(found.algorithm))
        count = _instances(request.get("ResourceConfig"))
        if count > 1 and not found.algorithm.hosts_here:
            message = f"{found.algorithm.title} runs here on one instance, and is to run on {count}"
            yield Obstacle(("ResourceConfig",), message)
        return
    if found is not None:
        message = (
            f"{found.algorithm.title} is an algorithm of Amazon's image {image}, and nothing here does what it does"
        )
        yield Obstacle(("AlgorithmSpecification", "TrainingImage"), message)
        return
    why = (
        "has no algorithm of its own, so nothing runs"
        if needs_script(str(image))
        else "brings its own algorithm, which cannot run on this machine"
    )
    yield Obstacle(
        ("AlgorithmSpecification",),
        f"the image {image} {why}: give a script (hyperparameters sagemaker_program and sagemaker_submit_directory) or "
        f"AlgorithmSpecification.ContainerEntrypoint{HELP if is_own(image) else ''}",
    )


def code_elsewhere(folder: str) -> str:
    return f"sagemaker_submit_directory is {folder!r}; on this machine it is to be an s3:// URI"


def _code(values: Any) -> Iterator[Obstacle]:
    folder = get(values, "sagemaker_submit_directory")
    plain = folder.strip('"') if isinstance(folder, str) else "s3://"
    if not plain.startswith("s3://") and plain.rstrip("/") != "/opt/ml/code":
        yield Obstacle(("HyperParameters", "sagemaker_submit_directory"), code_elsewhere(plain))


def _distributed(values: Any, program: str) -> Iterator[Obstacle]:
    """What the toolkit would have to start beside the script."""
    on = {name for name, value in (values or {}).items() if value is True or str(value).strip('"').lower() == "true"}
    at = ("HyperParameters",)
    unable = [flag for flag in distributions.OF_IMAGES if flag in on]
    if unable:
        yield Obstacle((*at, unable[0]), distributions.of_images(unable[0]))
    elif distributions.TORCH in on and not program.endswith(".py") and "." in program:
        yield Obstacle((*at, "sagemaker_program"), distributions.no_script(program))
    elif distributions.TORCH in on and not distributions.has_torchrun():
        yield Obstacle((*at, distributions.TORCH), distributions.NO_TORCHRUN)


def _hosts(config: Any, at: _Member) -> Iterator[Obstacle]:
    groups = get(config, "InstanceGroups")
    counts = [get(group, "InstanceCount") for group in groups] if isinstance(groups, list | tuple) else []
    known = [count for count in counts or [get(config, "InstanceCount")] if isinstance(count, int)]
    if sum(known) > distributions.MOST_HOSTS:
        yield Obstacle((*at, "InstanceCount"), distributions.too_many(max(known)))


def _entrypoint(words: Any, at: _Member, environment: Any) -> Iterator[Obstacle]:
    """A command that only its image has; nobody knows where a PATH of the step's own leads."""
    first = words[0] if isinstance(words, list | tuple) and words else None
    if not isinstance(first, str) or get(environment, "PATH") is not None or _is_later(environment):
        return
    if first == notebook_jobs.SCHEDULER:
        if lacking := notebook_jobs.missing_here():
            message = f"a notebook job needs {' and '.join(lacking)} here: `pip install {' '.join(lacking)}`"
            yield Obstacle(at, message)
    elif (missing := missing_program(first)) is not None:
        yield Obstacle(at, missing)


def _inference_component(request: _Request) -> Iterator[Obstacle]:
    specification = request.get("Specification")
    base = get(specification, "BaseInferenceComponentName")
    if base is not None:
        adapted = base if isinstance(base, str) else "of another step"
        message = (
            f"it adapts the component {adapted}: how an adapter is put into a model that runs is known to "
            "containers of LLMs alone, which are not here; give it a model of its own (ModelName)"
        )
        yield Obstacle(("Specification", "BaseInferenceComponentName"), message)
    if request.get("Specifications") is not None:
        message = (
            "Specifications choose by the type of an instance, and there is one machine here: give a Specification"
        )
        yield Obstacle(("Specifications",), message)
    container = get(specification, "Container")
    if isinstance(container, Mapping):
        at = ("Specification", "Container")
        yield from (Obstacle((*at, *found.member[1:]), found.message) for found in of_images([container]))


def _names_a_script(values: Any, environment: Any) -> bool:
    return bool(get(environment, "SAGEMAKER_PROGRAM") or get(values, "sagemaker_program"))


def _contained(image: str, at: _Member) -> Iterator[Obstacle]:
    if (why := lacking(image)) is not None:
        yield Obstacle(at, why)


def _one_host(resources: Any, at: _Member) -> Iterator[Obstacle]:
    count = _instances(resources)
    if count > 1:
        yield Obstacle(at, f"a container runs here on one instance, and this job is to run on {count}")


def _missing(algorithm: Algorithm) -> Iterator[str]:
    words = [word for module, word in (algorithm.here or {}).items() if find_spec(module) is None]
    if words:
        yield (
            f"{algorithm.title} runs here with {' and '.join(words)}, which is not installed: python -m pip install "
            f"{shlex.join(words)} into the environment that runs mlops"
        )


def _instances(resources: Any) -> int:
    """0 where that is decided later."""
    groups = get(resources, "InstanceGroups")
    counts = [get(group, "InstanceCount") for group in groups] if isinstance(groups, list | tuple) else []
    return sum(count for count in (get(resources, "InstanceCount"), *counts) if isinstance(count, int))


def _transform(request: _Request) -> Iterator[Obstacle]:
    split = get(request, "TransformInput", "SplitType") or "None"
    if isinstance(split, str) and split not in ("None", "Line"):
        message = f"TransformInput.SplitType {split} cannot run on this machine yet, use Line or None"
        yield Obstacle(("TransformInput", "SplitType"), message)
    at = ("TransformInput", "DataSource", "S3DataSource")
    source = get(request, *at)
    kind = get(source, "S3DataType") or "S3Prefix"
    if isinstance(kind, str) and kind != "S3Prefix":
        yield Obstacle((*at, "S3DataType"), f"TransformInput: S3DataType {kind} cannot be read on this machine yet")
    if not _is_later(source):
        yield from _place(get(source, "S3Uri"), (*at, "S3Uri"), "TransformInput: S3Uri")
    target = ("TransformOutput", "S3OutputPath")
    yield from _place(get(request, *target), target, ".".join(target))


_SEVERAL = "TrainingJobDefinitions"


def _tuning(request: _Request) -> Iterator[Obstacle]:
    """Each of its training jobs, with the hyperparameters that are not tuned."""
    one, several = request.get("TrainingJobDefinition"), request.get(_SEVERAL)
    listed: list[tuple[_Member, Any]] = [(("TrainingJobDefinition",), one)]
    listed += [((_SEVERAL, number), item) for number, item in _listed(request, _SEVERAL)]
    for at, definition in listed:
        if isinstance(definition, Mapping):
            static = definition.get("StaticHyperParameters")
            job = {**definition, **({} if static is None else {"HyperParameters": static})}
            for obstacle in _training(job):
                member = ("StaticHyperParameters", *obstacle.member[1:])
                place = member if obstacle.member[:1] == ("HyperParameters",) else obstacle.member
                yield Obstacle((*at, *place), obstacle.message)
    if not one and not several:
        yield Obstacle((), "the tuning job has neither a TrainingJobDefinition nor several")


_JUDGES: Mapping[str, Callable[[_Request], Iterator[Obstacle]]] = {
    "check": _check,
    "inference_component": _inference_component,
    "processing": _processing,
    "training": _training,
    "tuning": _tuning,
    "transform": _transform,
}


def _source(source: _Request, at: _Member, what: str) -> Iterator[Obstacle]:
    kind = source.get("S3DataType") or "S3Prefix"
    if isinstance(kind, str) and kind not in ("S3Prefix", "ManifestFile"):
        yield Obstacle((*at, "S3DataType"), f"{what}: S3DataType {kind} cannot be read on this machine yet")
    uri = source.get("S3Uri")
    if not _is_later(uri) and not (isinstance(uri, str) and uri.startswith("s3://")):
        message = f"{what}: S3Uri is {uri!r}, not an s3:// URI; -p gives a parameter a file of yours"
        yield Obstacle((*at, "S3Uri"), message)


def _place(uri: Any, at: _Member, what: str) -> Iterator[Obstacle]:
    if not _is_later(uri) and not (isinstance(uri, str) and uri.startswith("s3://")):
        yield Obstacle(at, f"{what} is {uri!r}, not an s3:// URI")


def _folder(path: Any, at: _Member, what: str) -> Iterator[Obstacle]:
    if _is_later(path):
        return
    wanted = PurePosixPath(str(path))
    if not wanted.is_relative_to("/opt/ml") or ".." in wanted.parts:
        yield Obstacle(at, f"{what}: LocalPath is {path!r}; a local path is to be under /opt/ml/")


def _listed(request: _Request, *members: str) -> Iterator[tuple[int, _Request]]:
    listed = get(request, *members)
    for index, item in enumerate(listed if isinstance(listed, list | tuple) else ()):
        if isinstance(item, Mapping):
            yield index, item


def _is_later(value: Any) -> bool:
    return isinstance(value, _LATER)

"""Models, model packages and their containers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject, entries, get
from mlops.ir import Placed, Ref, Severity, Unknown, Value
from mlops.ir.values import pointer


def _containers(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for placed, arguments in subject.of_type("Model"):
        primary = arguments.get("PrimaryContainer")
        start = f"{placed.pointer}/Arguments"
        if isinstance(primary, Mapping):
            yield f"{start}/PrimaryContainer", primary, placed
        for at, item in entries(arguments, "Containers"):
            yield start + at, item, placed


@rule("X740", "model-containers", Severity.ERROR, source="CreateModel API: PrimaryContainer or Containers")
def model_containers(subject: Subject) -> Iterator[Fault]:
    """A model has one PrimaryContainer or a list of Containers: one of both forms.

    Bad:  {"PrimaryContainer": {...}, "Containers": [{...}]}
    Good: {"PrimaryContainer": {...}}
    """
    for placed, arguments in subject.of_type("Model"):
        at = f"{placed.pointer}/Arguments"
        given = [name for name in ("PrimaryContainer", "Containers") if arguments.get(name) is not None]
        if len(given) == 2:
            yield Fault(f"{at}/Containers", "PrimaryContainer and Containers exclude each other", "keep one", placed)
        elif not given:
            yield Fault(f"{at}/PrimaryContainer", "the model has no container", "add PrimaryContainer", placed)


@rule("X741", "container-source", Severity.ERROR, source="CreateModel API: ContainerDefinition")
def container_source(subject: Subject) -> Iterator[Fault]:
    """A container has an Image or a ModelPackageName, and its data by ModelDataUrl or ModelDataSource, not by both.

    Bad:  {"ModelDataUrl": "s3://acme/model.tar.gz"}
    Good: {"Image": "...", "ModelDataUrl": "s3://acme/model.tar.gz"}
    """
    for at, container, placed in _containers(subject):
        if container.get("Image") is None and container.get("ModelPackageName") is None:
            yield Fault(f"{at}/Image", "the container has neither Image nor ModelPackageName", "add one", placed)
        if container.get("ModelDataUrl") is not None and container.get("ModelDataSource") is not None:
            message = "ModelDataUrl and ModelDataSource exclude each other"
            yield Fault(f"{at}/ModelDataUrl", message, "keep one of them", placed)


@rule("X742", "container-hostnames", Severity.ERROR, source="CreateModel API: ContainerHostname")
def container_hostnames(subject: Subject) -> Iterator[Fault]:
    """The containers of an inference pipeline all have a ContainerHostname, or none has; the names differ.

    Bad:  one container with "ContainerHostname", one without
    Good: both with one
    """
    for placed, arguments in subject.of_type("Model"):
        found = list(entries(arguments, "Containers"))
        names = [item.get("ContainerHostname") for _, item in found]
        counts = Counter(name for name in names if isinstance(name, str))
        start = f"{placed.pointer}/Arguments"
        if len(found) > 1 and any(name is None for name in names) and any(name is not None for name in names):
            at = next(at for at, item in found if item.get("ContainerHostname") is None)
            message = "this container has no ContainerHostname, others have"
            yield Fault(f"{start}{at}/ContainerHostname", message, "name all or none", placed)
        seen: set[str] = set()
        for (at, _), name in zip(found, names, strict=True):
            if isinstance(name, str) and counts[name] > 1 and name in seen:
                yield Fault(f"{start}{at}/ContainerHostname", f"two containers are named {name!r}", None, placed)
            if isinstance(name, str):
                seen.add(name)


@rule(
    "X743",
    "serial-mode-alone",
    Severity.WARNING,
    source="CreateModel API: InferenceExecutionConfig is for several containers",
)
def serial_mode_alone(subject: Subject) -> Iterator[Fault]:
    """InferenceExecutionConfig says how several containers are called, and this model has one.

    Bad:  {"PrimaryContainer": {...}, "InferenceExecutionConfig": {"Mode": "Serial"}}
    Good: {"PrimaryContainer": {...}}
    """
    for placed, arguments in subject.of_type("Model"):
        if "InferenceExecutionConfig" in arguments and "PrimaryContainer" in arguments:
            at = f"{placed.pointer}/Arguments/InferenceExecutionConfig"
            yield Fault(at, "a single container needs no execution mode", "remove it", placed)


@rule("X744", "model-archive", Severity.WARNING, source="AWS docs: ModelDataUrl is one gzipped tar")
def model_archive(subject: Subject) -> Iterator[Fault]:
    """ModelDataUrl is something else than a .tar.gz, and the container is not multi-model.

    Bad:  "ModelDataUrl": "s3://acme/model.zip"
    Good: "ModelDataUrl": "s3://acme/model.tar.gz"
    """
    for at, container, placed in _containers(subject):
        url = container.get("ModelDataUrl")
        last = url.rpartition("/")[2] if isinstance(url, str) else ""
        if "." in last and not last.endswith((".tar.gz", ".tgz")) and container.get("Mode") != "MultiModel":
            yield Fault(f"{at}/ModelDataUrl", f"{shown(last)} is no .tar.gz", "pack it, or use ModelDataSource", placed)


@rule("X745", "private-registry-without-vpc", Severity.ERROR, source="CreateModel API: RepositoryAccessMode Vpc")
def private_registry_without_vpc(subject: Subject) -> Iterator[Fault]:
    """A container's image comes from a private registry inside a VPC, and the model has no VpcConfig.

    Bad:  "ImageConfig": {"RepositoryAccessMode": "Vpc"} without VpcConfig
    Good: the same with VpcConfig
    """
    for at, container, placed in _containers(subject):
        private = get(container, "ImageConfig", "RepositoryAccessMode") == "Vpc"
        if private and get(placed.step.arguments, "VpcConfig") is None:
            yield Fault(f"{at}/ImageConfig", "a private registry wants VpcConfig", "add VpcConfig", placed)


_LEFT_OUT: Mapping[str, Mapping[str, Severity]] = {
    "RegisterModel": {"ModelPackageName": Severity.ERROR, "CertifyForMarketplace": Severity.WARNING},
    "AutoML": {"ModelDeployConfig": Severity.ERROR, "GenerateCandidateDefinitionsOnly": Severity.WARNING},
}


@rule(
    "X746",
    "excluded-argument",
    Severity.ERROR,
    source="official SDK removes these members before it writes a definition",
)
def excluded_argument(subject: Subject) -> Iterator[Fault]:
    """A member of the request that a pipeline step may not have. Where the service may ignore it, it is a warning.

    Bad:  RegisterModel with ModelPackageName
    Good: RegisterModel with ModelPackageGroupName
    """
    for kind, members in _LEFT_OUT.items():
        for placed, arguments in subject.of_type(kind):
            for name, severity in members.items():
                if name in arguments and not isinstance(arguments[name], Unknown):
                    at = f"{placed.pointer}/Arguments{pointer(name)}"
                    yield Fault(at, f"a {kind} step has no {name}", "remove it", placed, severity=severity)


@rule(
    "X747",
    "additional-model-data",
    Severity.WARNING,
    source="'Unknown Argument member AdditionalModelDataSources' (sdk#4994, 2025)",
)
def additional_model_data(subject: Subject) -> Iterator[Fault]:
    """A container with AdditionalModelDataSources, which the pipeline service was seen to refuse.

    Bad:  "AdditionalModelDataSources": [...]
    Good: everything in one archive
    """
    for at, container, placed in _containers(subject):
        if "AdditionalModelDataSources" in container:
            where = f"{at}/AdditionalModelDataSources"
            yield Fault(where, "pipelines were seen to refuse this member", "put all into one archive", placed)


@rule("X748", "group-for-version", Severity.WARNING, source="CreateModel API: ContainerDefinition.ModelPackageName")
def group_for_version(subject: Subject) -> Iterator[Fault]:
    """A container's ModelPackageName names a group, not one of its versions.

    Bad:  "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/churn"
    Good: "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/7"
    """
    for at, container, placed in _containers(subject):
        found = container.get("ModelPackageName")
        text = literal(subject, found)
        if isinstance(text, str) and ":model-package-group/" in text:
            where, owner = f"{at}/ModelPackageName", None
            path = found.path if isinstance(found, Ref) else None
            if path is not None:
                declared = subject.parameters[path.name]
                where, owner = f"{declared.at}/DefaultValue", declared.parameter.where
            yield Fault(where, f"{shown(text)} is a group, a version is wanted", "append /<number>", placed, owner)

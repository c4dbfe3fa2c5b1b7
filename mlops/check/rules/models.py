"""Models, model packages and their containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import fold, literal
from mlops.check.members import entries
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Join, Placed, Ref, Severity, Unknown, Value
from mlops.ir.members import get
from mlops.ir.values import pointer


def _served(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    """The containers of models."""
    return ((found.at, found.settings, found.placed) for found in subject.containers if found.job is None)


def _registered(subject: Subject) -> Iterator[tuple[str, Mapping[str, Value], Placed]]:
    for placed, arguments in subject.of_type("RegisterModel"):
        start = f"{placed.pointer}/Arguments"
        for at, item in entries(arguments, "InferenceSpecification", "Containers"):
            yield start + at, item, placed
        for where, specification in entries(arguments, "AdditionalInferenceSpecifications"):
            for at, item in entries(specification, "Containers"):
                yield start + where + at, item, placed


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
        elif arguments.get("Containers") == ():
            yield Fault(f"{at}/Containers", "Containers is empty", "add a container", placed)


@rule("X741", "container-source", Severity.ERROR, source="CreateModel API: ContainerDefinition")
def container_source(subject: Subject) -> Iterator[Fault]:
    """A container has an Image or a ModelPackageName, not both, and its data by ModelDataUrl or ModelDataSource, not by
    both; an InferenceSpecificationName picks one of a model package's, so it wants one.

    Bad:  {"ModelDataUrl": "s3://acme/model.tar.gz"}
    Good: {"Image": "...", "ModelDataUrl": "s3://acme/model.tar.gz"}
    """
    for at, container, placed in _served(subject):
        if container.get("Image") is None and container.get("ModelPackageName") is None:
            yield Fault(f"{at}/Image", "the container has neither Image nor ModelPackageName", "add one", placed)
        elif container.get("Image") is not None and container.get("ModelPackageName") is not None:
            message = "the model package has an image of its own"
            yield Fault(f"{at}/Image", message, "keep Image or ModelPackageName", placed)
        if container.get("InferenceSpecificationName") is not None and container.get("ModelPackageName") is None:
            message = "InferenceSpecificationName names a part of a model package, and there is none"
            yield Fault(f"{at}/InferenceSpecificationName", message, "remove it, or add ModelPackageName", placed)
        if container.get("ModelDataUrl") is not None and container.get("ModelDataSource") is not None:
            message = "ModelDataUrl and ModelDataSource exclude each other"
            yield Fault(f"{at}/ModelDataUrl", message, "keep one of them", placed)


@rule(
    "X742",
    "container-hostnames",
    Severity.ERROR,
    source="CreateModel API: ContainerHostname; AWS docs: multi-container-create, 'required for each container'",
)
def container_hostnames(subject: Subject) -> Iterator[Fault]:
    """The containers of an inference pipeline all have a ContainerHostname, or none has; the names differ, in a
    registration too. Where callers choose the container (Mode Direct), each has one, and there are several.

    Bad:  one container with "ContainerHostname", one without
    Good: both with one
    """
    for placed, arguments in subject.of_type("Model"):
        found = list(entries(arguments, "Containers"))
        names = [item.get("ContainerHostname") for _, item in found]
        start = f"{placed.pointer}/Arguments"
        if len(found) > 1 and any(name is None for name in names) and any(name is not None for name in names):
            at = next(at for at, item in found if item.get("ContainerHostname") is None)
            message = "this container has no ContainerHostname, others have"
            yield Fault(f"{start}{at}/ContainerHostname", message, "name all or none", placed)
        elif found and get(arguments, "InferenceExecutionConfig", "Mode") == "Direct" and None in names:
            message = "Mode Direct calls a container by its ContainerHostname, and this one has none"
            where = f"{start}{found[names.index(None)][0]}/ContainerHostname"
            yield Fault(where, message, "name all of them", placed)
        if get(arguments, "InferenceExecutionConfig", "Mode") == "Direct" and len(found) < 2 and _are_all(arguments):
            message = "Mode Direct lets callers choose one of several containers, and this model has one"
            yield Fault(f"{start}/InferenceExecutionConfig/Mode", message, "remove the mode", placed)
        yield from _named_twice(start, found, placed)
    for placed, arguments in subject.of_type("RegisterModel"):
        found = list(entries(arguments, "InferenceSpecification", "Containers"))
        yield from _named_twice(f"{placed.pointer}/Arguments", found, placed)


def _named_twice(start: str, found: list[tuple[str, Mapping[str, Value]]], placed: Placed) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, item in found:
        name = item.get("ContainerHostname")
        if isinstance(name, str) and name in seen:
            yield Fault(
                f"{start}{at}/ContainerHostname", f"two containers are named {name!r}", "rename one of them", placed
            )
        if isinstance(name, str):
            seen.add(name)


def _are_all(arguments: Mapping[str, Value]) -> bool:
    """Whether all containers of a model are known."""
    listed = arguments.get("Containers", ())
    return isinstance(listed, tuple) and not any(isinstance(item, Unknown) for item in listed)


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
        alone = "InferenceExecutionConfig" in arguments and "PrimaryContainer" in arguments
        if alone and get(arguments, "InferenceExecutionConfig", "Mode") != "Direct":  # that is told as an error
            at = f"{placed.pointer}/Arguments/InferenceExecutionConfig"
            yield Fault(at, "a single container needs no execution mode", "remove it", placed)


@rule(
    "X744",
    "model-archive",
    Severity.WARNING,
    source="CreateModel API: 'must point to a single gzip compressed tar archive (.tar.gz suffix)' (ex#1026)",
)
def model_archive(subject: Subject) -> Iterator[Fault]:
    """ModelDataUrl is something else than a .tar.gz: a prefix, a file of another kind or suffix (.tgz), or (an error)
    the folder that another step writes; and the container is not multi-model. So is the ArtifactUrl of an inference
    component, or the SamplePayloadUrl of a registration.

    Bad:  "ModelDataUrl": "s3://acme/model/"
    Good: "ModelDataUrl": "s3://acme/model/model.tar.gz"
    """
    for at, container, placed in (*_served(subject), *_registered(subject)):
        if literal(subject, container.get("Mode")) != "MultiModel":
            what = _no_archive(subject, container.get("ModelDataUrl"))
            if what is not None:
                help_text = "pack it into one, or use ModelDataSource for what is not packed"
                severity = Severity.ERROR if what.endswith(_WRITTEN) else None
                message = f"{what}, and one .tar.gz is wanted"
                yield Fault(f"{at}/ModelDataUrl", message, help_text, placed, severity=severity)
    for placed, arguments in subject.of_type("InferenceComponent"):
        at = f"{placed.pointer}/Arguments"
        for where, item in (("/Specification", arguments.get("Specification")), *entries(arguments, "Specifications")):
            what = _no_archive(subject, get(item, "Container", "ArtifactUrl"))
            if what is not None:
                place = f"{at}{where}/Container/ArtifactUrl"
                yield Fault(place, f"{what}, and one .tar.gz is wanted", "pack it", placed)
    for placed, arguments in subject.of_type("RegisterModel"):
        # Examples of Amazon's give an object without any ending.
        url = fold(subject, arguments.get("SamplePayloadUrl"))
        what = _no_archive(subject, url) if url is not None and "." in url.rpartition("/")[2] else None
        if what is not None:
            place = f"{placed.pointer}/Arguments/SamplePayloadUrl"
            yield Fault(place, f"{what}, and one .tar.gz is wanted", "pack the samples", placed)


_ARCHIVE = ".tar.gz"
_WRITTEN = " writes a folder there"
_FOLDERS = (("S3OutputPath",), ("S3Output", "S3Uri"))
"""Members of jobs that name a folder that they write: what lies in it is not known by its name."""


def _no_archive(subject: Subject, url: Value) -> str | None:
    """What a place of model data is, where it is known to be no archive."""
    text = fold(subject, url)
    if text is None and isinstance(url, Join) and url.values and isinstance(url.values[-1], str):
        text = f"{url.on}{url.values[-1]}"  # only its end is known, and that is enough
    path = url.path if isinstance(url, Ref) else None
    if path is not None and path.root == "Steps" and (path.segments[-1:] in _FOLDERS or path.segments[-2:] in _FOLDERS):
        return f"{path.name!r}{_WRITTEN}"
    if text is None or text.endswith(_ARCHIVE):
        return None
    if text.endswith(".tgz"):
        return f"{shown(text.rpartition('/')[2])} has another suffix than the API asks for"
    if fold(subject, url) is not None and "/" not in text.rstrip("/").partition("://")[2]:
        return None  # no URI of an object at all: told of the URI
    if text.endswith("/"):
        return f"{shown(text)} is a folder"
    return f"{shown(text.rpartition('/')[2])} is no archive"


@rule("X745", "private-registry-without-vpc", Severity.ERROR, source="CreateModel API: RepositoryAccessMode Vpc")
def private_registry_without_vpc(subject: Subject) -> Iterator[Fault]:
    """A container's image comes from a private registry inside a VPC, and the model has no VpcConfig.

    Bad:  "ImageConfig": {"RepositoryAccessMode": "Vpc"} without VpcConfig
    Good: the same with VpcConfig
    """
    for at, container, placed in _served(subject):
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
    for at, container, placed in _served(subject):
        if "AdditionalModelDataSources" in container:
            where = f"{at}/AdditionalModelDataSources"
            yield Fault(where, "pipelines were seen to refuse this member", "put all into one archive", placed)


@rule("X748", "group-for-version", Severity.WARNING, source="CreateModel API: ContainerDefinition.ModelPackageName")
def group_for_version(subject: Subject) -> Iterator[Fault]:
    """A container's ModelPackageName names a group, not one of its versions.

    Bad:  "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/churn"
    Good: "arn:aws:sagemaker:eu-west-1:111122223333:model-package/churn/7"
    """
    for at, container, placed in _served(subject):
        found = container.get("ModelPackageName")
        text = literal(subject, found)
        if isinstance(text, str) and ":model-package-group/" in text:
            where, owner = f"{at}/ModelPackageName", None
            path = found.path if isinstance(found, Ref) else None
            if path is not None:
                declared = subject.parameters[path.name]
                where, owner = f"{declared.at}/DefaultValue", declared.parameter.where
            yield Fault(where, f"{shown(text)} is a group, a version is wanted", "append /<number>", placed, owner)


@rule(
    "X749",
    "registration-container",
    Severity.ERROR,
    source="CreateModelPackage API: ModelPackageContainerDefinition, and what is for versioned packages only",
)
def registration_container(subject: Subject) -> Iterator[Fault]:
    """A container of a registration says neither by an Image nor otherwise what serves the model; or a model package
    without a group has what only versions of a group have.

    Bad:  "Containers": [{"ModelDataUrl": "s3://acme/model.tar.gz"}]
    Good: "Containers": [{"Image": "...", "ModelDataUrl": "s3://acme/model.tar.gz"}]
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        start = f"{placed.pointer}/Arguments"
        specifications = [(f"{start}/InferenceSpecification", arguments.get("InferenceSpecification"))]
        for at, item in entries(arguments, "AdditionalInferenceSpecifications"):
            specifications.append((start + at, item))
        for where, specification in specifications:
            for at, container in entries(specification, "Containers"):
                if not any(container.get(name) is not None for name in ("Image", "BaseModel", "IsCheckpoint")):
                    yield Fault(f"{where}{at}/Image", "the container has no Image", "add the serving image", placed)
                if container.get("ModelDataUrl") is not None and container.get("ModelDataSource") is not None:
                    message = "ModelDataUrl and ModelDataSource exclude each other"
                    yield Fault(f"{where}{at}/ModelDataUrl", message, "keep one of them", placed)
                if "ModelPackageGroupName" not in arguments and container.get("Environment"):
                    message = "an unversioned model package takes no Environment"
                    help_text = "add ModelPackageGroupName, or remove the Environment"
                    yield Fault(f"{where}{at}/Environment", message, help_text, placed)


@rule(
    "X853",
    "bare-registration",
    Severity.WARNING,
    source="CreateModelPackage API; a package without content types cannot be deployed by those who read them",
)
def bare_registration(subject: Subject) -> Iterator[Fault]:
    """A registration without a model package group, without anything that says how the model is served (an error),
    with two ways to say it, or without the content types that the model takes and gives, or with what is none.

    Bad:  "InferenceSpecification": {"Containers": [...]}
    Good: the same with "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        at = f"{placed.pointer}/Arguments"
        if "ModelPackageGroupName" not in arguments and "ModelPackageName" not in arguments:
            message = "the model is registered in no group, so it has no versions and no approval"
            yield Fault(f"{at}/ModelPackageGroupName", message, "add ModelPackageGroupName", placed)
        if not any(arguments.get(name) is not None for name in _SERVED_BY):
            message = "nothing says how the model is served"
            where = f"{at}/InferenceSpecification"
            yield Fault(where, message, "add InferenceSpecification", placed, severity=Severity.ERROR)
        both = ("InferenceSpecification", "SourceAlgorithmSpecification")
        if all(arguments.get(name) is not None for name in both):
            message = "a version is made of containers or of an algorithm, and this one names both"
            yield Fault(f"{at}/{both[1]}", message, f"keep {both[0]} or this", placed)
        specification = arguments.get("InferenceSpecification")
        if isinstance(specification, Mapping) and not _is_base_model(specification):
            for name in ("SupportedContentTypes", "SupportedResponseMIMETypes"):
                if not specification.get(name):
                    message = f"{name} is missing, so nobody can tell what the model {_DOES[name]}"
                    yield Fault(f"{at}/InferenceSpecification/{name}", message, 'e.g. ["text/csv"]', placed)
            taken = specification.get("SupportedContentTypes")
            for index, kind in enumerate(taken if isinstance(taken, tuple) else ()):
                if isinstance(kind, str) and "/" not in kind and kind != "*":
                    where = f"{at}/InferenceSpecification/SupportedContentTypes/{index}"
                    yield Fault(where, f"{shown(kind)} is no content type", "e.g. text/csv", placed)


_SERVED_BY = ("InferenceSpecification", "SourceAlgorithmSpecification", "SourceUri", "ModelCard", "ManagedStorageType")
_DOES = {"SupportedContentTypes": "takes", "SupportedResponseMIMETypes": "answers"}


def _is_base_model(specification: Mapping[str, Value]) -> bool:
    return any(container.get("BaseModel") is not None for _, container in entries(specification, "Containers"))


@rule(
    "X854",
    "model-data-form",
    Severity.ERROR,
    source="CreateModel API: S3ModelDataSource; AWS docs: create-multi-model-endpoint; sagemaker-inference-toolkit",
)
def model_data_form(subject: Subject) -> Iterator[Fault]:
    """Model data of another form than the container is told: a prefix without a slash or to be unpacked, an archive
    where a multi-model container wants a prefix, or (a warning) SAGEMAKER_PROGRAM without SAGEMAKER_SUBMIT_DIRECTORY
    and without data that could hold the program.

    Bad:  "S3DataType": "S3Prefix", "S3Uri": "s3://acme/model"
    Good: "S3DataType": "S3Prefix", "S3Uri": "s3://acme/model/"
    """
    for at, container, placed in _served(subject):
        source = get(container, "ModelDataSource", "S3DataSource")
        uri, url = get(source, "S3Uri"), container.get("ModelDataUrl")
        where = f"{at}/ModelDataSource/S3DataSource/S3Uri"
        if get(source, "S3DataType") == "S3Prefix" and isinstance(uri, str) and not uri.endswith("/"):
            yield Fault(where, f"{shown(uri)} is no prefix, it does not end with /", "append /", placed)
        if get(source, "S3DataType") == "S3Object" and isinstance(uri, str) and uri.endswith("/"):
            yield Fault(where, f"{shown(uri)} is a prefix, one object is wanted", "name the object", placed)
        if get(source, "S3DataType") == "S3Prefix" and get(source, "CompressionType") == "Gzip":
            place = f"{at}/ModelDataSource/S3DataSource/CompressionType"
            help_text = "write None, or name the S3Object"
            message = "a prefix is not unpacked, one archive is"
            yield Fault(place, message, help_text, placed)
        if container.get("Mode") == "MultiModel" and isinstance(url, str) and url.endswith((".tar.gz", ".tgz")):
            message = "a multi-model container takes a prefix with many archives, this is one archive"
            yield Fault(f"{at}/ModelDataUrl", message, "give the prefix", placed)
        values = container.get("Environment")
        served = url is not None or container.get("ModelDataSource") is not None
        program = isinstance(values, Mapping) and "SAGEMAKER_PROGRAM" in values
        if program and not served and get(values, "SAGEMAKER_SUBMIT_DIRECTORY") is None:
            place = f"{at}/Environment/SAGEMAKER_SUBMIT_DIRECTORY"
            message = "SAGEMAKER_PROGRAM without SAGEMAKER_SUBMIT_DIRECTORY, and no model data that could hold it"
            yield Fault(place, message, "say where the program is", placed, severity=Severity.WARNING)

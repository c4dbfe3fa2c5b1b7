"""AWS's own images: for which machine, for which use, of which account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mlops.check import instances
from mlops.check.expressions import literal
from mlops.check.images import Image
from mlops.check.members import entries
from mlops.check.named_images import named_image
from mlops.check.nearest import Guess, did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.serving import machines_of
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity
from mlops.ir.choices import one_edit
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import ALGORITHM_ACCOUNTS
from mlops.knowledge.framework_images import PUBLISHED


@dataclass(frozen=True, slots=True)
class _Used:
    """An image that is known, where it stands, and the instance types that it runs on with their places."""

    at: str
    image: Image
    placed: Placed
    scope: str | None
    machines: tuple[tuple[str, str], ...]


def _used(subject: Subject) -> Iterator[_Used]:
    for container in subject.containers:
        image = named_image(subject, container.image)
        if image is None:
            continue
        if container.job is None:
            machines = machines_of(subject, container.placed)
        else:
            machines = [container.machine] if container.machine is not None else []
        kinds = ((machine.type_at, literal(subject, machine.type)) for machine in machines)
        known = tuple((at, kind) for at, kind in kinds if isinstance(kind, str))
        yield _Used(container.image_at, image, container.placed, _SCOPES.get(container.named), known)


_SCOPES = {"TrainingImage": "training", "Image": "inference"}
_SERVES = {
    "gpu": "a GPU",
    "neuron": "AWS Inferentia or Trainium",
    "cpu": "a CPU only",
    "graviton": "a Graviton processor",
}


@rule("X860", "image-for-another-processor", Severity.WARNING, source="tags of AWS's deep learning containers")
def image_for_another_processor(subject: Subject) -> Iterator[Fault]:
    """One of AWS's framework images on an instance with another processor than it is built for: what needs a GPU
    does not find one, or a GPU is paid for and never used. What cannot start at all, as x86 on Graviton, is an error.

    Bad:  "pytorch-training:2.3.0-gpu-py311-..." on ml.m5.xlarge
    Good: "pytorch-training:2.3.0-gpu-py311-..." on ml.g5.xlarge
    """
    for used in _used(subject):
        built = _built_for(used.image)
        for at, kind in used.machines if built else ():
            has = _processor(kind)
            if has is not None and has not in built:
                wanted = _SERVES[built[0]] if len(built) == 1 else "a processor of x86"
                message = f"{kind} has {_SERVES[has]}, and {_short(used.image)} is built for {wanted}"
                severity = Severity.ERROR if (has == "graviton") != (built == ("graviton",)) else None
                help_text = "choose another instance type, or the other image"
                yield Fault(at, message, help_text, used.placed, severity=severity)


@rule(
    "X866",
    "registered-for-another-processor",
    Severity.WARNING,
    source="tags of AWS's deep learning containers",
)
def registered_for_another_processor(subject: Subject) -> Iterator[Fault]:
    """A model package offers instance types that its image, one of AWS's, is not built for.

    Bad:  "SupportedTransformInstanceTypes": ["ml.m5.large"] with pytorch-inference:2.3.0-gpu-py311
    Good: "SupportedTransformInstanceTypes": ["ml.g5.xlarge"] with it
    """
    for placed, arguments in subject.of_type("RegisterModel"):
        specification = arguments.get("InferenceSpecification")
        images = [named_image(subject, item.get("Image")) for _, item in entries(specification, "Containers")]
        built = [(image, some) for image in images if image is not None and (some := _built_for(image))]
        for name in ("SupportedRealtimeInferenceInstanceTypes", "SupportedTransformInstanceTypes"):
            kinds = get(specification, name)
            for index, kind in enumerate(kinds if isinstance(kinds, tuple) else ()):
                has = _processor(kind) if isinstance(kind, str) else None
                wrong = next((image for image, some in built if has is not None and has not in some), None)
                if wrong is not None and has is not None:
                    where = f"{placed.pointer}/Arguments/InferenceSpecification/{name}/{index}"
                    message = f"{kind} has {_SERVES[has]}, and {_short(wrong)} is built for another machine"
                    yield Fault(where, message, "leave it out, or use the other image", placed)


def _processor(kind: str) -> str | None:
    return "graviton" if instances.is_graviton(kind) else instances.accelerator(kind)


def _built_for(image: Image) -> tuple[str, ...]:
    """Empty where it is no image of AWS's, or for more than its name tells."""
    if _is_arm(image):
        return ("graviton",)
    if image.processor is not None:
        return (image.processor,)
    is_one = image.repository in PUBLISHED and image.account in ALGORITHM_ACCOUNTS
    return ("cpu", "gpu") if is_one else ()


def _is_arm(image: Image) -> bool:
    return image.repository.endswith("-graviton") or "-arm64" in (image.tag or "")


def _short(image: Image) -> str:
    return f"{image.repository}:{image.tag}"


@rule("X861", "image-for-another-use", Severity.WARNING, source="names of AWS's deep learning containers")
def image_for_another_use(subject: Subject) -> Iterator[Fault]:
    """A training job runs one of AWS's inference images, or a model serves with a training image.

    Bad:  "TrainingImage": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311"
    Good: "TrainingImage": "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3.0-cpu-py311"
    """
    for used in _used(subject):
        if used.image.scope is not None and used.scope is not None and used.image.scope != used.scope:
            message = f"{used.image.repository} is an image for {used.image.scope}, this is for {used.scope}"
            help_text = f"use {used.image.repository.replace(used.image.scope, used.scope)}"
            yield Fault(used.at, message, help_text, used.placed)


@rule(
    "X862",
    "unpublished-framework-image",
    Severity.ERROR,
    source="official SDK's image_uri_config, where it is installed: versions, Python versions and accounts",
)
def unpublished_framework_image(subject: Subject) -> Iterator[Fault]:
    """One of AWS's framework images in a version or with a Python that was never published together; or one of those
    or of a built-in algorithm in the account that holds these images for another region. Only looked at where the
    official SDK, which has the lists, is installed.

    Bad:  ".../pytorch-training:2.3.0-cpu-py39-ubuntu20.04-sagemaker"
    Good: ".../pytorch-training:2.3.0-cpu-py311-ubuntu20.04-sagemaker"
    """
    for used in _used(subject):
        image = used.image
        file = _FILES.get(image.repository) or (image.framework if image.framework in _PLAIN else None)
        if file is None and image.account in ALGORITHM_ACCOUNTS and _NAME.fullmatch(image.repository):
            file = image.repository  # the data of a built-in algorithm are called like it
        if file is None:
            continue
        for fact in _published(file):
            if fact.repository != image.repository:
                continue
            wanted = fact.accounts.get(image.region)
            if wanted is not None and image.account != wanted and image.account in fact.accounts.values():
                message = f"account {image.account} holds {image.repository} for another region than {image.region}"
                yield Fault(used.at, message, f"use account {wanted}", used.placed)
                break
            if (
                image.python is not None
                and fact.version == image.version
                and not _is_listed(image.python, fact.pythons)
            ):
                message = f"{image.repository} {image.version} was never published with {image.python}"
                help_text = did_you_mean(image.python, fact.pythons) or f"use {', '.join(fact.pythons)}"
                yield Fault(used.at, message, help_text, used.placed)
                break


def _is_listed(python: str, pythons: tuple[str, ...]) -> bool:
    """The data list none for TensorFlow's serving images, whose tags name one, and py2 where tags have py27."""
    return not pythons or python in pythons or python[: len("py3")] in pythons


@rule(
    "X863",
    "misspelt-repository",
    Severity.ERROR,
    source="official SDK's image_uri_config: repositories in the accounts of Amazon's algorithms and frameworks",
)
def misspelt_repository(subject: Subject) -> Iterator[Fault]:
    """An image of an account of Amazon's, in a repository that is a letter beside the name of one that is there.

    Bad:  "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgbost:1.7-1"
    Good: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    """
    for used in _used(subject):
        image = used.image
        if image.account not in ALGORITHM_ACCOUNTS or image.framework is not None or image.repository in FRAMEWORKS:
            continue
        known = _repositories()
        meant = (
            None if image.repository in known else next((it for it in one_edit(image.repository) if it in known), None)
        )
        if meant is not None:
            message = f"account {image.account} of Amazon's has no {image.repository}"
            yield Fault(used.at, message, Guess.of(image.repository, meant), used.placed)


FRAMEWORKS = (
    "sagemaker-scikit-learn", "sagemaker-xgboost", "sagemaker-sparkml-serving", "sagemaker-chainer",
    "sagemaker-pytorch",
    "sagemaker-tensorflow", "sagemaker-tensorflow-serving", "sagemaker-tensorflow-scriptmode", "sagemaker-mxnet",
    "sagemaker-mxnet-serving", "sagemaker-rl-tensorflow", "sagemaker-rl-mxnet", "autogluon-training",
    "autogluon-inference", "djl-inference", "stabilityai-pytorch-inference", "image-classification-neo",
    "xgboost-neo",
)  # fmt: skip
"""Repositories of the SDK's image_uri_config that are those of frameworks in Amazon's own accounts."""


@cache
def _repositories() -> frozenset[str]:
    from mlops.knowledge import algorithms, containers

    return frozenset((*FRAMEWORKS, *algorithms.names(), *containers.names()))


@rule(
    "X864",
    "unpublished-version",
    Severity.ERROR,
    source="official SDK's image_uri_config: versions of XGBoost's and scikit-learn's images",
)
def unpublished_version(subject: Subject) -> Iterator[Fault]:
    """An image of Amazon's XGBoost or scikit-learn by a tag that names none of the versions that there are. Versions
    after the newest that is known are let pass; a tag without a number, and another build of a known version, which may
    be newer than what is known here, are warnings.

    Bad:  "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.8-1"
    Good: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    """
    jobs = (container for container in subject.containers if container.job is not None)
    for container in (*jobs, *subject.serving):
        image = named_image(subject, container.image)
        known = PUBLISHED.get(image.repository, ()) if image and image.account in ALGORITHM_ACCOUNTS else ()
        if image is None or not known or not image.tag:
            continue
        is_known = any(f"{image.tag}-".startswith(f"{version}-") for version in known)
        if not is_known and _number(image.tag) < _number(known[-1]):
            message = f"{image.repository} has no version {image.tag}"
            help_text = did_you_mean(image.tag, known) or f"the newest that are known: {', '.join(known[-3:])}"
            is_sure = _number(image.tag) > (-1, -1) and not _is_later_build(image.tag, known)
            severity = None if is_sure else Severity.WARNING
            yield Fault(container.image_at, message, help_text, container.placed, severity=severity)


def _is_later_build(tag: str, known: tuple[str, ...]) -> bool:
    """Whether it is a known version by a number of its build that is above the known ones."""
    found = re.match(r"(\d+\.\d+)-(\d{1,4})(?:-|$)", tag)
    builds = [int(item.rpartition("-")[2]) for item in known if found is not None and item.startswith(f"{found[1]}-")]
    return found is not None and bool(builds) and int(found[2]) > max(builds)


def _number(tag: str) -> tuple[int, int]:
    """The first two numbers of a version; a tag without them is before all versions."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", tag)
    return (int(found[1]), int(found[2])) if found is not None else (-1, -1)


@rule(
    "X865",
    "framework-on-several-machines",
    Severity.WARNING,
    source="official SDK's sklearn estimator: scikit-learn does not support more than one instance",
)
def framework_on_several_machines(subject: Subject) -> Iterator[Fault]:
    """A training job of scikit-learn's image on several instances: each of them trains the same, alone.

    Bad:  "InstanceCount": 2 with sagemaker-scikit-learn:1.2-1-cpu-py3
    Good: "InstanceCount": 1
    """
    for container in subject.containers:
        machine = container.machine
        image = named_image(subject, container.image) if container.named == "TrainingImage" else None
        if image is None or machine is None or image.repository != "sagemaker-scikit-learn":
            continue
        count = literal(subject, machine.settings.get(machine.counted))
        if image.account in ALGORITHM_ACCOUNTS and isinstance(count, int) and count > 1:
            message = f"scikit-learn's container trains on one instance, and asks for {count}"
            yield Fault(f"{machine.at}/{machine.counted}", message, "set it to 1", machine.placed)


_PLAIN = frozenset({"pytorch", "tensorflow", "mxnet"})
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FILES = {"sagemaker-scikit-learn": "sklearn", "sagemaker-xgboost": "xgboost"}


@dataclass(frozen=True, slots=True)
class _Published:
    repository: str
    version: str
    pythons: tuple[str, ...]
    accounts: Mapping[str, str]


@cache
def _published(framework: str) -> tuple[_Published, ...]:
    """What the SDK's data say of a framework; nothing where they are not installed or of another form."""
    from mlops.project.images import sdk_data_folder

    folder = sdk_data_folder()
    if folder is None:
        return ()
    try:
        raw = json.loads((folder / f"{framework}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    scopes = [raw, *raw.values()] if isinstance(raw, dict) else []
    return tuple(
        fact
        for scope in scopes
        if isinstance(scope, dict) and isinstance(scope.get("versions"), dict)
        for version, item in scope["versions"].items()
        if isinstance(item, dict) and (fact := _fact(version, item)) is not None
    )


def _fact(version: str, item: Mapping[str, Any]) -> _Published | None:
    accounts = item.get("registries", {})
    pythons = item.get("py_versions", ())
    if not isinstance(accounts, dict) or not isinstance(item.get("repository"), str):
        return None
    return _Published(item["repository"], version, tuple(pythons), accounts)

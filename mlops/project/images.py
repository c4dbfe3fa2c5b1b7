"""Framework images: from what an author asks for (``sklearn`` ``1.2-1``) to the ECR URI for a region and a machine.

What is published where is known from the SageMaker SDK's own data, ``image_uri_config/*.json``: they are read as plain
files, the SDK is never imported. Rules that the SDK keeps in code and not in its data are tables at the top here.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError, MlopsError
from mlops.ir.choices import near
from mlops.ir.dataclass import dataclass

UNSTATED = "unstated"
"""The processor of an :class:`ImageKey` where the instance type is not known when the pipeline is compiled."""

PROCESSORS = ("cpu", "gpu", "inf", "trn", "graviton")

# What follows is code, not data, in sagemaker.core.image_uris and sagemaker.core.fw_utils (sagemaker-core 2.27).
# Newer ARM families are missing there too, so they count as what their first letter says.
_GRAVITON_FAMILIES = frozenset({"m6g", "m6gd", "c6g", "c6gd", "c6gn", "c7g", "r6g", "r6gd"})
_GRAVITON_FRAMEWORKS = frozenset({"pytorch", "sklearn", "tensorflow", "xgboost"})
_GRAVITON_SCOPE = "inference_graviton"
_NEURON_FRAMEWORKS = frozenset({"huggingface", "pytorch"})
_TRAINIUM_FRAMEWORKS = frozenset({"pytorch"})
_ARM_TAG_ENDS = {"sklearn": "-arm64-cpu-py3", "xgboost": "-arm64"}
_RETIRED_ON_P2 = {"pytorch": (1, 13), "tensorflow": (2, 12)}
_P4D_TAG_ENDS = {
    ("mxnet", "1.8-gpu-py37"): "cu110-ubuntu16.04-v1",
    ("mxnet", "1.8.0-gpu-py37"): "cu110-ubuntu16.04",
    ("pytorch", "1.6-gpu-py3"): "cu110-ubuntu18.04-v3",
    ("pytorch", "1.6-gpu-py36"): "cu110-ubuntu18.04-v3",
    ("pytorch", "1.6.0-gpu-py3"): "cu110-ubuntu18.04",
    ("pytorch", "1.6.0-gpu-py36"): "cu110-ubuntu18.04",
    ("tensorflow", "1.15-gpu-py37"): "cu110-ubuntu18.04-v8",
    ("tensorflow", "1.15.4-gpu-py37"): "cu110-ubuntu18.04",
    ("tensorflow", "1.15.5-gpu-py37"): "cu110-ubuntu18.04",
    ("tensorflow", "2.3-gpu-py37"): "cu110-ubuntu18.04-v3",
    ("tensorflow", "2.3.1-gpu-py37"): "cu110-ubuntu18.04",
    ("tensorflow", "2.3.2-gpu-py37"): "cu110-ubuntu18.04",
}
# Their tags end in a build (a CUDA or Spark container release) that only the caller of the SDK knows.
_NEEDS_BUILD = frozenset({"pytorch-smp", "spark"})
# From botocore's endpoints.json: the partitions whose host names do not end in amazonaws.com.
_DNS_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}

_NOT_FRAMEWORKS = frozenset({"instance_gpu_info"})
_INSTANCE_TYPE = re.compile(r"ml[._]([a-z0-9][a-z0-9-]*)(?:\.\w+)?")
_GIVE_URI = "the image URI can also be given as a string"


class ImageUnknown(MlopsError):
    """No image is published for what was asked; the message says which are."""


class InstanceUnknown(ImageUnknown):
    """What is named is no instance type, which the request's own shape says too."""


class ImageDataMissing(ConfigurationError):
    """The SageMaker SDK's image data, which alone know the answer, are not on this machine or are unreadable."""


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What an author asked for.

    ``framework`` is the name of a file of the SDK's data: ``sklearn``, ``pytorch``, ``linear-learner``…
    ``scope`` None leaves it to the step. ``base_framework_version`` is for ``huggingface``, e.g. ``pytorch2.0.0``.
    """

    framework: str
    version: str | None = None
    py_version: str | None = None
    scope: str | None = None
    base_framework_version: str | None = None

    def __str__(self) -> str:
        return f"{self.framework} {self.version}" if self.version else self.framework


@dataclass(frozen=True, slots=True)
class ImageKey:
    """What decides an image, as it was asked for: aliases and defaults are not filled in, so that a key can be made
    without the SDK's data. ``processor`` is one of :data:`PROCESSORS`, an instance family, or :data:`UNSTATED`."""

    framework: str
    version: str | None
    py_version: str | None
    base_framework_version: str | None
    scope: str
    region: str
    processor: str


@dataclass(frozen=True, slots=True)
class _Machine:
    """``family`` is empty for any machine with that processor."""

    name: str
    family: str
    processor: str


def sdk_data_folder() -> Path | None:
    """The SDK's ``image_uri_config``: below ``sagemaker/core`` since version 3, below ``sagemaker`` before."""
    try:
        # A top-level name, so that finding it runs none of its code.
        spec = importlib.util.find_spec("sagemaker")
    except ValueError:  # an already imported module without a spec
        return None
    for location in (spec and spec.submodule_search_locations) or ():
        for parent in (Path(location, "core"), Path(location)):
            folder = parent / "image_uri_config"
            if folder.is_dir():
                return folder
    return None


@lru_cache(maxsize=8)
def frameworks(folder: Path) -> tuple[str, ...]:
    """The names that ``ImageRequest.framework`` may have."""
    return tuple(sorted({file.stem for file in folder.glob("*.json")} - _NOT_FRAMEWORKS))


def resolve(
    request: ImageRequest, *, region: str, instance_type: str | None, scope: str, folder: Path | None = None
) -> str:
    """The URI by the data in ``folder``, or by those of the installed SDK. ``scope`` holds where the request has none.

    Stricter than the SDK in one thing: where only one version is published the SDK answers with it whatever version
    was asked for; here another version is refused.
    """
    machine = None if instance_type is None else _machine(instance_type)
    return _resolve(request, region, machine, request.scope or scope, _found(request, folder))


def variants(request: ImageRequest, *, region: str, scope: str, folder: Path | None = None) -> dict[ImageKey, str]:
    """Every image that the request can mean in ``region``, whatever the instance type; empty if there is none.

    :func:`lookup_keys` of any instance type that :func:`resolve` accepts has one of these keys, and the first one
    found has the URI that :func:`resolve` gives.
    """
    folder = _found(request, folder)
    scope = request.scope or scope
    families = _named_processors(folder, request.framework) - set(PROCESSORS) | {"p4d"}
    uris: dict[str, str] = {}
    for name in (UNSTATED, *PROCESSORS, *sorted(families)):
        try:
            machine = _probe(name)
            uri = _resolve(request, region, machine, scope, folder)
        except ImageUnknown:
            continue  # nothing is published for it, which is what is asked here
        if machine is None or not machine.family or uris.get(machine.processor) != uri:
            uris[name] = uri
    return {_key(request, region, scope, processor): uri for processor, uri in uris.items()}


def lookup_keys(request: ImageRequest, *, region: str, instance_type: str | None, scope: str) -> tuple[ImageKey, ...]:
    """The keys of :func:`variants` that answer for an instance type, best first. Needs no data.

    Raises :class:`ImageUnknown` where no data could help.
    """
    scope = request.scope or scope
    if instance_type is None:
        return (_key(request, region, scope, UNSTATED),)
    machine = _machine(instance_type)
    _refuse_retired(request, machine)
    return tuple(_key(request, region, scope, processor) for processor in (machine.family, machine.processor))


def _key(request: ImageRequest, region: str, scope: str, processor: str) -> ImageKey:
    return ImageKey(
        framework=request.framework,
        version=request.version,
        py_version=request.py_version,
        base_framework_version=request.base_framework_version,
        scope=scope,
        region=region,
        processor=processor,
    )


def _probe(processor: str) -> _Machine | None:
    if processor == UNSTATED:
        return None
    if processor in PROCESSORS:
        return _Machine(f"a machine with {processor}", "", processor)
    return _machine(f"ml.{processor}.xlarge")


def _machine(instance_type: str) -> _Machine:
    match = _INSTANCE_TYPE.fullmatch(instance_type)
    if match is None:
        raise InstanceUnknown(
            f"{instance_type!r} is not an instance type, so no image can be chosen for it",
            hint="instance types look like ml.m5.xlarge",
        )
    family = match[1]
    if family in _GRAVITON_FAMILIES:
        return _Machine(instance_type, family, "graviton")
    for processor in ("inf", "trn"):
        if family.startswith(processor):
            return _Machine(instance_type, family, processor)
    return _Machine(instance_type, family, "gpu" if family[0] in "gp" else "cpu")


def _refuse_retired(request: ImageRequest, machine: _Machine) -> None:
    limit = _RETIRED_ON_P2.get(request.framework)
    if machine.family != "p2" or limit is None or request.version is None:
        return
    if tuple(int(number) for number in re.findall(r"\d+", request.version)[:2]) >= limit:
        raise ImageUnknown(
            f"{request} does not run on {machine.name}: P2 instances ended with {request.framework} "
            f"{'.'.join(map(str, limit))}",
            hint="take a newer GPU family, e.g. ml.g4dn.xlarge",
        )


def _found(request: ImageRequest, folder: Path | None) -> Path:
    folder = folder or sdk_data_folder()
    if folder is None:
        raise ImageDataMissing(
            f"the image for {request} cannot be looked up: the SageMaker SDK, which has the list, is not installed",
            hint=f"install sagemaker-core, or run `mlops lock` where it is and commit mlops.lock; {_GIVE_URI}",
        )
    return folder


def _resolve(request: ImageRequest, region: str, machine: _Machine | None, scope: str, folder: Path) -> str:
    if machine is not None:
        _refuse_retired(request, machine)
    _refuse_framework(request, machine, folder)
    neuron = _neuron(request, machine)
    if machine is not None and machine.processor == "graviton":
        scope = _GRAVITON_SCOPE
    name = f"{request.framework}-neuron" if neuron else request.framework
    edition = _edition(_catalogue(folder, name), name, scope)
    version, release_version = _version(request, edition, name, machine)
    release = edition["versions"][release_version]
    tag_start = None
    if request.framework == "huggingface":
        base, resolved_base = _base_framework(request, release)
        release = release[resolved_base]
        base_version = re.sub(r"^(pytorch|tensorflow)", "", resolved_base if neuron else base)
        tag_start = f"{base_version}-transformers{release_version}"
    elif "version_aliases" in release:
        raise ImageUnknown(f"images of {name} cannot be asked for by that name", hint=_GIVE_URI)
    py_version = _py_version(request, release)
    if py_version is not None and isinstance(release.get(py_version), dict):
        release = release[py_version]
    if not isinstance(release.get("repository"), str) or not isinstance(release.get("registries"), dict):
        raise ImageUnknown(
            f"the installed SageMaker SDK describes {request} in a way that is not known here", hint=_GIVE_URI
        )
    registry = _registry(request, region, release["registries"])
    processor = _processor(request, machine, edition.get("processors") or release.get("processors"))
    build = _build(request, release, processor)
    if tag_start is None:
        tag_start = release.get("tag_prefix", version)
    if request.framework in _ARM_TAG_ENDS and scope == _GRAVITON_SCOPE:
        if machine is not None and machine.processor != "graviton":
            raise ImageUnknown(f"{request} for {scope} does not run on {machine.name}", hint="take e.g. ml.c6g.xlarge")
        tag = f"{version}{_ARM_TAG_ENDS[request.framework]}"
    else:
        shown = "neuron" if neuron else _shown(request, release, processor)
        tag = "-".join(part for part in (tag_start, shown, py_version, build) if part)
    if machine is not None and machine.family == "p4d" and (request.framework, tag) in _P4D_TAG_ENDS:
        tag = f"{tag}-{_P4D_TAG_ENDS[request.framework, tag]}"
    image = f"{registry}.dkr.ecr.{region}.{_dns_suffix(region)}/{release['repository']}"
    return f"{image}:{tag}" if tag else image


def _neuron(request: ImageRequest, machine: _Machine | None) -> bool:
    """Whether the image is described in the framework's other file, the one for AWS's own accelerators."""
    return machine is not None and machine.processor in ("inf", "trn") and request.framework in _NEURON_FRAMEWORKS


def _refuse_framework(request: ImageRequest, machine: _Machine | None, folder: Path) -> None:
    framework = request.framework
    known = frameworks(folder)
    if framework not in known:
        which = _near(framework, known) or f"; there are {', '.join(known)}"
        raise ImageUnknown(f"no framework image is called {framework!r}{which}", hint=_GIVE_URI)
    if framework in _NEEDS_BUILD:
        raise ImageUnknown(
            f"the tag of a {framework} image also names a build that cannot be derived from the version",
            hint="give the image URI as a string",
        )
    if machine is None:
        return
    if _neuron(request, machine) and f"{framework}-neuron" not in known:
        raise ImageUnknown(
            f"{request} has no image for {machine.name}", hint=f"take another instance type; {_GIVE_URI}"
        )
    for processor, able in (("graviton", _GRAVITON_FRAMEWORKS), ("trn", _TRAINIUM_FRAMEWORKS)):
        if machine.processor == processor and framework not in able:
            raise ImageUnknown(
                f"{request} has no image for {machine.name}: "
                f"{'Trainium' if processor == 'trn' else 'Graviton'} runs images of {', '.join(sorted(able))} only",
                hint=f"take another instance type; {_GIVE_URI}",
            )


@lru_cache(maxsize=32)
def _catalogue(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ImageDataMissing(f"{path} cannot be read: {error}", hint="install sagemaker-core again") from error
    if not isinstance(content, dict):
        raise ImageDataMissing(f"{path} holds no JSON object", hint="install sagemaker-core again")
    return content


def _edition(catalogue: dict[str, Any], name: str, scope: str) -> dict[str, Any]:
    """The part of a data file for a scope. Where there is only one scope the SDK takes it for every use."""
    shared = "versions" in catalogue
    scopes = catalogue.get("scope", []) if shared else list(catalogue)
    if scope not in scopes:
        if not scopes:
            raise ImageUnknown(f"images of {name} cannot be asked for by version", hint=_GIVE_URI)
        if len(scopes) > 1:
            raise ImageUnknown(
                f"{name} has no image for {scope}{_near(scope, scopes)}; it has images for {', '.join(sorted(scopes))}",
                hint=f"set the scope of the image; {_GIVE_URI}",
            )
        (scope,) = scopes
    edition = catalogue if shared else catalogue[scope]
    if not isinstance(edition, dict) or not isinstance(edition.get("versions"), dict):
        raise ImageUnknown(f"the installed SageMaker SDK lists no versions of {name} for {scope}", hint=_GIVE_URI)
    return edition


def _version(request: ImageRequest, edition: Mapping[str, Any], name: str, machine: _Machine | None) -> tuple[str, str]:
    """The version for the tag, and the one under which the data has it."""
    versions, aliases = edition["versions"], edition.get("version_aliases", {})
    asked = request.version
    if asked is None and len(versions) == 1:
        (asked,) = versions
    listed = ", ".join(sorted(versions, key=_by_number))
    if asked is None:
        raise ImageUnknown(f"{name} needs a version; versions: {listed}")
    release = aliases.get(asked, asked)
    if release not in versions:
        special = machine is not None and machine.processor not in ("cpu", "gpu")
        place = f" for {machine.name}" if machine is not None and special else ""
        raise ImageUnknown(
            f"{name} has no version {asked}{place}{_near(asked, [*versions, *aliases])}; versions: {listed}",
            hint=_GIVE_URI,
        )
    return asked, release


def _base_framework(request: ImageRequest, release: Mapping[str, Any]) -> tuple[str, str]:
    """The base framework as written and with its alias resolved."""
    aliases = release.get("version_aliases", {})
    bases = [name for name in release if name != "version_aliases"]
    asked = request.base_framework_version
    if asked is None:
        raise ImageUnknown(f"{request} needs base_framework_version; there are {', '.join(sorted(bases))}")
    resolved = aliases.get(asked, asked)
    if resolved not in bases:
        raise ImageUnknown(
            f"{request} has no base_framework_version {asked}{_near(asked, bases)}; "
            f"there are {', '.join(sorted(bases))}"
        )
    return asked, resolved


def _py_version(request: ImageRequest, release: Mapping[str, Any]) -> str | None:
    """A Python version that does not matter is let pass: TensorFlow has it in training images only."""
    choices = release.get("py_versions", []) if "repository" in release else list(release)
    if not choices:
        return None
    if request.py_version is None and len(choices) == 1:
        return str(choices[0])
    if request.py_version is None:
        raise ImageUnknown(f"{request} needs py_version; it has {', '.join(sorted(choices))}")
    if request.py_version not in choices:
        raise ImageUnknown(f"{request} has no py_version {request.py_version}; it has {', '.join(sorted(choices))}")
    return request.py_version


def _registry(request: ImageRequest, region: str, registries: Mapping[str, str]) -> str:
    if region not in registries:
        meant = _near(region, registries)
        hint = "mend region in mlops.toml, or give the image by its URI" if meant else _GIVE_URI
        there = meant or f"; regions: {', '.join(sorted(registries))}"
        raise ImageUnknown(f"{request} is not published in region {region}{there}", hint=hint)
    return registries[region]


def _processor(request: ImageRequest, machine: _Machine | None, choices: list[str] | None) -> str | None:
    """The processor as the data name it, which may be an instance family; None where the image is for any."""
    if not choices:
        return None
    if machine is None:
        if len(choices) > 1:
            raise ImageUnknown(f"{request} needs instance_type to choose {' or '.join(sorted(choices))}")
        return choices[0]
    if machine.family in choices:
        return machine.family
    processor = "cpu" if machine.processor == "graviton" else machine.processor
    if processor not in choices:
        raise ImageUnknown(
            f"{request} has no {processor} image, which {machine.name} needs; it has {', '.join(sorted(choices))}",
            hint=f"take another instance type; {_GIVE_URI}",
        )
    return processor


def _shown(request: ImageRequest, release: Mapping[str, Any], processor: str | None) -> str | None:
    """The processor as it stands in the tag. Triton names only the CPU there."""
    if request.framework == "sagemaker-tritonserver" and processor == "gpu":
        return None
    return processor if release.get("processor_in_tag", True) else None


def _build(request: ImageRequest, release: Mapping[str, Any], processor: str | None) -> str | None:
    """The last part of the tag: Neuron SDK, CUDA, operating system."""
    builds = release.get("container_version")
    if not builds:
        return None
    if processor not in builds:
        raise ImageUnknown(f"{request} has no build for {processor or 'any processor'}", hint=_GIVE_URI)
    build = str(builds[processor])
    if release.get("sdk_versions"):
        build = f"{max(release['sdk_versions'])}-{build}"
    if release["repository"] in (f"{request.framework}-inference-graviton", f"{request.framework}-inference-arm64"):
        build = f"{build}-sagemaker"
    return build


def _named_processors(folder: Path, framework: str) -> set[str]:
    """Every processor that the data name for a framework, instance families among them."""
    named: set[str] = set()
    for name in {framework, f"{framework}-neuron"} & set(frameworks(folder)):
        catalogue = _catalogue(folder, name)
        for edition in [catalogue] if "versions" in catalogue else catalogue.values():
            if isinstance(edition, dict):
                releases = edition.get("versions", {}).values()
                for described in (edition, *(release for release in releases if isinstance(release, dict))):
                    named.update(described.get("processors", ()))
    return named


def _dns_suffix(region: str) -> str:
    return next((suffix for prefix, suffix in _DNS_SUFFIXES.items() if region.startswith(prefix)), "amazonaws.com")


def _by_number(version: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.findall(r"\d+|\D+", version)]


def _near(word: str, choices: Iterable[str]) -> str:
    guess = near(word, choices)
    return f" (did you mean {guess}?)" if guess is not None else ""

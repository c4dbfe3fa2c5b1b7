"""The files and the environment of a model, brought to where its server looks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import as_s3
from mlops.knowledge.image_need import need
from mlops.knowledge.requirements import FILE, lacking
from mlops.knowledge.this_machine import algorithm_here, of_containers, of_images
from mlops.run.archive import unpack
from mlops.run.containers import Container as Contained
from mlops.run.containers import serving
from mlops.run.outcome import StepFailed
from mlops.run.ports import Images, Interpreter, Objects, Registry
from mlops.run.transfer import fetch, fetch_source

_CODE = "/opt/ml/code"


@dataclass(frozen=True, slots=True)
class Container:
    """``ml`` is to become its ``/opt/ml``. ``algorithm`` is the built-in one that its image brings, where it runs
    here. ``python`` stands for the image's, ``requirements`` are what it would install at its start;
    where an engine runs the image it is ``contained``, and does so itself."""

    ml: Path
    environment: Mapping[str, str]
    algorithm: str | None = None
    python: Interpreter | None = None
    requirements: str = ""
    contained: Contained | None = None


def place_model(
    model: Mapping[str, Any],
    folder: Path,
    objects: Objects,
    registry: Registry,
    images: Images | None = None,
    *,
    by_a_job: bool = False,
) -> list[Container]:
    """Fill ``folder/ml`` for the first container of ``model``, a DescribeModel reply, and ``folder/containers/N/ml``
    for the others of an inference pipeline. ``by_a_job``: it is a transform job that is to ask it, which names no
    container and no model. Raises :class:`StepFailed` and what the ports raise."""
    listed = [model["PrimaryContainer"]] if model.get("PrimaryContainer") else list(model.get("Containers") or [])
    described = [container for item in listed for container in _resolved(item, registry)]
    if not described:
        raise StepFailed(f"model {model.get('ModelName')} has no container")
    mode = (model.get("InferenceExecutionConfig") or {}).get("Mode")
    for obstacle in of_containers(described, mode) if by_a_job else of_images(described):
        raise StepFailed(obstacle.message)
    placed = []
    for number, container in enumerate(described, start=1):
        ml = folder / "ml" if number == 1 else folder / "containers" / str(number) / "ml"
        environment, algorithm = _place(container, ml, objects), algorithm_here(container.get("Image"))
        if (contained := serving(container.get("Image"))) is not None:
            placed.append(Container(ml, environment, contained=contained))
            continue
        python, requirements = None, _requirements(ml)
        if algorithm is None and images is not None:
            wanted = need(container.get("Image"), requirements, serves=True)
            python = images.find(wanted) if wanted is not None else None
            if wanted is not None and python is None and lacking(wanted.asked):
                images.want(wanted)
        placed.append(Container(ml, environment, algorithm, python, requirements))
    return placed


def _requirements(ml: Path) -> str:
    """What the inference toolkit installs, of the code that lies apart or in the model's archive."""
    files = (folder / FILE for folder in (ml / "code", ml / "model" / "code"))
    return next((file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()), "")


def _resolved(container: Mapping[str, Any], registry: Registry) -> list[dict[str, Any]]:
    """A model package stands for the containers that it holds."""
    if "ModelPackageName" not in container:
        return [dict(container)]
    package = registry.describe("DescribeModelPackage", {"ModelPackageName": container["ModelPackageName"]})
    listed = (package.get("InferenceSpecification") or {}).get("Containers") or []
    own = {key: value for key, value in container.items() if key != "Environment"}
    return [
        {
            **packaged,
            **own,
            "Environment": {**(packaged.get("Environment") or {}), **(container.get("Environment") or {})},
        }
        for packaged in listed
    ]


def _place(container: Mapping[str, Any], ml: Path, objects: Objects) -> dict[str, str]:
    environment = dict(container.get("Environment") or {})
    _place_data(container, ml, objects)
    submitted = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        archive = ml / "sourcedir.tar.gz"
        fetch(submitted, archive, objects, "SAGEMAKER_SUBMIT_DIRECTORY")
        unpack(archive, ml / "code", submitted)
        archive.unlink()
        environment["SAGEMAKER_SUBMIT_DIRECTORY"] = _CODE
    return environment


def _place_data(container: Mapping[str, Any], ml: Path, objects: Objects) -> None:
    folder = ml / "model"
    folder.mkdir(parents=True, exist_ok=True)
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    if source.get("CompressionType") == "None":
        fetch_source({"S3Uri": as_s3(str(source.get("S3Uri")))}, folder, objects, "ModelDataSource")
        return
    given = container.get("ModelDataUrl") or source.get("S3Uri")
    if given is None:
        return
    uri = as_s3(given)
    archive = ml / "model.tar.gz"
    fetch(uri, archive, objects, "the model's data")
    unpack(archive, folder, uri)
    archive.unlink()

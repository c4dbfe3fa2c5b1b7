"""The files and the environment of a model, brought to where its server looks for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.run.archive import unpack
from mlops.run.outcome import StepFailed
from mlops.run.ports import Objects, Registry
from mlops.run.transfer import fetch, fetch_source

_CODE = "/opt/ml/code"


def place_model(model: Mapping[str, Any], ml: Path, objects: Objects, registry: Registry) -> dict[str, str]:
    """Fill ``ml/model`` (and ``ml/code``) for ``model``, a DescribeModel reply; answers the container's environment.
    Raises :class:`StepFailed` and what the ports raise."""
    container = _container(model)
    environment = dict(container.get("Environment") or {})
    if "ModelPackageName" in container:
        packaged = _package_container(container["ModelPackageName"], registry)
        environment = {**(packaged.get("Environment") or {}), **environment}
        container = {**packaged, **{key: value for key, value in container.items() if key != "Environment"}}
    if container.get("Mode") == "MultiModel":
        raise StepFailed("a MultiModel container cannot be served on this machine yet")
    _place_data(container, ml, objects)
    submitted = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        archive = ml / "sourcedir.tar.gz"
        fetch(submitted, archive, objects, "SAGEMAKER_SUBMIT_DIRECTORY")
        unpack(archive, ml / "code", submitted)
        archive.unlink()
        environment["SAGEMAKER_SUBMIT_DIRECTORY"] = _CODE
    return environment


def _container(model: Mapping[str, Any]) -> dict[str, Any]:
    listed = [model["PrimaryContainer"]] if model.get("PrimaryContainer") else list(model.get("Containers") or [])
    if len(listed) != 1:
        raise StepFailed(f"model {model.get('ModelName')} has {len(listed)} containers; one can be served here")
    return dict(listed[0])


def _package_container(name: str, registry: Registry) -> dict[str, Any]:
    package = registry.describe("DescribeModelPackage", {"ModelPackageName": name})
    listed = (package.get("InferenceSpecification") or {}).get("Containers") or []
    if len(listed) != 1:
        raise StepFailed(f"model package {name} has {len(listed)} containers; one can be served here")
    return dict(listed[0])


def _place_data(container: Mapping[str, Any], ml: Path, objects: Objects) -> None:
    folder = ml / "model"
    folder.mkdir(parents=True, exist_ok=True)
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    if source.get("CompressionType") == "None":
        fetch_source({"S3Uri": source.get("S3Uri")}, folder, objects, "ModelDataSource")
        return
    uri = container.get("ModelDataUrl") or source.get("S3Uri")
    if uri is None:
        return
    archive = ml / "model.tar.gz"
    fetch(uri, archive, objects, "the model's data")
    unpack(archive, folder, uri)
    archive.unlink()

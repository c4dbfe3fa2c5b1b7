"""Which images a project's pipelines use, in all of its environments, by the SageMaker SDK's data."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from mlops.check.ports import COMPOSER, ImageUse
from mlops.check.sources import loaded_here
from mlops.check.target_files import pipeline_files
from mlops.declare.lower import lower_pipeline, lower_resources
from mlops.declare.misuse import collecting
from mlops.ir import Finding
from mlops.project import lock
from mlops.project.environments import read_project
from mlops.project.images import ImageDataMissing, ImageKey, ImageRequest, ImageUnknown


class _Pins:
    """Stands where a compile has the lock; keeps what is asked for."""

    def __init__(self) -> None:
        self.images: dict[ImageKey, str] = {}

    def add(self, use: ImageUse) -> None:
        self.uri(use.request, use.region, use.instance_type, use.scope)

    def uri(self, request: ImageRequest, region: str, instance_type: str | None, scope: str) -> str:
        pinned = lock.pin(request, region=region, instance_type=instance_type, scope=scope)
        self.images.update(pinned)
        return next(iter(pinned.values()))


def pin_images(root: Path) -> tuple[Mapping[ImageKey, str], tuple[Finding, ...]]:
    """Raises ImageDataMissing where the SDK's data are not installed and an image is needed."""
    project = read_project(root)
    folder = root / project.pipelines
    pins = _Pins()
    findings: list[Finding] = []
    for file in pipeline_files(folder if folder.is_dir() else root):
        loaded = loaded_here(file.resolve(), root, project.time_limit)
        if loaded is None:
            for environment in project.environments.values():
                composed = COMPOSER.get()(file.resolve(), None, environment, root, any_image=True)
                findings.extend(composed.findings)
                findings.extend(misuse for item in composed.definitions for misuse in item.findings)
                for use in composed.images:
                    with contextlib.suppress(ImageUnknown):  # a check tells of it, at its line
                        pins.add(use)
            continue
        findings.extend(loaded.findings)
        for environment in project.environments.values():
            folders = (file.parent, root)
            with collecting() as misuses:
                for pipeline in loaded.pipelines:
                    lower_pipeline(pipeline, environment, pins, folders)
                if loaded.resources:
                    lower_resources(loaded.resources, file, environment, pins, folders)
            findings.extend(misuses)
    unknown = next((finding for finding in findings if finding.code == "D051"), None)
    if unknown is not None:
        raise ImageDataMissing(
            f"URIs of images are known to the SageMaker SDK, which is not installed; {unknown.step} names the first"
        )
    return pins.images, tuple(dict.fromkeys(findings))

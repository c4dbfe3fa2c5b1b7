"""The scripts that jobs run, where they lie on this machine: what code a step ships is known, so it can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import basename
from typing import TYPE_CHECKING

from mlops.check.jobs import PROCESSING, TRAINING, Job
from mlops.check.members import entries
from mlops.ir import Placed, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import pointer

if TYPE_CHECKING:
    from mlops.check.subject import Subject

_MEMBERS = ("HyperParameters", "StaticHyperParameters")


@dataclass(frozen=True, slots=True)
class Script:
    """``at`` is where the step names it, ``name`` its path among ``files``. ``member`` has the hyperparameters of a
    training job; a processing job has none."""

    at: str
    name: str
    files: Mapping[str, Path]
    job: Job
    member: str | None

    @property
    def placed(self) -> Placed:
        return self.job.placed

    @property
    def file(self) -> Path | None:
        return self.files.get(self.name)


def shipped(subject: Subject) -> dict[str, Mapping[str, Path]]:
    """The files that the pipeline brings, by the URI of their folder or archive."""
    found: dict[str, Mapping[str, Path]] = {}
    for asset in subject.definition.assets:
        found[asset.uri.rstrip("/")] = dict(asset.files)
        found |= {f"{asset.uri.rstrip('/')}/{name}": dict(files) for name, files in asset.packed if files}
    return found


def scripts(subject: Subject) -> Iterator[Script]:
    """Of training jobs in script mode, then of processing jobs that name their script in the entrypoint."""
    assets = shipped(subject)
    if not assets:
        return
    for job in subject.jobs[TRAINING]:
        for member in _MEMBERS:
            values = job.request.get(member)
            folder, program = (plain(get(values, f"sagemaker_{name}")) for name in ("submit_directory", "program"))
            if folder in assets and program:
                yield Script(f"{job.at}/{member}/sagemaker_program", program, assets[folder], job, member)
    for job in subject.jobs[PROCESSING]:
        command = get(job.request, "AppSpecification", "ContainerEntrypoint")
        words = list(enumerate(command)) if isinstance(command, tuple) else []
        for _, item in entries(job.request, "ProcessingInputs"):
            uri, path = get(item, "S3Input", "S3Uri"), get(item, "S3Input", "LocalPath")
            if not isinstance(uri, str) or not isinstance(path, str):
                continue
            below = f"{path.rstrip('/')}/"
            # One file is an asset by itself: its URI ends with its name.
            files = assets.get(uri.rstrip("/")) or assets.get(uri.rpartition("/")[0])
            for index, word in words:
                if files and isinstance(word, str) and word.startswith(below):
                    name = word.removeprefix(below)
                    name = name if name in files else basename(word)
                    at = job.at + pointer("AppSpecification", "ContainerEntrypoint", index)
                    if name in files:
                        yield Script(at, name, files, job, None)


def plain(value: Value) -> str | None:
    """A hyperparameter's text: the official SDK writes it as JSON, in quotes."""
    return value.strip('"') if isinstance(value, str) else None

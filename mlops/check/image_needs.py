"""What the steps of a pipeline need of packages, as far as it is known before they run: of images that are named, and
of a requirements.txt that the pipeline brings and its image would install."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from mlops.check.expressions import literal
from mlops.check.jobs import Container
from mlops.check.members import entries
from mlops.check.scripts import plain, shipped
from mlops.check.subject import Subject
from mlops.ir import Checked, Placed
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.knowledge.algorithm_images import built_in
from mlops.knowledge.container_engine import engine, is_contained
from mlops.knowledge.image_need import Need, need
from mlops.knowledge.monitor_images import program_here
from mlops.knowledge.requirements import CODE_ARCHIVE, FILE, installed_by

Read: TypeAlias = Callable[[str, str], bytes | None]
"""A file by its name inside of an archive at a URI of the account, or of what lies below it."""

_PROGRAMS = ("HyperParameters", "StaticHyperParameters")


@dataclass(frozen=True, slots=True)
class ImageNeed:
    """``at`` is where the image stands. ``image`` is None where only the execution knows it, ``requirements`` is the
    text of what the image would install, ``own`` what runs in the place of this Python. ``serves``: it is a
    model's. ``isolated``: a job without a network, in which nothing can be installed."""

    placed: Placed
    at: str
    image: str | None
    requirements: str = ""
    own: str | None = None
    serves: bool = False
    isolated: bool = False

    @property
    def need(self) -> Need | None:
        """None where this Python has all that is known to be needed."""
        if self.own is not None:
            return None
        return need(self.image, "" if self.isolated else self.requirements, serves=self.serves)


def image_needs(checked: Checked, read: Read | None = None) -> Iterator[ImageNeed]:
    """In the order of the document, of jobs before models. Without ``read`` only what the pipeline itself brings is
    looked into."""
    subject = Subject(checked.definition, checked.step_types)
    for container in subject.containers:
        if container.job is not None and container.placed.step.type in ("QualityCheck", "ClarifyCheck"):
            continue  # what runs is ours
        found = literal(subject, container.image)
        image = found if isinstance(found, str) else None
        own = _own(container, image)
        text = "" if own is not None or container.job is None else _requirements(subject, container, read)
        serves, isolated = container.job is None, _isolated(container)
        yield ImageNeed(container.placed, container.image_at, image, text, own, serves, isolated)


def _own(container: Container, image: str | None) -> str | None:
    """What of ours, or of an engine, stands for the image's own program, where that is to run."""
    settings, job = container.settings, container.job
    if image is None:
        return None
    if is_contained(image) and (job is None or settings.get("ContainerEntrypoint") or not _scripted(container)):
        return f"a container, by {engine()}"
    if settings.get("ContainerEntrypoint"):
        return None
    if job is not None and settings.get("ImageUri") is not None:
        return "the checks of mlops" if program_here(image) is not None else None
    found = built_in(image)
    return f"{found.algorithm.title} of mlops" if found is not None and not _scripted(container) else None


def _scripted(container: Container) -> bool:
    job = container.job
    environment = job.request.get("Environment") if job is not None else container.settings.get("Environment")
    return bool(get(environment, "SAGEMAKER_PROGRAM") or (job is not None and any(_named(job.request, "program"))))


def _isolated(container: Container) -> bool:
    request = container.job.request if container.job is not None else {}
    return True in (request.get("EnableNetworkIsolation"), get(request, "NetworkConfig", "EnableNetworkIsolation"))


def _named(request: Mapping[str, object], what: str) -> Iterator[str]:
    for member in _PROGRAMS:
        text = plain(get(request.get(member), f"sagemaker_{what}"))  # type: ignore[arg-type]
        if text:
            yield text


def _requirements(subject: Subject, container: Container, read: Read | None) -> str:
    assets, job = shipped(subject), container.job
    if job is None:
        return ""
    if container.named == "TrainingImage":
        if container.settings.get("ContainerEntrypoint"):
            return ""
        return next((_text(assets, uri, FILE, read) for uri in _named(job.request, "submit_directory")), "")
    command = container.settings.get("ContainerEntrypoint")
    words = [word for word in command if isinstance(word, str)] if isinstance(command, tuple) else []
    places = {
        path: uri
        for _, item in entries(job.request, "ProcessingInputs")
        if isinstance(uri := get(item, "S3Input", "S3Uri"), str)
        and isinstance(path := get(item, "S3Input", "LocalPath"), str)
    }
    for word in words:
        folder = next((path for path in places if word.startswith(f"{path.rstrip('/')}/")), None)
        if folder is None or not word.endswith(".sh"):
            continue
        script = _text(assets, places[folder], word.removeprefix(f"{folder.rstrip('/')}/"), read)
        wanted = installed_by(script)
        for uri in places.values() if wanted is not None else ():
            for place in (uri, f"{uri.rstrip('/')}/{CODE_ARCHIVE}"):
                if text := _text(assets, place, str(wanted), read):
                    return text
    return ""


def _text(assets: Mapping[str, Mapping[str, Path]], uri: str, name: str, read: Read | None) -> str:
    """Of a file below ``uri``, or in the archive there; empty where there is none."""
    files = assets.get(uri.rstrip("/"))
    if files is None and uri.endswith(f"/{name}"):
        files = assets.get(uri.rpartition("/")[0])
    if files is not None:
        file = files.get(name)
        return file.read_text(encoding="utf-8", errors="replace") if file is not None and file.is_file() else ""
    found = read(uri, name) if read is not None else None
    return found.decode("utf-8", errors="replace") if found is not None else ""

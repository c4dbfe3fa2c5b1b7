"""The inference scripts of models, where they lie on this machine, and which training job made what they load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from posixpath import basename

from mlops.check.expressions import literal
from mlops.check.jobs import Container
from mlops.check.members import entries
from mlops.check.scripts import plain, shipped
from mlops.check.serving import training_of
from mlops.check.subject import Subject
from mlops.ir import Placed, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import refs

_PROGRAM = "SAGEMAKER_PROGRAM"


@dataclass(frozen=True, slots=True)
class Handler:
    """``at`` is where the container names it; ``training`` the step that trains what it serves, None where that is not
    of this pipeline."""

    at: str
    file: Path
    container: Container
    training: Placed | None


def handlers(subject: Subject) -> Iterator[Handler]:
    """Of containers that name their script, and whose script is shipped: with the model, the training or a packing."""
    assets = shipped(subject)
    for container in subject.serving if assets else ():
        program = literal(subject, get(container.settings, "Environment", _PROGRAM))
        if not isinstance(program, str):
            continue
        data, training = container.settings.get("ModelDataUrl"), _trained_by(subject, container)
        folder = get(container.settings, "Environment", "SAGEMAKER_SUBMIT_DIRECTORY")
        holders = [folder, data, *_brought(subject, data)]
        found = next((file for uri in holders if (file := _file(assets, uri, program)) is not None), None)
        if found is not None:
            yield Handler(f"{container.at}/Environment/{_PROGRAM}", found, container, training)


def _file(assets: Mapping[str, Mapping[str, Path]], uri: Value, program: str) -> Path | None:
    """The one of that name in an archive or a folder, which is unpacked or copied from there."""
    files = assets.get(uri.strip('"').rstrip("/"), {}) if isinstance(uri, str) else {}
    named = [file for name, file in files.items() if basename(name) == basename(program)]
    return named[0] if len(named) == 1 and named[0].is_file() else None


def _maker(subject: Subject, data: Value) -> Placed | None:
    """The step whose output a model's data is or lies in."""
    found = [path for _, ref in refs(data, "") if (path := ref.path) is not None and path.root == "Steps"]
    return subject.by_name.get(found[0].name) if len(found) == 1 else None


def _brought(subject: Subject, data: Value) -> Iterator[Value]:
    """What the step that makes a model's data ships: beside the training script, or to be packed with the model."""
    maker = _maker(subject, data)
    if maker is not None and maker.step.type == "Training":
        yield get(maker.step.arguments, "HyperParameters", "sagemaker_submit_directory")
    elif maker is not None and maker.step.type == "Processing":
        for _, item in entries(maker.step.arguments, "ProcessingInputs"):
            yield get(item, "S3Input", "S3Uri")


def _trained_by(subject: Subject, container: Container) -> Placed | None:
    """Through a job that only packs the model anew: PackModel, or the official SDK's."""
    data = container.settings.get("ModelDataUrl")
    training = training_of(subject, data)
    if training is not None:
        packed = get(training.step.arguments, "HyperParameters", "model_archive")
        return training if packed is None else training_of(subject, packed)
    maker = _maker(subject, data)
    for _, item in entries(maker.step.arguments, "ProcessingInputs") if maker is not None else ():
        found = training_of(subject, get(item, "S3Input", "S3Uri"))
        if found is not None:
            return found
    return None


def sources(subject: Subject, training: Placed) -> tuple[Path, tuple[Path, ...]] | None:
    """The program of a training job in script mode, and all Python that lies beside it; None where it is not here."""
    values = get(training.step.arguments, "HyperParameters")
    folder, program = (plain(get(values, f"sagemaker_{name}")) for name in ("submit_directory", "program"))
    files = shipped(subject).get(folder or "", {})
    if program is None or program not in files or not program.endswith(".py"):
        return None
    return files[program], tuple(file for name, file in sorted(files.items()) if name.endswith((".py", ".sh")))

"""Pin the image URIs that a project's pipelines need, in every environment."""

from __future__ import annotations

from pathlib import Path

from mlops.check.pinning import pin_images
from mlops.check.places import shown
from mlops.ir import ConfigurationError, Listener, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.project import lock as locking
from mlops.project.images import ImageDataMissing
from mlops.project.root import LOCK, find_root
from mlops.use_cases.judging import need_sound


@dataclass(frozen=True, slots=True)
class Locked:
    """``text`` is what ``file`` should hold."""

    file: Path
    images: int
    text: str


def pin(target: str | None, listener: Listener) -> Locked:
    """Of the project that TARGET, or the working directory, lies in; writes nothing."""
    if target is not None and not Path(target).exists():
        raise UsageError(f"there is no {target}")
    root = find_root(Path(target or Path.cwd()).resolve())
    try:
        images, findings = pin_images(root)
    except ImageDataMissing as error:
        raise ConfigurationError(
            error.message,
            hint="pip install 'sagemaker>=3' brings it; what mlops.lock holds stays; an image can be given by its URI",
        ) from error
    need_sound(findings, listener, doing="lock")
    return Locked(root / LOCK, len(set(images.values())), locking.render(images))


def write(locked: Locked) -> bool:
    """False where nothing was new."""
    return locking.write(locked.file, locked.text)


def need_current(locked: Locked) -> None:
    """Raises Refusal where the file holds something else."""
    if not locked.file.is_file() or locked.file.read_text(encoding="utf-8") != locked.text:
        raise Refusal(f"{shown(locked.file)} is stale", hint="run `mlops lock` and commit it")

"""What opening targets asks of the layers above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlops.ir import Definition, Finding
from mlops.ir.dataclass import dataclass
from mlops.ports import Port

if TYPE_CHECKING:
    from mlops.project.environments import Environment
    from mlops.project.images import ImageRequest


@dataclass(frozen=True, slots=True)
class Lowered:
    """A definition with what was found when it was made."""

    definition: Definition
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Composed:
    """``findings`` are those of the file. ``declared``: its pipelines are of our own language, lowered, and not of the
    official SDK."""

    definitions: tuple[Lowered, ...]
    findings: tuple[Finding, ...]
    declared: bool = False
    images: tuple[ImageUse, ...] = ()
    """What its pipelines ask for, where any image was taken."""


@dataclass(frozen=True, slots=True)
class ImageUse:
    """What a lowering asks for: an image, and where it is used."""

    request: ImageRequest
    region: str
    instance_type: str | None
    scope: str


@dataclass(frozen=True, slots=True)
class AnyImage:
    """Stands where a compile has the lock, where the URI does not matter; ``uses`` are added to."""

    uses: list[ImageUse] = field(default_factory=list)

    def uri(self, request: ImageRequest, region: str, instance_type: str | None, scope: str) -> str:
        self.uses.append(ImageUse(request, region, instance_type, scope))
        return str(request)


class Composer(Protocol):
    """What runs a file of any author where it is closed in, and never raises for what the file does."""

    def __call__(
        self, file: Path, name: str | None, environment: Environment, root: Path, *, any_image: bool = False
    ) -> Composed:
        """``name`` chooses a pipeline, or the function that builds it. With ``any_image`` our own pipelines are lowered
        without a lock."""
        ...


COMPOSER: Port[Composer] = Port("composer")

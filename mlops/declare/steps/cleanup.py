"""Cleanup: delete what other steps left in S3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from mlops.declare.records import record
from mlops.declare.references import DataReference, lower
from mlops.declare.steps.base import After, Shared, Step, without_none
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Value

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

STEP_TYPE = StepType(
    type="Cleanup",
    permissions=("s3:DeleteObject", "s3:ListBucket"),
)


@record
class Objects:
    """The exact objects ``uris`` below the outputs of ``step``: a Processing or Transform step wants them named."""

    step: Step | str
    uris: Sequence[DataReference | Text]


class Cleanup(Step):
    """Deletes outputs of ``sources`` once they have run: a Training step alone, for other steps :class:`Objects`.

    Sources are waited for; list one in ``after`` too where it is to be cleaned up on another outcome. The execution's
    role needs ``s3:DeleteObject``; a source in a VPC cannot be cleaned up.
    """

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        sources: Sequence[Step | str | Objects],
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.sources = [item if isinstance(item, Objects) else Objects(item, ()) for item in sources]
        for source in self.sources:
            if _name(source.step) not in map(_name, self.after):
                self.after.append(source.step)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        listed = (
            {"StepName": _name(source.step), "S3Uris": lower(list(source.uris)) if source.uris else None}
            for source in self.sources
        )
        return {"Resources": {"S3": tuple(map(without_none, listed))}}


def _name(source: Step | str | After) -> str:
    step = source.step if isinstance(source, After) else source
    return step if isinstance(step, str) else step.name

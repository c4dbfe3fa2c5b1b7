"""Cleanup: delete what other steps left in S3."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import Unpack

from mlops.declare.members import without_none
from mlops.declare.records import record
from mlops.declare.references import DataReference, lower
from mlops.declare.steps.base import After, Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Value
from mlops.ir.fields import LINK, REQUIRED, WORDS, Constructor, Field, Given, Made, Said, Spoken, StepNamed
from mlops.ir.shape_notation import STRING_SHAPE, list_of, structure

__all__ = ["Cleanup", "Objects"]

STEP_TYPE = StepType(
    type="Cleanup",
    # As the official SDK's cleanup_step writes it.
    arguments=structure(
        ("Resources",),
        Resources=structure(
            ("S3",),
            S3=list_of(structure(("StepName",), StepName=STRING_SHAPE, S3Uris=list_of(STRING_SHAPE, min=1)), min=1),
        ),
    ),
    action="cleanup",
    permissions=("s3:DeleteObject", "s3:ListBucket"),
    not_in_states="no call removes all objects below a prefix; give them a lifecycle rule of the bucket",
)


@record
class Objects:
    """The exact objects ``uris`` below the outputs of ``step``: a Processing or Transform step wants them named."""

    step: Step | str
    uris: Sequence[DataReference | Text]


def _sources(step: Cleanup, *_: object) -> Value:
    listed = (
        {"StepName": _name(source.step), "S3Uris": lower(list(source.uris)) if source.uris else None}
        for source in step.sources
    )
    return tuple(map(without_none, listed))


def _said_sources(given: Given) -> Spoken | None:
    listed = given.at("Resources.S3")
    said: list[Spoken] = []
    for item in listed if isinstance(listed, tuple) else ():
        match item:
            case {"StepName": str(name), "S3Uris": tuple(uris)}:
                said.append(Made("Objects", [StepNamed(name), [Said(uri, LINK.accepts) for uri in uris]]))
            case {"StepName": str(name)}:
                said.append(StepNamed(name))
            case _:
                return None
    return said or None


class Cleanup(Step):
    """Deletes outputs of ``sources`` once they have run: a Training step alone, for other steps :class:`Objects`.

    Sources are waited for; list one in ``after`` too where it is to be cleaned up on another outcome. The execution's
    role needs ``s3:DeleteObject``; a source in a VPC cannot be cleaned up.
    """

    step_type = STEP_TYPE
    constructor = Constructor((Field("sources", "Resources.S3", WORDS, REQUIRED, to=_sources, said=_said_sources),))

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


def _name(source: Step | str | After) -> str:
    step = source.step if isinstance(source, After) else source
    return step if isinstance(step, str) else step.name

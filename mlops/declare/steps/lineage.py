"""Lineage: write down what came from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import Unpack

from mlops.declare.members import merge, without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import DataReference, ModelReference, Poison, Reference, StringProperty, lower
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Unknown, Value
from mlops.ir.shape_notation import STRING_SHAPE, list_of, one_of, structure

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

__all__ = ["Action", "Artifact", "Association", "Context", "Lineage"]

_END = structure(Arn=STRING_SHAPE, Name=STRING_SHAPE, Type=one_of("Action", "Artifact", "Context"))
"""One end of an association, as the official SDK's lineage_step writes it."""

STEP_TYPE = StepType(
    type="Lineage",
    arguments=structure(
        Actions=list_of({"shape": "CreateActionRequest"}),
        Artifacts=list_of({"shape": "CreateArtifactRequest"}),
        Contexts=list_of({"shape": "CreateContextRequest"}),
        Associations=list_of(
            structure(
                ("Source", "Destination"),
                Source=_END,
                Destination=_END,
                AssociationType={"shape": "AssociationEdgeType"},
            )
        ),
    ),
    extra_response={"ActionArns": None, "ArtifactArns": None, "ContextArns": None, "Associations": None},
    permissions=(
        "sagemaker:AddAssociation",
        "sagemaker:AddTags",
        "sagemaker:CreateAction",
        "sagemaker:CreateArtifact",
        "sagemaker:CreateContext",
    ),
)


@record
class Entity:
    """What lineage connects: an :class:`Action`, an :class:`Artifact` or a :class:`Context`. ``source`` is its URI,
    ``type`` a word of yours; ``arguments`` is merged into the request that creates it."""

    kind: ClassVar[str]

    name: Text
    source: DataReference | ModelReference | Text
    type: Text
    properties: Mapping[str, Text] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def request(self) -> dict[str, Value]:
        return merge(
            without_none(
                {
                    f"{self.kind}Name": lower(self.name),
                    "Source": {"SourceUri": lower(self.source)},
                    f"{self.kind}Type": lower(self.type),
                    "Properties": lower(self.properties) or None,
                }
            ),
            self.arguments,
        )


class Action(Entity):
    """Something that was done, e.g. of type ``ModelTraining``."""

    __slots__ = ()
    kind = "Action"


class Artifact(Entity):
    """Something that there is, e.g. of type ``Model`` or ``DataSet``."""

    __slots__ = ()
    kind = "Artifact"


class Context(Entity):
    """What other entities belong to, e.g. of type ``Experiment``."""

    __slots__ = ()
    kind = "Context"


@record
class Association:
    """``source`` stands before ``destination``; an end is an entity of the same step, or the ARN of any other."""

    source: Entity | Text
    destination: Entity | Text
    type: Literal["ContributedTo", "AssociatedWith", "DerivedFrom", "Produced", "SameAs"] | None = None


class Lineage(Step):
    """Makes ``entities`` and then ``associations`` between them, or with others by ARN."""

    step_type = STEP_TYPE

    def __init__(
        self,
        name: str,
        *,
        entities: Sequence[Entity] = (),
        associations: Sequence[Association] = (),
        **shared: Unpack[Shared],
    ) -> None:
        super().__init__(name, **shared)
        self.entities = list(entities)
        self.associations = list(associations)
        if not self.entities and not self.associations:
            help = 'e.g. entities=[Artifact("model", train.model, "Model")]'
            misuse("D041", f"{name}: neither entities nor associations", help=help, step=name)
            self.poisoned = True
        for association in self.associations:
            for end in (association.source, association.destination):
                if isinstance(end, Entity):
                    self._is_sibling(end)

    def arn(self, entity: Entity) -> StringProperty:
        """The ARN of an entity that this step makes."""
        if not self._is_sibling(entity):
            return Poison()  # type: ignore[return-value]
        if isinstance(entity.name, Reference):
            misuse(
                "D002",
                f"{self.name}: the name of the {entity.kind} is known only when the pipeline runs, so no path leads to "
                "its ARN",
                help="give the entity a name of plain text",
                step=self.name,
            )
            return Poison()  # type: ignore[return-value]
        return StringProperty(self.name, f"{entity.kind}Arns['{entity.name}']")

    def request(self, lowering: Lowering) -> dict[str, Value]:
        def made(kind: str) -> Value:
            return tuple(entity.request() for entity in self.entities if entity.kind == kind) or None

        return without_none(
            {
                "Actions": made("Action"),
                "Artifacts": made("Artifact"),
                "Contexts": made("Context"),
                "Associations": tuple(self._association(item) for item in self.associations) or None,
            }
        )

    def _association(self, association: Association) -> Value:
        return without_none(
            {
                "Source": self._end(association.source),
                "Destination": self._end(association.destination),
                "AssociationType": lower(association.type),
            }
        )

    def _end(self, end: Entity | Text) -> Value:
        if isinstance(end, Poison):
            return Unknown()
        if not isinstance(end, Entity):
            return {"Arn": lower(end)}
        return {"Name": lower(end.name), "Type": end.kind} if end in self.entities else Unknown()

    def _is_sibling(self, entity: Entity) -> bool:
        if entity in self.entities:
            return True
        misuse(
            "D091",
            f"{self.name} makes no such {entity.kind}: {entity.name!r}",
            help="add it to entities, or give the ARN of an entity that is made elsewhere",
            step=self.name,
        )
        return False

"""Lineage: write down what came from what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import Unpack

from mlops.declare.members import record_of, without_none
from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import DataReference, ModelReference, Poison, Reference, StringProperty, lower
from mlops.declare.steps.base import Shared, Step
from mlops.declare.steps.shared_arguments import Text
from mlops.ir import StepType, Unknown, Value
from mlops.ir.fields import (
    ARTIFACT,
    REQUIRED,
    TEXT,
    TEXT_MAP,
    WORDS,
    Constructor,
    Field,
    Given,
    Kept,
    Made,
    Of,
    Record,
    Said,
    Spoken,
    each,
    made,
    objects,
)
from mlops.ir.shape_notation import STRING_SHAPE, list_of, one_of, structure
from mlops.ir.values import same

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
    action="lineage",
    permissions=(
        "sagemaker:AddAssociation",
        "sagemaker:AddTags",
        "sagemaker:CreateAction",
        "sagemaker:CreateArtifact",
        "sagemaker:CreateContext",
    ),
    not_in_states="its entities name each other by what pipelines know; make them in a Lambda step",
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


def _entity(of: type[Entity]) -> Record:
    fields = (
        Field("name", f"{of.kind}Name", TEXT, REQUIRED),
        Field("source", "Source.SourceUri", ARTIFACT, REQUIRED),
        Field("type", f"{of.kind}Type", TEXT, REQUIRED),
        Field("properties", "Properties", TEXT_MAP, {}),
    )
    return Record(of, fields, positional=3, rest=True)


_ENTITIES = {f"{of.kind}s": _entity(of) for of in (Action, Artifact, Context)}


def _made(member: str) -> Callable[..., Value]:
    def to(step: Lineage, lowering: Lowering, _: Step) -> Value:
        of, record = _ENTITIES[member].of, _ENTITIES[member]
        return tuple(record_of(item, record, lowering, step) for item in step.entities if isinstance(item, of)) or None

    return to


def _associations(step: Lineage, *_: object) -> Value:
    return (
        tuple(
            without_none(
                {
                    "Source": _end(step, item.source),
                    "Destination": _end(step, item.destination),
                    "AssociationType": lower(item.type),
                }
            )
            for item in step.associations
        )
        or None
    )


def _end(step: Lineage, end: Entity | Text) -> Value:
    if isinstance(end, Poison):
        return Unknown()
    if not isinstance(end, Entity):
        return {"Arn": lower(end)}
    return {"Name": lower(end.name), "Type": end.kind} if end in step.entities else Unknown()


_SIDES = ("Source", "Destination")


def _told(given: Given) -> list[tuple[Mapping[str, Value], Spoken]] | None:
    """The entities in the order of their kinds, each by what an association calls it; None where one has no name."""
    found: list[tuple[Mapping[str, Value], Spoken]] = []
    for member, entity in _ENTITIES.items():
        for item in objects(given.at(member)):
            name = item.get(f"{entity.name}Name")
            if name is None:
                return None
            end: Mapping[str, Value] = {"Name": name, "Type": entity.name}
            spoken: Spoken = Of(made(entity), item)
            if any(same(end, other) for other in _ends(given)):
                hint = name if isinstance(name, str) and name else entity.name
                spoken = Kept(str(len(found)), hint, spoken)
            found.append((end, spoken))
    return found


def _ends(given: Given) -> list[Value]:
    return [item.get(side) for item in objects(given.at("Associations")) for side in _SIDES]


def _said_entities(given: Given) -> Spoken | None:
    return [spoken for _, spoken in _told(given) or ()] or None


def _said_associations(given: Given) -> Spoken | None:
    entities, said = _told(given), list[Spoken]()
    for item in objects(given.at("Associations")):
        ends = [_said_end(item.get(side), entities or []) for side in _SIDES]
        known = [end for end in ends if end is not None]
        kind = item.get("AssociationType")
        if entities is None or len(known) != len(_SIDES) or not (kind is None or isinstance(kind, str)):
            return None
        said.append(Made("Association", [*known, *([] if kind is None else [Said(kind)])]))
    return said or None


def _said_end(end: Value, entities: Sequence[tuple[Mapping[str, Value], Spoken]]) -> Spoken | None:
    match end:
        case {"Arn": arn, **rest} if not rest:
            return Said(arn, TEXT.accepts)
    return next((spoken for known, spoken in entities if same(known, end)), None)


FIELDS = (
    # They own nothing: an order of kinds that is not ours is the document's own.
    Field("entities", "Actions", each(*_ENTITIES.values()), (), to=_made("Actions"), said=_said_entities, owns=""),
    Field("", "Artifacts", each(), to=_made("Artifacts")),
    Field("", "Contexts", each(), to=_made("Contexts")),
    Field("associations", "Associations", WORDS, (), to=_associations, said=_said_associations),
)


class Lineage(Step):
    """Makes ``entities`` and then ``associations`` between them, or with others by ARN."""

    step_type = STEP_TYPE
    constructor = Constructor(FIELDS)

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

    def _is_sibling(self, entity: Entity) -> bool:
        if entity in self.entities or "entities" in self.wrong:
            return True
        misuse(
            "D091",
            f"{self.name} makes no such {entity.kind}: {entity.name!r}",
            help="add it to entities, or give the ARN of an entity that is made elsewhere",
            step=self.name,
        )
        return False

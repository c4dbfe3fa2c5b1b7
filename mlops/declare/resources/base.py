"""What all declared resources share: they are made like steps, and belong to the file and not to a pipeline."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from mlops.declare.declaring import declare
from mlops.declare.members import tags
from mlops.declare.misuse import collecting, misuse, speaking_of
from mlops.declare.resources.by_environment import chosen, depends
from mlops.declare.source_line import author_line
from mlops.declare.steps.base import Step, StepMeta, make
from mlops.declare.wrong_arguments import unjudged
from mlops.ir import Step as StepRecord
from mlops.ir import Value
from mlops.ir.resource import NAME, NAMED_BY, kind_of, label_of

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

R = TypeVar("R", bound="DeclaredResource")


class _ResourceMeta(StepMeta):
    # Hidden from type checkers, as in the metaclass of steps.
    if not TYPE_CHECKING:

        def __call__(cls: type[R], *args: Any, **kwargs: Any) -> R:
            if not depends(args) and not depends(kwargs):
                resource = super().__call__(*args, **kwargs)
            else:
                resource = _unchosen(cls, args, kwargs)
                resource.join()
            resource.given = (args, kwargs)
            return resource


def _unchosen(cls: type[R], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> R:
    """One that is judged for each environment, when it is known what it says there; until then it has a name."""
    resource = cls.__new__(cls)
    resource.where = author_line()
    with collecting(), unjudged():
        resource.known(kwargs.get("name", args[0] if args else "?"), None, None)
    return resource


class DeclaredResource(Step, metaclass=_ResourceMeta):
    """``declared_name`` is what its author calls it. As a step of the document that is checked it is called by its kind
    too, so that a model, its configuration and its endpoint may have one name. Where the account calls it the same,
    ``named_by`` is the member of the request that says so; else a digest of what is in it comes behind."""

    kind: ClassVar[str]
    named_by: ClassVar[str | None] = None
    given: tuple[tuple[Any, ...], Mapping[str, Any]]
    declared_name: str
    tags: Mapping[str, str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # What several kinds share has none of its own.
        if hasattr(cls, "step_type"):
            cls.kind = kind_of(cls.step_type.type)
        cls.called = f"resources.{cls.__name__}"

    def join(self) -> None:
        declare(self)

    def known(self, name: str, tags: Mapping[str, str] | None, arguments: Mapping[str, Any] | None) -> None:
        """Keep what every resource takes."""
        # What is no name would be told again as a step's.
        known = isinstance(name, str) if self.named_by is not None else is_name(self.kind, name)
        self.share(label_of(self.kind, name if known else str(self.where.line)), {"arguments": arguments})
        self.declared_name = name
        self.tags = dict(tags or {})

    @property
    def label(self) -> str:
        return f"the {self.kind} {self.declared_name}"

    def record(self, lowering: Lowering) -> StepRecord:
        args, kwargs = self.given
        if not depends(args) and not depends(kwargs):
            return super().record(lowering)
        with speaking_of(self.where):
            environment = lowering.environment.name
            resource = make(
                type(self),
                self.where,
                chosen(args, environment, self.label),
                chosen(kwargs, environment, self.label),
            )
        return Step.record(resource, lowering)

    def request(self, lowering: Lowering) -> dict[str, Value]:
        named = {} if self.named_by is None else {self.named_by: self.declared_name}
        told = {**named, **super().request(lowering)}
        listed = tags(lowering, self.tags)
        return {**told, "Tags": listed} if listed else told

    def envelope(self, lowering: Lowering) -> dict[str, Value]:
        """Beside the request: what it is called, for whoever deploys it."""
        named = {} if self.named_by is None else {NAMED_BY: self.named_by}
        return {**super().envelope(lowering), NAME: self.declared_name, **named}


def is_name(kind: str, name: object) -> bool:
    """It becomes part of a name in the account; what cannot is told."""
    if not isinstance(name, str) or re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,51}", name):
        return isinstance(name, str)
    help = "use 1 to 52 letters, digits and dashes, beginning and ending with a letter or a digit"
    misuse("D042", f"{name!r} is no name for the {kind}", help=help)
    return False

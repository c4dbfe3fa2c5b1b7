"""Which constructors of the language may say a step, the best first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

from mlops.emit.python.arguments import Argument, Constructor, Facts
from mlops.emit.python.check_constructors import CHECKS
from mlops.emit.python.constructors import CONSTRUCTORS
from mlops.emit.python.source import Node, string
from mlops.emit.python.training_constructors import NOTEBOOK, SCHEDULER
from mlops.ir import Step, fields

_BY_TYPE: Mapping[str, Constructor] = {
    **CONSTRUCTORS,
}


def choices(step: Step, constructors: Sequence[fields.Constructor]) -> Sequence[Constructor]:
    """The last is that of any type, in the document's words."""
    found: list[Constructor] = []
    match step.arguments:
        case {"AlgorithmSpecification": {"ContainerEntrypoint": (entry,)}} if entry == SCHEDULER:
            found.append(NOTEBOOK)
    found += [_known(item) for item in constructors if item.type == step.type and (not item.says or item.says(step))]
    kind = step.members.get("CheckType")
    check = CHECKS.get((step.type, kind)) if isinstance(kind, str) else None
    known = _BY_TYPE.get(step.type) if check is None else check
    return [
        *found,
        *([] if known is None else [known]),
        *([] if step.blocks else [_known(item) for item in constructors if not item.type]),
    ]


def _known(constructor: fields.Constructor) -> Constructor:
    named = [field for field in constructor.fields if field.name]
    return Constructor(
        constructor.name,
        arguments=tuple(
            Argument(field.name, partial(_written, field), field.owner.removeprefix("/")) for field in named
        ),
        required=(*(field.name for field in named if field.default is fields.REQUIRED), *constructor.needs),
        positional=tuple(constructor.positional),
        properties={path: (attribute(item), item.kind) for path, item in constructor.yields.items()},
        patterns=tuple((re.compile(item.path), item.attribute, item.kind) for item in constructor.patterns),
        shared=constructor.merges,
        fields=tuple(named),
        inner=constructor.inner,
    )


def _written(field: fields.Field, facts: Facts) -> Node | None:
    return facts.telling.argument(field)


def attribute(item: fields.Yielded) -> str:
    return item.attribute if item.key is None else f"{item.attribute}[{string(item.key)}]"

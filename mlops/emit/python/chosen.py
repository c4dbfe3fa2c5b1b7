"""Which constructors of the language may say a step, the best first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops.emit.python.arguments import Constructor
from mlops.emit.python.check_constructors import CHECKS
from mlops.emit.python.constructors import CONSTRUCTORS, FOR_EACH, OTHER
from mlops.emit.python.lineage_constructor import LINEAGE
from mlops.emit.python.model_constructors import MODEL, REGISTER_MODEL
from mlops.emit.python.service_constructors import SERVICE_CONSTRUCTORS
from mlops.emit.python.training_constructors import NOTEBOOK, SCHEDULER, TRAINING, TUNING
from mlops.ir import Step

_BY_TYPE: Mapping[str, Constructor] = {
    **CONSTRUCTORS,
    **SERVICE_CONSTRUCTORS,
    "ForEach": FOR_EACH,
    "Lineage": LINEAGE,
    "Model": MODEL,
    "RegisterModel": REGISTER_MODEL,
    "Training": TRAINING,
    "Tuning": TUNING,
}
TYPES = frozenset(_BY_TYPE) | {kind for kind, _ in CHECKS} | {"Condition"}
"""Types of steps that are written with a constructor of their own."""


def choices(step: Step) -> Sequence[Constructor]:
    """The last is that of any type, in the document's words."""
    found: list[Constructor] = []
    match step.arguments:
        case {"AlgorithmSpecification": {"ContainerEntrypoint": (entry,)}} if entry == SCHEDULER:
            found.append(NOTEBOOK)
    kind = step.members.get("CheckType")
    check = CHECKS.get((step.type, kind)) if isinstance(kind, str) else None
    known = _BY_TYPE.get(step.type) if check is None else check
    if known is FOR_EACH and [block.member for block in step.blocks] != ["ForEachBody"]:
        known = None
    return [*found, *([] if known is None else [known]), *([] if step.blocks else [OTHER])]

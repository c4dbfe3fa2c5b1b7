"""A machine of a source: of the pipeline, or of a promotion; as it is, or as a template with its role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.emit.policies.promotion import promotion_needs
from mlops.emit.states.machine import LARGEST_BYTES, Written, written
from mlops.emit.states.needs import machine_needs
from mlops.emit.states.promotion import promotion_machine
from mlops.emit.states.stack import machine_template
from mlops.ir import UsageError
from mlops.ir.target import Source


def machine(source: Source, group: str | None) -> Written:
    """Of the promotion of ``group``, of the only one where it is empty; of the pipeline where it is None."""
    partition = source.around().partition
    if group is None:
        found = written(source.checked, partition)
    else:
        promoted = source.beside().promoted(group or None)
        found = Written(promotion_machine(promoted, partition), promoted.notes)
    size = len(json.dumps(found.machine, indent=2, ensure_ascii=False).encode())
    if size > LARGEST_BYTES:
        raise UsageError(
            f"the machine has {size:,} bytes, and Step Functions takes {LARGEST_BYTES:,}", hint="divide the pipeline"
        )
    return found


def template(source: Source, group: str | None) -> Mapping[str, Any]:
    around, found = source.around(), machine(source, group).machine
    name = source.checked.definition.name or "pipeline"
    if group is None:
        return machine_template(found, name, machine_needs(source.checked, around, found), around)
    promoted = source.beside().promoted(group or None)
    return machine_template(found, f"{promoted.group}-promotion", promotion_needs(promoted, around), around)

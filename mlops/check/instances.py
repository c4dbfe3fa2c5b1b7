"""What an instance type's name tells of its machine."""

from __future__ import annotations

import re

_NAME = re.compile(r"ml\.(?P<family>[a-z][a-z0-9-]*)\.[a-z0-9]+")
_LOCAL_STORAGE = re.compile(
    r"p4d|p4de|p5|p5e|p5en|p6|p6-.*|trn1|trn1n|trn2|g4dn|g5|g6|g6e|[cmr]\d+[a-z]*d[a-z]*|i\d[a-z]*"
)


def family(instance: str) -> str | None:
    """
    >>> family("ml.g4dn.xlarge")
    'g4dn'
    """
    match = _NAME.fullmatch(instance)
    return match["family"] if match else None


def accelerator(instance: str) -> str | None:
    """``gpu``, ``neuron`` or ``cpu``; None where the name is none.

    >>> [accelerator(f"ml.{name}.xlarge") for name in ("p3", "trn1", "m5", "inf2", "g6e")]
    ['gpu', 'neuron', 'cpu', 'neuron', 'gpu']
    """
    name = family(instance)
    if name is None:
        return None
    if name.startswith(("inf", "trn")):
        return "neuron"
    return "gpu" if name[0] in "gp" else "cpu"


def has_local_storage(instance: str) -> bool:
    """Whether its own disks take the place of a volume; they cannot be encrypted with a key of one's own."""
    name = family(instance)
    return name is not None and _LOCAL_STORAGE.fullmatch(name) is not None

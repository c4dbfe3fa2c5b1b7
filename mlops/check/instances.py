"""What an instance type's name tells of its machine."""

from __future__ import annotations

import re
from collections.abc import Mapping

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


_ONE_FOUR_EIGHT = {"xlarge": 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "12xlarge": 4, "16xlarge": 1, "24xlarge": 4}
_ACCELERATORS: Mapping[str, Mapping[str, int]] = {
    "p2": {"xlarge": 1, "8xlarge": 8, "16xlarge": 16},
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
    "g4dn": _ONE_FOUR_EIGHT,
    "g5": {**_ONE_FOUR_EIGHT, "48xlarge": 8},
    "g6": {**_ONE_FOUR_EIGHT, "48xlarge": 8},
    "g6e": {**_ONE_FOUR_EIGHT, "48xlarge": 8},
    "inf1": {"xlarge": 1, "2xlarge": 1, "6xlarge": 4, "24xlarge": 16},
    "inf2": {"xlarge": 1, "8xlarge": 1, "24xlarge": 6, "48xlarge": 12},
    "trn1": {"2xlarge": 1, "32xlarge": 16},
    "trn1n": {"32xlarge": 16},
}
"""By family and size: of GPUs as the official SDK's image_uri_config/instance_gpu_info.json has them, which a test
compares; of Neuron devices, and of families that are newer, by EC2's pages of accelerated instance types."""


def accelerators(instance: str) -> int | None:
    """How many GPUs or Neuron devices it has; None where that is not known.

    >>> [accelerators(f"ml.{name}xlarge") for name in ("g5.2", "g5.12", "p4d.24", "inf2.48", "g9.")]
    [1, 4, 8, 12, None]
    """
    if accelerator(instance) == "cpu":
        return 0
    return _ACCELERATORS.get(family(instance) or "", {}).get(instance.rpartition(".")[2])

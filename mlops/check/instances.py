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


_GRAVITON = re.compile(r"[a-z]+\d+g[a-z]*")


def is_graviton(instance: str) -> bool:
    """Whether its processor is of ARM's architecture.

    >>> [is_graviton(f"ml.{name}.large") for name in ("m6g", "c7gn", "r7gd", "g5", "m5", "g4dn", "t4g")]
    [True, True, True, False, False, False, True]
    """
    name = family(instance)
    return name is not None and _GRAVITON.fullmatch(name) is not None and accelerator(instance) == "cpu"


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


_CORES: Mapping[str, int] = {
    "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "9xlarge": 36, "10xlarge": 40, "12xlarge": 48,
    "16xlarge": 64, "18xlarge": 72, "24xlarge": 96, "32xlarge": 128, "48xlarge": 192,
}  # fmt: skip
_GIB_A_CORE = re.compile(r"(?P<c>c5d?|c[678][a-z]{0,2})|(?P<m>m4|m5d?|m[678][a-z]{0,2})|(?P<r>r5d?|r[678][a-z]{0,2})")
_RATIO = {"c": 2, "m": 4, "r": 8}
_GPU_GIB = {"xlarge": 16, "2xlarge": 32, "4xlarge": 64, "8xlarge": 128, "12xlarge": 192, "16xlarge": 256,
            "24xlarge": 384, "48xlarge": 768}  # fmt: skip
_GIB: Mapping[str, Mapping[str, tuple[int, int]]] = {
    **{name: {size: (_CORES[size], gib) for size, gib in _GPU_GIB.items()} for name in ("g4dn", "g5", "g6")},
    "g6e": {size: (_CORES[size], 2 * gib) for size, gib in _GPU_GIB.items()},
    "p3": {"2xlarge": (8, 61), "8xlarge": (32, 244), "16xlarge": (64, 488)},
    "p3dn": {"24xlarge": (96, 768)},
    "p4d": {"24xlarge": (96, 1152)},
    "p4de": {"24xlarge": (96, 1152)},
    "p5": {"4xlarge": (16, 256), "48xlarge": (192, 2048)},
    "inf1": {"xlarge": (4, 8), "2xlarge": (8, 16), "6xlarge": (24, 48), "24xlarge": (96, 192)},
    "inf2": {"xlarge": (4, 16), "8xlarge": (32, 128), "24xlarge": (96, 384), "48xlarge": (192, 768)},
    "trn1": {"2xlarge": (8, 32), "32xlarge": (128, 512)},
    "t2": {"medium": (2, 4), "large": (2, 8), "xlarge": (4, 16), "2xlarge": (8, 32)},
}
"""vCPUs and GiB by family and size, by EC2's pages of instance types."""


def cores_and_memory(instance: str) -> tuple[int, int] | None:
    """vCPUs and GiB; None where they are not known.

    >>> [cores_and_memory(f"ml.{name}") for name in ("m5.large", "c7i.4xlarge", "r5.xlarge", "g5.2xlarge", "x9.large")]
    [(2, 8), (16, 32), (4, 32), (8, 32), None]
    """
    name, size = family(instance) or "", instance.rpartition(".")[2]
    if name in _GIB:
        return _GIB[name].get(size)
    match, cores = _GIB_A_CORE.fullmatch(name), _CORES.get(size)
    if match is None or match.lastgroup is None or cores is None:
        return None
    return cores, cores * _RATIO[match.lastgroup]


_DISKS_OF_D = {
    "large": 75, "xlarge": 150, "2xlarge": 300, "4xlarge": 600, "8xlarge": 1200, "12xlarge": 1800, "16xlarge": 2400,
    "24xlarge": 3600,
}  # fmt: skip
_DISKS_OF_G = {
    "xlarge": 250, "2xlarge": 450, "4xlarge": 600, "8xlarge": 900, "12xlarge": 3800, "16xlarge": 1900, "24xlarge": 3800,
    "48xlarge": 7600,
}  # fmt: skip
_DISKS: Mapping[str, Mapping[str, int]] = {
    "m5d": _DISKS_OF_D,
    "r5d": _DISKS_OF_D,
    "c5d": {
        "large": 50, "xlarge": 100, "2xlarge": 200, "4xlarge": 400, "9xlarge": 900, "12xlarge": 1800, "18xlarge": 1800,
        "24xlarge": 3600,
    },
    "g4dn": {"xlarge": 125, "2xlarge": 225, "4xlarge": 225, "8xlarge": 900, "12xlarge": 900, "16xlarge": 900},
    "g5": _DISKS_OF_G,
    "g6": _DISKS_OF_G,
    "g6e": _DISKS_OF_G,
    "p3dn": {"24xlarge": 1800},
    "p4d": {"24xlarge": 8000},
    "p4de": {"24xlarge": 8000},
    "trn1": {"2xlarge": 474, "32xlarge": 7600},
}  # fmt: skip
"""GB of their own disks together, by EC2's pages of instance types."""


def own_disks(instance: str) -> int | None:
    """GB; None where it has none, or where that is not known.

    >>> [own_disks(f"ml.{name}") for name in ("g4dn.xlarge", "m5.xlarge", "m5d.xlarge")]
    [125, None, 150]
    """
    return _DISKS.get(family(instance) or "", {}).get(instance.rpartition(".")[2])

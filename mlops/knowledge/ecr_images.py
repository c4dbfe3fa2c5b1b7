"""Image URIs of ECR, taken apart by their names."""

from __future__ import annotations

import re

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(-fips)?[.-](?P<region>[a-z0-9-]+)\.[a-z.]+"
    r"/(?P<repository>[^:@]+)(:(?P<tag>[^@]*))?(@.*)?"
)
_LONGEST = 1023


def in_ecr(uri: str) -> re.Match[str] | None:
    """``account``, ``region``, ``repository`` and ``tag``, which may be None; None where it is no image in ECR.

    >>> in_ecr("763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.3.0-gpu-py311")["repository"]
    'pytorch-training'
    """
    return _IMAGE.fullmatch(uri) if len(uri) <= _LONGEST else None

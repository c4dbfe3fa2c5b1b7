"""What Terraform calls what a template names: its own words, in small letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from mlops.emit.stacks.logical_ids import short_hash

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """
    >>> snake("EndpointConfigChurn2"), snake("API-KEY")
    ('endpoint_config_churn2', 'api_key')
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", _HUMP.sub("_", name)).lower().strip("_") or "_"


def names(logical: Iterable[str]) -> Mapping[str, str]:
    """By logical id. Where two would be one, both have a hash.

    >>> names(["ModelAb", "ModelAB", "Role"])
    {'ModelAb': 'model_ab_dcddbcf6', 'ModelAB': 'model_ab_9841f513', 'Role': 'role'}
    """
    plain = {name: snake(name) for name in logical}
    times = Counter(plain.values())
    return {name: f"{shown}_{short_hash(name)}" if times[shown] > 1 else shown for name, shown in plain.items()}

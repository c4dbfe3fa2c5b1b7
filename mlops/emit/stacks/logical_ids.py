"""What resources are called inside of a template: letters and digits, the same for the same resource whatever else
there is."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping

_SHOWN = 120


def logical_ids(named: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """By kind and name. Where two names would be one, both have a hash.

    >>> logical_ids([("model", "churn"), ("endpoint-config", "churn-2")])
    {('model', 'churn'): 'ModelChurn', ('endpoint-config', 'churn-2'): 'EndpointConfigChurn2'}
    >>> sorted(logical_ids([("model", "a-b"), ("model", "aB")]).values())
    ['ModelAB280b1e89', 'ModelAB761b6e2f']
    """
    keys = list(dict.fromkeys(named))
    plain = {key: (_camel(key[0]) + _camel(key[1]))[:_SHOWN] for key in keys}
    times = Counter(plain.values())
    return {
        key: f"{shown}{short_hash(*key)}" if times[shown] > 1 or len(shown) == _SHOWN else shown
        for key, shown in plain.items()
    }


def _camel(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text))


def short_hash(*words: str) -> str:
    return hashlib.sha256(" ".join(words).encode()).hexdigest()[:8]

"""What a captured request is in an index: only those of its features that somebody has named, with their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from mlops.ir.index import TIME, Index, Kind

FeatureKind: TypeAlias = Literal["keyword", "long", "double", "geo_point"]
Features: TypeAlias = Mapping[str, Mapping[str, FeatureKind]]
"""By endpoint, by name: a member of a request in JSON, the number of a column in CSV, from 0."""

NAME = "mlops-captured"
FEATURE = "feature"
_HEAD: Mapping[str, Kind] = {
    TIME: "date",
    "endpoint": "keyword",
    "variant": "keyword",
    "inference": "keyword",
    "row": "long",
    "environment": "keyword",
    "account": "keyword",
    "region": "keyword",
}
"""``inference`` is the caller's id, or the event's; ``row`` the place in a request of several."""


def captured(features: Features) -> Index:
    """
    >>> captured({"taxi": {"place": "geo_point"}}).fields["feature.place"]
    'geo_point'
    """
    named = {name: kind for endpoint in sorted(features) for name, kind in features[endpoint].items()}
    fields = {f"{FEATURE}.{name}": named[name] for name in sorted(named)}
    return Index(NAME, "captured requests", {**_HEAD, **fields}, (FEATURE,), "row")

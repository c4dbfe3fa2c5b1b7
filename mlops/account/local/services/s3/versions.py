"""Versions of objects: each has the one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.services.s3.listings import list_objects
from mlops.account.local.state import State

_ALIKE = ("Name", "Prefix", "Delimiter", "EncodingType", "MaxKeys", "IsTruncated", "CommonPrefixes")


def list_object_versions(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    # Keys and markers of a reply are in the URL's form where EncodingType says so, which boto3 undoes.
    listed = list_objects(state, {**request, "Marker": request.get("KeyMarker")})
    versions = [{**item, "VersionId": "null", "IsLatest": True} for item in listed["Contents"] or ()]
    last = listed["NextMarker"] or (versions[-1]["Key"] if versions else None)
    return {
        **{member: listed[member] for member in _ALIKE if listed.get(member) is not None},
        "KeyMarker": listed["Marker"],
        "NextKeyMarker": last if listed["IsTruncated"] else None,
        "Versions": versions or None,
    }


OPERATIONS = {"ListObjectVersions": list_object_versions}

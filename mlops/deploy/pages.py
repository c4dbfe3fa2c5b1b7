"""Lists that an account gives page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def items(client: Any, operation: str, member: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    """Every item of ``member`` over all pages."""
    for page in client.get_paginator(operation).paginate(**request):
        yield from page.get(member, [])


def keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    """Of all objects that begin so, without those that only stand for a folder."""
    listed = items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    return [str(item["Key"]) for item in listed if not str(item["Key"]).endswith("/")]

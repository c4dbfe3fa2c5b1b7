"""Where an object of S3 lies, as one text."""

from __future__ import annotations


def split_uri(uri: str) -> tuple[str, str]:
    """
    >>> split_uri("s3://bucket/a/b.csv"), split_uri("s3://bucket")
    (('bucket', 'a/b.csv'), ('bucket', ''))
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key

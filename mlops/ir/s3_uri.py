"""Where an object of S3 lies, as one text."""

from __future__ import annotations

import re

_ON_THE_WEB = re.compile(
    r"https://(?:(?P<bucket>[a-z0-9][a-z0-9.-]*)\.)?s3(?:[.-][a-z0-9.-]*)?\.amazonaws\.com(?:\.cn)?/(?P<path>.+)"
)

# S3's rules for new buckets; they also keep a bucket's folder where it belongs.
_BUCKET_NAME = re.compile(r"(?!xn--|.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DEFAULT_BUCKET = re.compile(r"sagemaker-(?P<region>[a-z]{2}(-[a-z]+)+-\d)-\d{12}")


def is_bucket_name(text: str) -> bool:
    """
    >>> is_bucket_name("acme-data"), is_bucket_name("Acme"), is_bucket_name("..")
    (True, False, False)
    """
    return _BUCKET_NAME.fullmatch(text) is not None


def default_bucket_region(bucket: str) -> str | None:
    """Of the bucket that SageMaker's SDK makes in each region, and calls by it.

    >>> default_bucket_region("sagemaker-eu-west-1-111122223333"), default_bucket_region("acme")
    ('eu-west-1', None)
    """
    found = _DEFAULT_BUCKET.fullmatch(bucket)
    return found["region"] if found is not None else None


def as_s3(uri: str) -> str:
    """The same place beginning with ``s3://``, where it is written as its address on the web, which models may have.

    >>> as_s3("https://acme.s3.eu-west-1.amazonaws.com/m.tar.gz"), as_s3("https://s3-eu-west-1.amazonaws.com/acme/m")
    ('s3://acme/m.tar.gz', 's3://acme/m')
    >>> as_s3("s3://acme/m.tar.gz"), as_s3("https://example.com/m")
    ('s3://acme/m.tar.gz', 'https://example.com/m')
    """
    found = _ON_THE_WEB.fullmatch(uri)
    if found is None:
        return uri
    return f"s3://{found['bucket']}/{found['path']}" if found["bucket"] else f"s3://{found['path']}"


def split_uri(uri: str) -> tuple[str, str]:
    """
    >>> split_uri("s3://bucket/a/b.csv"), split_uri("s3://bucket")
    (('bucket', 'a/b.csv'), ('bucket', ''))
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key

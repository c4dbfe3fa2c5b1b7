"""Places in S3 as they are written."""

from __future__ import annotations

import pytest

from mlops.ir.s3_uri import as_s3

HYPHENS = f"https://s3{'-a' * 60}/m"


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("https://s3.dualstack.eu-west-1.amazonaws.com/acme/a/m.tar.gz", "s3://acme/a/m.tar.gz"),
        ("https://a.b-c.s3.cn-north-1.amazonaws.com.cn/m.tar.gz", "s3://a.b-c/m.tar.gz"),
        ("https://acme.s3-accelerate.amazonaws.com/m", "s3://acme/m"),
        ("https://s3.amazonaws.com.example.com/acme/m", "https://s3.amazonaws.com.example.com/acme/m"),
        pytest.param(HYPHENS, HYPHENS, id="one that took hours"),
    ],
)
def test_addresses_on_the_web(written: str, place: str) -> None:
    assert as_s3(written) == place

"""A stream delivers into a real OpenSearch: by index, once each, and what that refuses lies in the error prefix."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from stream_parts import ARN, BUCKET, ROLE, Stream, failures

from mlops.account.local import LocalAccount
from mlops.observe.search.asking import Ask, asking
from tests.observe.search.place import At

pytestmark = pytest.mark.proof("search")


@pytest.fixture
def ask(opensearch: str) -> Ask:
    return asking(At(opensearch), "us-east-1", lambda: None)


def test_what_is_put_is_found_and_what_fits_no_field_is_kept(opensearch: str, ask: Ask, tmp_path: Path) -> None:
    strict = {"dynamic": "strict", "properties": {"id": {"type": "integer"}, "at": {"type": "date"}}}
    ask("PUT", "/_index_template/drops", {"index_patterns": ["drops-*"], "template": {"mappings": strict}})
    account = LocalAccount(tmp_path / ".mlops", "eu-west-1")
    account.ensure_bucket(BUCKET)
    account.client("firehose").create_delivery_stream(
        DeliveryStreamName="drops",
        AmazonopensearchserviceDestinationConfiguration={
            "RoleARN": ROLE,
            "ClusterEndpoint": "https://search.example.org",
            "IndexName": "drops",
            "IndexRotationPeriod": "OneMonth",
            "S3Configuration": {"RoleARN": ROLE, "BucketARN": ARN},
        },
        Tags=[{"Key": "mlops:deliver-to", "Value": opensearch}],
    )
    stream = Stream(account, "drops")
    poisoned = [b'{"id": "seven"}', b'{"id": 1, "other": 2}', b'{"at": "yesterday"}']
    stream.put(*(json.dumps({"id": number}).encode() for number in range(200)), *poisoned)
    for _ in range(2):  # once more, by whoever did not know that all had arrived
        stands = stream.deliverer.stands
        stream.deliver()
        found = failures(next(iter(stream.objects().values())))
        stream.deliverer._stand(place=stands.place)
        stream.restart()
    ask("POST", "/drops-2018-07/_refresh", None)
    counted: dict[str, Any] = dict(ask("GET", "/drops-2018-07/_count", None))
    assert counted["count"] == 200
    assert [base64.b64decode(item["rawData"]) for item in found] == poisoned
    kinds = [json.loads(item["errorMessage"])["type"] for item in found]
    assert kinds == ["mapper_parsing_exception", "strict_dynamic_mapping_exception", "mapper_parsing_exception"]
    assert {item["errorCode"] for item in found} == {"400"} and {item["esIndexName"] for item in found} == {
        "drops-2018-07"
    }

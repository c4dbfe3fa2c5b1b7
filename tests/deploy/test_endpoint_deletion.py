"""Deleting an endpoint ends when it is gone, and says so where it does not go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.deploy.collecting.deciding import Removal
from mlops.deploy.collecting.removing import remove
from mlops.deploy.endpoints import serving
from mlops.deploy.waiting import Clock
from mlops.ir import Refusal, UsageError

from .shifting.test_controller import ENVIRONMENT, Time

GONE = "gone"


class Slow:
    """An account whose endpoint shows these statuses, one a look, and is gone at ``GONE``."""

    region = "eu-west-1"
    here = None

    def __init__(self, *statuses: str, for_ever: str = GONE) -> None:
        self.statuses: Iterator[str] = chain(statuses, repeat(for_ever))
        self.deleted = 0
        self.written: dict[str, dict[str, Any]] = {}

    def client(self, service: str) -> Slow:
        return self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": str(ENVIRONMENT.account), "Arn": "arn:aws:iam::000000000000:user/me"}

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        status = next(self.statuses)
        if status == GONE:
            raise ClientError(
                {"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}, "DescribeEndpoint"
            )
        made = datetime(2026, 11, 29, tzinfo=UTC)
        arn = f"arn:aws:sagemaker:eu-west-1:{ENVIRONMENT.account}:endpoint/{EndpointName}"
        return {"EndpointArn": arn, "EndpointStatus": status, "EndpointConfigName": "c2", "CreationTime": made}

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": []}

    def put_object(self, Key: str, Body: bytes, **_: str) -> dict[str, str]:
        assert not self.deleted
        self.written[Key] = json.loads(Body)
        return {"ETag": "1"}

    def delete_endpoint(self, EndpointName: str) -> None:
        self.deleted += 1

    def get_paginator(self, operation: str) -> Slow:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Endpoints": []}]


def delete(slow: Slow, clock: Clock) -> None:
    account: Any = slow
    serving.delete(account, ENVIRONMENT, "churn", clock, reason="moved")


def test_it_waits_until_the_endpoint_is_gone() -> None:
    slow, time = Slow("InService", "Deleting", "Deleting"), Time()
    began = time.clock.now()
    delete(slow, time.clock)
    assert slow.deleted == 1
    assert next(slow.statuses) == GONE
    assert time.clock.now() > began
    (note,) = slow.written.values()
    assert [note[name] for name in ("verb", "by", "reason", "before")] == [
        "deleted",
        "arn:aws:iam::000000000000:user/me",
        "moved",
        "c2",
    ]


def test_one_that_somebody_deletes_already_is_waited_for() -> None:
    slow = Slow("Deleting", "Deleting")
    delete(slow, Time().clock)
    assert (slow.deleted, slow.written) == (0, {})


def test_one_that_does_not_go_is_told() -> None:
    with pytest.raises(Refusal, match="the endpoint churn is still Deleting after 900 seconds"):
        delete(Slow("InService", for_ever="Deleting"), Time().clock)


def test_one_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match="there is no endpoint 'churn'; there are: none"):
        delete(Slow(), Time().clock)


@pytest.mark.parametrize(("statuses", "noted"), [(("InService",), ["idle for 30 days"]), (("Deleting",), []), ((), [])])
def test_what_is_cleaned_away_stands_in_its_history(statuses: tuple[str, ...], noted: list[str]) -> None:
    slow = Slow(*statuses)
    account: Any = slow
    removal = Removal("endpoint", "churn", "idle for 30 days")
    remove(account, ENVIRONMENT, [removal], by="ada", reason=None, say=lambda text: None)
    assert [note["reason"] for key, note in slow.written.items() if "promotions/churn/history" in key] == noted
    assert [note["why"] for key, note in slow.written.items() if "removed" in key] == [removal.why]

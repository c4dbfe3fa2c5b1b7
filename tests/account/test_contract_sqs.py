"""Queues of the local account answer as SQS does; moto is asked the same."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops.account import Account
from mlops.account.local import LocalAccount


@pytest.fixture
def sqs(account: Account) -> Any:
    return account.client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName="jobs")["QueueUrl"])


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\(AWS\.SimpleQueueService\.{code}|\({code}")


def received(sqs: Any, queue: str, **more: Any) -> list[dict[str, Any]]:
    return [*sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, **more).get("Messages", [])]


def test_a_message_comes_once_until_it_is_given_back(sqs: Any, queue: str) -> None:
    sent = sqs.send_message(QueueUrl=queue, MessageBody="one")
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"one").hexdigest()
    (message,) = received(sqs, queue, AttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (sent["MessageId"], "one")
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert received(sqs, queue) == []
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = received(sqs, queue, AttributeNames=["ApproximateReceiveCount"])
    assert again["Attributes"] == {"ApproximateReceiveCount": "2"}
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_batches(sqs: Any, queue: str) -> None:
    entries = [{"Id": f"e{number}", "MessageBody": str(number)} for number in range(3)]
    done = sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]
    assert [item["Id"] for item in done] == ["e0", "e1", "e2"]
    messages = received(sqs, queue)
    assert sorted(message["Body"] for message in messages) == ["0", "1", "2"]
    handles = [{"Id": str(place), "ReceiptHandle": item["ReceiptHandle"]} for place, item in enumerate(messages)]
    assert len(sqs.delete_message_batch(QueueUrl=queue, Entries=handles)["Successful"]) == 3
    for wrong, code in (
        ([], "EmptyBatchRequest"),
        ([entries[0]] * 2, "BatchEntryIdsNotDistinct"),
        ([{**entries[0], "Id": f"x{number}"} for number in range(11)], "TooManyEntriesInBatchRequest"),
        ([{**entries[0], "Id": "no good"}], "InvalidBatchEntryId"),
    ):
        with refused(code):
            sqs.send_message_batch(QueueUrl=queue, Entries=wrong)


def test_attributes_of_messages(sqs: Any, queue: str) -> None:
    given = {"kind": {"DataType": "String", "StringValue": "a"}, "n": {"DataType": "Number", "StringValue": "7"}}
    sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes=given)
    (message,) = received(sqs, queue, MessageAttributeNames=["All"])
    assert message["MessageAttributes"] == given
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]


def test_delay_and_waiting(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=1)
    assert received(sqs, queue) == []
    began = time.monotonic()
    assert [item["Body"] for item in received(sqs, queue, WaitTimeSeconds=20)] == ["later"]
    assert time.monotonic() - began < 19


def test_queues_are_found_changed_and_deleted(sqs: Any, queue: str) -> None:
    assert sqs.get_queue_url(QueueName="jobs")["QueueUrl"] == queue
    assert sqs.create_queue(QueueName="jobs")["QueueUrl"] == queue
    with pytest.raises(ClientError, match="Queue"):
        sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "7"})
    assert sqs.list_queues(QueueNamePrefix="jo")["QueueUrls"] == [queue]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "7"})
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert told == {"VisibilityTimeout": "7"}
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.purge_queue(QueueUrl=queue)
    assert received(sqs, queue) == []
    sqs.delete_queue(QueueUrl=queue)
    with refused("NonExistentQueue"):
        sqs.get_queue_url(QueueName="jobs")


def test_a_body_that_is_too_long(sqs: Any, queue: str) -> None:
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=queue, MessageBody="x" * (1024 * 1024 + 1))


@pytest.mark.parametrize("most", [0, -1, 1001])
def test_a_page_that_cannot_be(local: LocalAccount, most: int) -> None:
    with refused("InvalidParameterValue"):
        local.client("sqs").list_queues(MaxResults=most)


@pytest.mark.parametrize("body", ["", "\x00", "a\x1f"])
def test_a_body_that_xml_cannot_hold(local: LocalAccount, body: str) -> None:
    """moto takes an empty one."""
    sqs = local.client("sqs")
    with refused("InvalidMessageContents"):
        sqs.send_message(QueueUrl=sqs.create_queue(QueueName="jobs")["QueueUrl"], MessageBody=body)


def test_a_handle_that_never_was(sqs: Any, queue: str) -> None:
    with refused("ReceiptHandleIsInvalid"):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="nonsense")


@pytest.mark.parametrize(
    ("name", "attributes"),
    [("orders.fifo", {"FifoQueue": "true"}), ("orders.fifo", {}), ("orders", {"FifoQueue": "true"})],
)
def test_fifo_queues_are_refused(local: LocalAccount, name: str, attributes: dict[str, str]) -> None:
    """Here alone: order and groups are nothing that the account could keep."""
    with pytest.raises(ClientError, match="FIFO queues are not kept by the local account; a standard one"):
        local.client("sqs").create_queue(QueueName=name, Attributes=attributes)

"""Streams of Data Firehose, which are declared beside pipelines."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity

_STREAM = "Stream"


@rule("X998", "stream-of-two-accounts", Severity.WARNING, source="guide: cross-account delivery of Data Firehose")
def stream_of_two_accounts(subject: Subject) -> Iterator[Fault]:
    """What a stream reads, asks or writes is of another account than its role, which a policy there has to let in.

    Bad:  resources.OpenSearch("drops", domain="arn:aws:es:eu-west-1:999999999999:domain/events")
    Good: a domain of the role's account, or one that is known to let the role in, and a reason behind `allow`
    """
    for placed, arguments in subject.of_type(_STREAM):
        from mlops.knowledge.streams import elsewhere  # hardly any definition has one

        for said in elsewhere.of_other_accounts(arguments):
            yield Fault(f"{placed.pointer}/Arguments", said, "let the role in by a policy there", placed)


@rule("X999", "stream-in-clear", Severity.WARNING, source="guide: data protection in Data Firehose")
def stream_in_clear(subject: Subject) -> Iterator[Fault]:
    """What is put into a stream lies there unencrypted until it is delivered.

    Bad:  resources.Stream("events", to="s3://acme-events/", encrypted=False)
    Good: resources.Stream("events", to="s3://acme-events/")
    """
    for placed, arguments in subject.of_type(_STREAM):
        from mlops.knowledge.streams.pairing import ENCRYPTED  # hardly any definition has one

        if arguments.get("DeliveryStreamType") in (None, "DirectPut") and arguments.get(ENCRYPTED) is None:
            yield Fault(f"{placed.pointer}/Arguments", "what is put is not encrypted", "leave encrypted= out", placed)

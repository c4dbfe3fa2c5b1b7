"""Every call of which the reply is held against the service's model, played to moto too: what it refuses is a table,
with who is right. What it has not at all is told by a page of 500, and is no difference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from every_reply import EVERY_REPLY
from test_every_reply import json_with

from mlops.account import Account

NO_ROLE = "moto wants the role to be there; here any role may be, since those of an author are another account's"
NO_GROUP = "moto runs nothing, so no job has made the log group"
NO_ID = "moto tells no DomainId of the domain that it made; the model has it"
NO_KEY = "here any key is there, as `docs/local.md` says; moto is as the service"
NO_POLICY = "moto as the service: an empty document is no policy; here none is judged"
NOT_ATTACHED = "here any policy of AWS's can be attached; moto has none unless it is asked to load them"


NO_VERSIONS = "moto as the service: where a bucket has versioning what is deleted stays as a version; here none is kept"
NO_HANDLE = "a handle that never was: here it has the form of one and deletes nothing; moto's own have another form"
NO_KIND = "moto searches no versions of pipelines; the model has them"


def of(service: str, operations: Iterable[str], why: str) -> dict[tuple[str, str], str]:
    return {(service, operation): why for operation in operations}


FUNCTION = ("CreateFunction", "GetFunction", "GetFunctionConfiguration", "UpdateFunctionCode")
KEY = ("DescribeKey", "GetKeyPolicy", "PutKeyPolicy", "CreateAlias", "DeleteAlias", "TagResource", "UntagResource")
DIFFERENT: dict[tuple[str, str], str] = {
    **of("lambda", (*FUNCTION, "UpdateFunctionConfiguration", "Invoke", "DeleteFunction"), NO_ROLE),
    **of("sagemaker", ("DescribeDomain", "DeleteDomain"), NO_ID),
    **of(
        "logs", (f"{do}SubscriptionFilter{s}" for do, s in (("Put", ""), ("Describe", "s"), ("Delete", ""))), NO_GROUP
    ),
    **of("sagemaker", ("Search",), NO_KIND),
    **of("s3", ("DeleteBucket",), NO_VERSIONS),
    **of("sqs", ("DeleteMessage",), NO_HANDLE),
    **of("logs", ("DescribeLogStreams", "FilterLogEvents"), NO_GROUP),
    **of("kms", (*KEY, "ListResourceTags", "UpdateKeyDescription"), NO_KEY),
    **of("kms", ("EnableKeyRotation", "GetKeyRotationStatus", "DisableKeyRotation"), NO_KEY),
    **of("iam", ("AttachRolePolicy", "DetachRolePolicy"), NOT_ATTACHED),
    **of("iam", ("PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "UpdateAssumeRolePolicy"), NO_POLICY),
}


@pytest.mark.proof("wire")
def test_what_moto_refuses_of_what_is_answered_here(moto: Account) -> None:
    known: dict[str, Any] = {}
    refused: dict[tuple[str, str], str] = {}
    answered = 0
    for service, operation, given in EVERY_REPLY:
        if operation == "WAIT":
            continue
        client = moto.client(service)
        python_name = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
        try:
            reply = getattr(client, python_name)(**json_with(as_moto_has_it(given), known))
        except ResponseParserError:
            continue
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 500:
                refused[service, operation] = str(error)
            continue
        answered += 1
        known |= {name: value for name, value in reply.items() if isinstance(value, str)}
    assert refused.keys() == DIFFERENT.keys(), {key: refused[key] for key in refused.keys() - DIFFERENT.keys()}
    assert answered > 200


def as_moto_has_it(given: dict[str, Any]) -> dict[str, Any]:
    """With its number of the account."""
    return {
        name: value.replace(":000000000000:", ":123456789012:")
        if isinstance(value, str)
        else as_moto_has_it(value)
        if isinstance(value, dict)
        else value
        for name, value in given.items()
    }

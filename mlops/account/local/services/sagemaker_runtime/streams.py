"""InvokeEndpointWithResponseStream: the model's answer, part by part as it gives it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops.account.local.process.router.wire import CUSTOM_ATTRIBUTES, INVOKED_VARIANT, STREAMED_TYPE
from mlops.account.local.services.sagemaker_runtime.invocations import asking, refusal_of
from mlops.account.local.state import State

OPERATION = "InvokeEndpointWithResponseStream"
_RECEIVED = 64 * 1024


class Events:
    """What came so far is told at once; iterating raises botocore's EventStreamError where the answer breaks off."""

    def __init__(self, connection: http.client.HTTPConnection, reply: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._reply = reply

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        from botocore.eventstream import EventStreamBuffer
        from botocore.exceptions import EventStreamError

        buffer = EventStreamBuffer()
        while part := self._part():
            buffer.add_data(part)
            for event in buffer:
                kind = event.headers.get(":exception-type")
                if kind is not None:
                    told = json.loads(event.payload)
                    raise EventStreamError({"Error": {"Code": kind, **told}}, OPERATION)
                yield {"PayloadPart": {"Bytes": event.payload}}

    def _part(self) -> bytes:
        from botocore.exceptions import EventStreamError

        try:
            return self._reply.read1(_RECEIVED)
        except (OSError, http.client.HTTPException) as error:
            told = {"Code": "InternalStreamFailure", "Message": f"the endpoint's process broke off: {error!r}"}
            raise EventStreamError({"Error": told}, OPERATION) from error

    def close(self) -> None:
        self._reply.close()
        self._connection.close()


def invoke_endpoint_with_response_stream(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    connection, reply = asking(state, request, "invocations-response-stream")
    if reply.status != 200:
        try:
            raise refusal_of(reply.status, reply.read())
        finally:
            connection.close()
    return {
        "Body": Events(connection, reply),
        "ContentType": reply.headers.get(STREAMED_TYPE),
        "InvokedProductionVariant": reply.headers.get(INVOKED_VARIANT),
        "CustomAttributes": reply.headers.get(CUSTOM_ATTRIBUTES),
    }


OPERATIONS = {OPERATION: invoke_endpoint_with_response_stream}

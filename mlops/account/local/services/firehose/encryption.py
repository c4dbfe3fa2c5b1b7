"""Which key encrypts what is put into a stream while it waits: told as the service tells it. Here what waits lies on
this disk as it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.account.local.services.firehose import streams
from mlops.account.local.services.sagemaker import resources
from mlops.account.local.state import State
from mlops.knowledge.streams import pairing


def start_delivery_stream_encryption(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, request.get(pairing.ENCRYPTED) or {"KeyType": "AWS_OWNED_CMK"})


def stop_delivery_stream_encryption(state: State, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return _change(state, request, None)


def _change(state: State, request: Mapping[str, Any], asked: Mapping[str, Any] | None) -> Mapping[str, Any]:
    name = request["DeliveryStreamName"]
    with state.store.transaction():
        body = streams.found(state, name)
        for fault in pairing.encryption({pairing.ENCRYPTED: asked}):
            raise streams.invalid(fault)
        status = body.pop("Status")
        resources.replace(state, streams.KIND, name, {**body, "Encryption": asked}, status)
        streams.tell(state, name, "updated", {"version": body["Version"]})
    return {}


OPERATIONS = {
    "StartDeliveryStreamEncryption": start_delivery_stream_encryption,
    "StopDeliveryStreamEncryption": stop_delivery_stream_encryption,
}

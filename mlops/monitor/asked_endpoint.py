"""In an account: an endpoint of a model for as long as it is asked, beside the one that serves, as Clarify makes one.
It is called the same each time: what a killed job left behind is found and removed by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mlops.monitor.fault import Fault

_PATIENCE_SECONDS, _PAUSE_SECONDS = 1800.0, 15.0
_MISSING = "Could not find"


@contextmanager
def asked_endpoint(
    client: Any,
    monitor: str,
    model: str,
    instance: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Its name; ``client`` is boto3's of SageMaker. Raises :class:`Fault`."""
    name = f"{monitor}-asked"
    variant = {"VariantName": "asked", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": instance}
    _remove(client, name, sleep)
    try:
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        status = _settled(client, name, sleep)
        if status != "InService":
            raise Fault(f"the endpoint {name} that was made to ask the model {model} is {status}")
        yield name
    finally:
        _remove(client, name, sleep)


def _settled(client: Any, name: str, sleep: Callable[[float], None]) -> str:
    left = _PATIENCE_SECONDS
    while (status := str(client.describe_endpoint(EndpointName=name)["EndpointStatus"])) in ("Creating", "Updating"):
        if left <= 0:
            break
        sleep(_PAUSE_SECONDS)
        left -= _PAUSE_SECONDS
    return status


def _remove(client: Any, name: str, sleep: Callable[[float], None]) -> None:
    """It, and its configuration, where they are there. Raises :class:`Fault`: what stays costs."""
    left = _PATIENCE_SECONDS
    there = _was_there(client, client.delete_endpoint, EndpointName=name)
    while there and left > 0:
        there = _was_there(client, client.describe_endpoint, EndpointName=name)  # until there is none
        if there:
            sleep(_PAUSE_SECONDS)
            left -= _PAUSE_SECONDS
    _was_there(client, client.delete_endpoint_config, EndpointConfigName=name)


def _was_there(client: Any, call: Callable[..., Any], **what: str) -> bool:
    try:
        call(**what)
    except client.exceptions.ClientError as error:
        if _MISSING in str(error):
            return False
        (name,) = what.values()
        raise Fault(f"{name}, which is made to ask a model, is not removed, and costs until it is: {error}") from None
    return True

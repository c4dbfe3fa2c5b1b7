"""What the local account answers has the shapes that the service model gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from every_reply import ELSEWHERE, EVERY_REPLY
from reply_shapes import misfits

from mlops.account import Account
from mlops.account.local import shapes
from mlops.account.local.answering import operations, services


@pytest.mark.parametrize("which", ["local", "wire"])
def test_every_reply_has_the_shape_that_the_service_model_gives_it(which: str, request: pytest.FixtureRequest) -> None:
    account: Account = request.getfixturevalue(which)
    known: dict[str, Any] = {}
    told: set[str] = set()
    for service, operation, given in EVERY_REPLY:
        client = account.client(service)
        params = json_with(given, known)
        if operation == "WAIT":
            while client.describe_pipeline_execution(**params)["PipelineExecutionStatus"] in ("Executing", "Stopping"):
                pass
            continue
        python_name = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
        reply = getattr(client, python_name)(**params)
        assert reply.pop("ResponseMetadata")["HTTPStatusCode"] // 100 == 2
        shape = client.meta.service_model.operation_model(operation).output_shape
        if shape is not None:
            # botocore says None of the place of a bucket that us-east-1 has.
            told_ = {name: value for name, value in reply.items() if value is not None}
            assert misfits(shape, told_, operation) == []
        known.update({name: value for name, value in reply.items() if isinstance(value, str)})
        told.add(operation)
    everything = {operation for service in services() for operation in operations(service)}
    assert everything - told == ELSEWHERE


def json_with(given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: known[value[1:-1]]
        if isinstance(value, str) and value[:1] == "{" and value[1:-1] in known
        else json_with(value, known)
        if isinstance(value, dict)
        else value
        for name, value in given.items()
    }


def test_what_is_plainly_right_is_taken_as_by_the_long_look() -> None:
    """And what the quick look is not sure of is left to the long one: a wrong value anywhere."""
    quick = 0
    for service, operation, given in EVERY_REPLY:
        if operation == "WAIT":
            continue
        shape = shapes.operation(service, operation).input_shape
        if shape is None:
            continue
        wrong: list[str] = []
        long = shapes._fit(shape, given, "", wrong, strict=service not in shapes._INVALID)
        try:
            taken = shapes._taking(shape, service not in shapes._INVALID)(given)
        except shapes._NotPlain:
            continue
        assert (taken, wrong, [*taken]) == (long, [], [*long]), (service, operation)
        quick += 1
        for member in given:
            for odd in (object(), 2**80, "\ud800", [object()], {"Nobody": object()}):
                found: list[str] = []
                asked = {**given, member: odd}
                told = shapes._fit(shape, asked, "", found, strict=service not in shapes._INVALID)
                try:
                    again = shapes._taking(shape, service not in shapes._INVALID)(asked)
                except shapes._NotPlain:
                    continue
                assert (again, []) == (told, found), (service, operation, member, odd)
    assert quick > len(EVERY_REPLY) / 2

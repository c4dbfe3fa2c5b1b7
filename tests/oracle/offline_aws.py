"""Run a file that is written with the official SDK without an account or a network; print its pipeline's definition.

    python offline_aws.py sdk_breast_cancer.py

Every AWS call is answered with nothing, uploads included. The file leaves its pipeline in a variable ``pipeline``.
"""

from __future__ import annotations

import runpy
import socket
import sys
from typing import Any, NoReturn

import botocore.client

ANSWERS: dict[str, dict[str, Any]] = {
    "GetCallerIdentity": {"Account": "111122223333", "Arn": "arn:aws:iam::111122223333:role/me", "UserId": "me"},
    "GetRole": {
        "Role": {
            "Arn": "arn:aws:iam::111122223333:role/pipelines",
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "sagemaker.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ]
            },
        }
    },
    "ListBuckets": {"Buckets": []},
    "SimulatePrincipalPolicy": {"EvaluationResults": []},
}


def _answer(client: object, operation: str, request: object) -> dict[str, Any]:
    return dict(ANSWERS.get(operation, {}))


def _refuse(*arguments: object) -> NoReturn:
    raise AssertionError(f"somebody tried to connect: {arguments[1:]}")


if __name__ == "__main__":
    botocore.client.BaseClient._make_api_call = _answer
    socket.socket.connect = _refuse  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = _refuse  # type: ignore[assignment]
    print(runpy.run_path(sys.argv[1])["pipeline"].definition())

"""Words and bytes of an invocation, for both who ask an endpoint and who answer. Loads no server."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

BIGGEST_BODY = 6 * 1024 * 1024
ANSWER_SECONDS = 60.0
TARGET_VARIANT = "X-Amzn-SageMaker-Target-Variant"
TARGET_MODEL = "X-Amzn-SageMaker-Target-Model"
TARGET_CONTAINER = "X-Amzn-SageMaker-Target-Container-Hostname"
INFERENCE_COMPONENT = "X-Amzn-SageMaker-Inference-Component"
INVOKED_VARIANT = "x-Amzn-Invoked-Production-Variant"
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
INFERENCE_ID = "X-Amzn-SageMaker-Inference-Id"
SESSION_ID = "X-Amzn-SageMaker-Session-Id"
STREAMED_TYPE = "X-Amzn-SageMaker-Content-Type"
"""The content type of a model's answer that is streamed: the answer's own is that of the framing."""
FORWARDED = ("Content-Type", "Accept", CUSTOM_ATTRIBUTES, INFERENCE_ID, SESSION_ID, TARGET_VARIANT, TARGET_MODEL)
"""What reaches the container; every other header of the caller is dropped."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLIENT_GONE = 499
"""Recorded where nobody waits for the answer any more."""


def status_line(status: int) -> bytes:
    """
    >>> status_line(424)
    b'HTTP/1.1 424 Failed Dependency\\r\\n'
    """
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()


def error_body(code: str, message: str, **more: Any) -> bytes:
    return json.dumps({"Code": code, "Message": message, **more}).encode()


def error_headers(code: str) -> bytes:
    return f"Content-Type: application/json\r\nx-amzn-ErrorType: {code}\r\n".encode()

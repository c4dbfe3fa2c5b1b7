"""Runs in a function's sandbox and loads nothing of the package: the handler, called once with the event of a file.

``function_program.py HANDLER EVENT ANSWER REQUEST_ID``. The answer is ``{"value": …}`` or ``{"error": …}`` with the
members of Lambda's error documents.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any


class Context:
    """What Lambda's Python runtime hands a handler, as far as it means something here."""

    identity = None
    client_context = None

    def __init__(self, request: str, began: float) -> None:
        environment = os.environ
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = environment["MLOPS_FUNCTION_ARN"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.aws_request_id = request
        self._ends = began + float(environment["MLOPS_FUNCTION_SECONDS"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._ends - time.monotonic()) * 1000))


def main(handler: str, event: str, answer: str, request: str) -> None:
    told = _told(handler, json.loads(Path(event).read_text(encoding="utf-8")), Context(request, time.monotonic()))
    partial = Path(f"{answer}.partial")
    partial.write_text(told, encoding="utf-8")
    partial.rename(answer)


def _told(handler: str, event: Any, context: Context) -> str:
    try:
        value = _function(handler)(event, context)
    except SystemExit:
        raise
    except BaseException as error:
        traceback.print_exc()
        return _error(type(error).__name__, str(error), traceback.format_tb(error.__traceback__))
    try:
        return json.dumps({"value": value})
    except (TypeError, ValueError, RecursionError) as error:
        traceback.print_exc()
        return _error("Runtime.MarshalError", f"Unable to marshal response: {error}", [])


def _function(handler: str) -> Any:
    module, dot, name = handler.rpartition(".")
    if not dot:
        raise ImportError(f"Bad handler {handler!r}: not enough values to unpack (expected 2, got 1)")
    sys.path.insert(0, str(Path.cwd()))
    found = getattr(importlib.import_module(module.replace("/", ".")), name, None)
    if found is None:
        raise ImportError(f"Handler {name!r} missing on module {module!r}")
    return found


def _error(type_: str, message: str, trace: list[str]) -> str:
    return json.dumps({"error": {"errorType": type_, "errorMessage": message, "stackTrace": trace}})


if __name__ == "__main__":
    main(*sys.argv[1:])

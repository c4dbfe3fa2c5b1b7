"""A function of Lambda's: its handler, called once with an event, in a sandbox, by this Python.

What a handler logs is the log's; what it returns comes through a file. AWS's runtime is more: layers, other languages,
a process that stays for the next event.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from mlops.ir.dataclass import dataclass
from mlops.ir.function_arn import function_name, log_group
from mlops.run.log import exit_reason
from mlops.run.outcome import StepFailed
from mlops.run.ports import Function
from mlops.run.sandbox import Box, Boxed, start
from mlops.run.transfer import left_in

_PROGRAM = Path(__file__).with_name("function_program.py")
_CODE, _CALLER, _EVENT, _ANSWER = "function", "call.py", "event.json", "answer.json"
_LONGEST_ANSWER = 6 * 1024 * 1024  # Lambda's own limit of a synchronous answer
_NAMESPACE = UUID("f2b4a6b8-5c1e-4f0a-9d57-0c9d7a3a6a11")


class FunctionFailed(Exception):
    """The function raised, answered with what is no JSON, ended early or took too long. ``type`` is Lambda's name of
    the error, ``trace`` its stackTrace."""

    def __init__(self, type_: str, message: str, trace: tuple[str, ...] = ()) -> None:
        super().__init__(f"{type_}: {message}" if type_ else message)
        self.type = type_
        self.message = message
        self.trace = trace


@dataclass(slots=True)
class Call:
    """One call under way. ``deadline`` is by ``time.monotonic()``."""

    function: Function
    box: Box
    boxed: Boxed
    log: Path
    deadline: float

    def over(self) -> bool:
        """Raises :class:`FunctionFailed` once it took too long; then it is ended."""
        if self.boxed.poll() is not None:
            return True
        if time.monotonic() >= self.deadline:
            self.boxed.kill()
            raise FunctionFailed("Sandbox.Timedout", f"Task timed out after {self.function.timeout:.2f} seconds")
        return False

    def answer(self) -> Any:
        """What the handler returned, once it is over. Raises :class:`FunctionFailed`."""
        code = self.boxed.poll()
        try:
            with left_in(self.box.ml / "output", self.box.ml) as folder:
                raw = folder.read(_ANSWER, _LONGEST_ANSWER + 1)
        except StepFailed as fault:
            raise FunctionFailed("Runtime.Unknown", str(fault)) from None
        if raw is None:
            raise FunctionFailed("Runtime.ExitError", exit_reason(code or 0, self.log))
        if len(raw) > _LONGEST_ANSWER:
            raise FunctionFailed("Function.ResponseSizeTooLarge", f"the answer is larger than {_LONGEST_ANSWER} bytes")
        # The function can write there too.
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError) as fault:
            raise FunctionFailed("Runtime.Unknown", f"the answer is no JSON: {fault}") from None
        match told:
            case {"error": {"errorType": str(kind), "errorMessage": str(message), "stackTrace": list(trace)}}:
                raise FunctionFailed(kind, message, tuple(map(str, trace)))
            case {"value": value}:
                return value
        raise FunctionFailed("Runtime.Unknown", "the function's process left another answer than its handler's")


def call(function: Function, event: Any, box: Box, log: Path, *, request: str) -> Call:
    """``request`` is what the call and its log stream are named by: the same id for the same text. ``box.ml`` is taken
    for it alone."""
    shutil.copytree(function.folder, box.ml / _CODE, copy_function=shutil.copy)
    # Where we are installed may be out of the box's sight, as what lies below /tmp is.
    (box.ml / _CALLER).write_bytes(_PROGRAM.read_bytes())
    (box.ml / "output").mkdir(parents=True, exist_ok=True)
    (box.ml / _EVENT).write_text(json.dumps(event), encoding="utf-8")
    inside = "/opt/ml"
    command = (
        sys.executable,
        "-P",  # not the folder of the program
        f"{inside}/{_CALLER}",
        function.handler,
        f"{inside}/{_EVENT}",
        f"{inside}/output/{_ANSWER}",
        str(uuid5(_NAMESPACE, request)),
    )
    name = function_name(function.arn)
    environment = {
        **function.environment,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(function.arn),
        "AWS_LAMBDA_LOG_STREAM_NAME": request,
        "AWS_REGION": function.arn.split(":")[3],
        "LAMBDA_TASK_ROOT": box.path(f"{inside}/{_CODE}"),
        "MLOPS_FUNCTION_ARN": function.arn,
        "MLOPS_FUNCTION_SECONDS": str(function.timeout),
        "_HANDLER": function.handler,
    }
    boxed = start(command, box, environment=environment, log=log, cwd=f"{inside}/{_CODE}")
    return Call(function, box, boxed, log, time.monotonic() + function.timeout)


def environment_of(variables: Mapping[str, Any] | None) -> Mapping[str, str]:
    """Lambda's Environment member as a process has it."""
    return {str(name): str(value) for name, value in ((variables or {}).get("Variables") or {}).items()}

"""Lambda: the function's handler, called once with the step's arguments as its event.

How the service turns what a function returns into outputs is documented in a sentence: by the keys of the dictionary,
nested ones as text. Where a declared one is missing or of another type the step fails here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.knowledge.this_machine import missing_function
from mlops.run.functions import Call, FunctionFailed, call
from mlops.run.outcome import Outcome, StepFailed, Task
from mlops.run.step_outputs import metadata_of, outputs_of
from mlops.run.work import Work

_LONGEST_SECONDS = 600.0  # of a function behind a step (developer guide: build-and-manage-steps-types)


def start(work: Work) -> Task:
    arn = work.members.get("FunctionArn")
    functions = work.ports.functions
    function = functions.find(str(arn)) if functions is not None else None
    if function is None:
        raise StepFailed(missing_function(str(arn)))
    under_way = call(function, work.request, work.box(), work.log, request=work.name)
    under_way.deadline = min(under_way.deadline, time.monotonic() + _LONGEST_SECONDS)
    return _Called(work, under_way, {"Lambda": {"Arn": function.arn}})


@dataclass(slots=True)
class _Called:
    work: Work
    call: Call
    metadata: Mapping[str, Any]
    stopping: bool = False

    def poll(self) -> Outcome | None:
        try:
            if not self.call.over():
                return None
            answer = self.call.answer()
        except FunctionFailed as fault:
            raise StepFailed(f"the function failed: {fault}") from None
        outputs = outputs_of(self.work.members.get("OutputParameters"), answer)
        metadata = {"Lambda": {**self.metadata["Lambda"], "OutputParameters": metadata_of(outputs)}}
        if self.stopping:  # the service waits for a running function, and then the step is Stopped
            return Outcome("Stopped", None, metadata)
        self.work.note(f"returned {json.dumps(outputs)[:1000]}")
        return Outcome("Succeeded", None, metadata, {"OutputParameters": outputs})

    def stop(self) -> None:
        self.stopping = True

    def kill(self) -> None:
        self.call.boxed.kill()

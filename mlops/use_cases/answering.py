"""An answer to a Callback step that waits, by whoever looks at it."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.deploy.executions.callbacks import answer, asked
from mlops.ir import Refusal, UsageError
from mlops.ir.choices import instead
from mlops.ir.dataclass import dataclass
from mlops.knowledge.output_types import OfAnotherType, typed
from mlops.use_cases.approval import NOBODY, Consent, need_consent
from mlops.use_cases.executions import Found


@dataclass(frozen=True, slots=True)
class Answer:
    """``outputs`` by name, or the reason for which the step fails."""

    outputs: Mapping[str, str]
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    execution: str
    step: str


def answer_step(found: Found, step: str, given: Answer, consent: Consent = NOBODY) -> Answered:
    """Raises Refusal where the step does not wait, UsageError for an output that it does not declare, or with another
    type."""
    connected, state = found.connected, found.state
    waiting = {item.name: item for item in state.steps if item.kind == "Callback" and item.status == "Executing"}
    if state.ended:
        raise Refusal(f"execution {state.id} has ended, {state.status}; {step} waits for no answer any more")
    if step not in waiting:
        there = next((item for item in state.steps if item.name == step), None)
        is_it = f"is a {there.kind} that is {there.status}" if there is not None else "has not begun"
        hint = f"steps that wait: {', '.join(waiting)}" if waiting else "no step of this execution waits for an answer"
        raise Refusal(f"{step} of execution {state.id} {is_it}; it waits for no answer", hint=hint)
    wanted = asked(connected.account, found.arn, step)
    if given.failure is None:
        for name, value in given.outputs.items():
            if name not in wanted:
                raise UsageError(f"{step} has no output {name!r}{instead(name, wanted, 'it declares')}")
            try:
                typed(wanted[name], value)
            except OfAnotherType as fault:
                how = "give true or false" if wanted[name] == "Boolean" else None
                raise UsageError(f"the output {name} of {step} {fault}", hint=how) from None
        missing = [name for name in wanted if name not in given.outputs]
        if missing:
            raise UsageError(
                f"{step} declares {', '.join(missing)}, which the answer lacks",
                hint=" ".join(f"--give {name}=…" for name in missing),
            )
    need_consent(connected, f"answer {step} of the execution {state.id}", consent)
    answer(connected.account, waiting[step], given.outputs, given.failure)
    return Answered(state.id, step)

"""What a type of step says of its states, in a file of ``steps/``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlops.emit.policies.statements import Need
from mlops.emit.states.work import Work
from mlops.ir import Step
from mlops.ir.dataclass import dataclass
from mlops.ir.surroundings import Surroundings


def _nothing(step: Step, around: Surroundings, looked: frozenset[str]) -> Iterator[Need]:
    yield from ()


@dataclass(frozen=True, slots=True)
class StepStates:
    """``write`` writes the states of a step of the ``type`` and gives the one in which they begin: ``work.first``, or
    one that leads there. It may raise Unspelled. ``needs`` is what the machine's role must be allowed for them beside
    what the pipeline's is; ``looked`` are the actions by which the machine looks at what was made."""

    type: str
    write: Callable[[Work], str]
    needs: Callable[[Step, Surroundings, frozenset[str]], Iterator[Need]] = _nothing

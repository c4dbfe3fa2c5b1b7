"""What of a pipeline cannot run on this machine, told before it is tried. Nothing of this speaks of an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.codes import SURROUNDINGS
from mlops.ir import Checked, Finding, Placed, Ref, Severity
from mlops.ir.members import get
from mlops.ir.values import pointer
from mlops.knowledge.this_machine import Obstacle, of_containers, of_step

_CODE = "A030"
_BRANCHES = frozenset({"IfSteps", "ElseSteps"})


def cannot_run(checked: Checked) -> Iterator[Finding]:
    """By step, in the order of the document. Of what a loop holds nothing is said: the loop itself cannot run."""
    models = {placed.step.name: placed for placed in checked.definition.placed() if placed.step.type == "Model"}
    for placed in checked.definition.placed():
        if any(member not in _BRANCHES for _, member in placed.branches):
            continue
        step, step_type = placed.step, checked.type_of(placed.step)
        action = step_type.action if step_type is not None else None
        for obstacle in of_step(step.type, action, step.arguments):
            yield _finding(placed, placed, obstacle)
        served = _model_of(placed, models) if action == "transform" else None
        for obstacle in _of_model(served) if served is not None else ():
            yield _finding(placed, served or placed, obstacle)


def unavoidable(checked: Checked) -> frozenset[str]:
    """Steps that run whatever happens, as long as nothing fails: in no branch, and behind no other's failure."""
    surely: set[str] = set()
    placed = {item.step.name: item for item in checked.definition.placed()}
    for name in checked.order:
        item = placed[name]
        if not item.branches and not _waits_for_failure(item) and checked.edges.get(name, frozenset()) <= surely:
            surely.add(name)
    return frozenset(surely)


def _waits_for_failure(item: Placed) -> bool:
    listed = item.step.members.get("DependsOn")
    return any(
        get(entry, "Trigger") in ("Failed", "Stopped") for entry in (listed if isinstance(listed, tuple) else ())
    )


def _model_of(placed: Placed, models: Mapping[str, Placed]) -> Placed | None:
    name = get(placed.step.arguments, "ModelName")
    path = name.path if isinstance(name, Ref) else None
    return models.get(path.name) if path is not None and path.root == "Steps" else None


def _of_model(placed: Placed) -> Iterator[Obstacle]:
    request = placed.step.arguments
    primary, listed = get(request, "PrimaryContainer"), get(request, "Containers")
    single = isinstance(primary, Mapping)
    containers = [primary] if single else (listed if isinstance(listed, tuple) else ())
    given = [item for item in containers if isinstance(item, Mapping)]
    if len(given) < len(containers):
        return
    for obstacle in of_containers(given, get(request, "InferenceExecutionConfig", "Mode")):
        number, *rest = obstacle.member or ("InferenceExecutionConfig",)
        at = ("PrimaryContainer",) if single else ("Containers", number) if rest else (number,)
        yield Obstacle((*at, *rest), obstacle.message)


def _finding(placed: Placed, at: Placed, obstacle: Obstacle) -> Finding:
    return Finding(
        _CODE,
        SURROUNDINGS[_CODE][0],
        Severity.WARNING,
        obstacle.message,
        help="it runs in an account; here a stub can stand for it in a test, and --only runs other steps",
        step=placed.step.name,
        path=f"{at.pointer}/Arguments{pointer(*obstacle.member) if obstacle.member else ''}",
        where=placed.step.where,
    )

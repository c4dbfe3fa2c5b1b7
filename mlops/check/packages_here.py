"""What a requirements.txt asks for that nothing on this machine has, told before the step that would install it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlops.check.codes import SURROUNDINGS
from mlops.check.image_needs import ImageNeed, Read, image_needs
from mlops.ir import Checked, Finding, Severity
from mlops.ir.dataclass import dataclass
from mlops.ir.hiding import hide_text
from mlops.knowledge.image_need import Need
from mlops.knowledge.requirements import MISSING, NO_NETWORK, lacking, lines, named, without_network

_CODE = "A032"
_ISOLATED = "bring an image that has it, or a requirements.txt that the image meets"
_HOW = "`mlops local images build` builds a virtual environment for the image, which has it"


@dataclass(frozen=True, slots=True)
class Packages:
    """``missing`` are of steps that would fail for it, ``others`` of those that would run with another version than
    they ask for; ``needs`` is what can be built for them."""

    missing: tuple[Finding, ...]
    others: tuple[Finding, ...]
    needs: tuple[Need, ...]


def packages(checked: Checked, is_built: Callable[[Need], bool], read: Read | None = None) -> Packages:
    missing, others, needs = list[Finding](), list[Finding](), list[Need]()
    for item in image_needs(checked, read):
        found = lacking(lines(item.requirements))
        need = item.need if found or item.isolated else None
        if item.isolated:
            failing = without_network(lines(item.requirements), named(need.packages) if need is not None else {})
            if failing and (need is None or not is_built(need)):
                told = ", ".join(f"{line} ({there})" for line, there in failing.items())
                missing.append(_finding(item, f"requirements.txt asks for {told}; {NO_NETWORK}", _ISOLATED))
            continue
        if need is None or is_built(need):
            continue
        needs.append(need)
        if MISSING in found.values():
            missing.append(_finding(item, _lacks(found)))
        else:
            told = ", ".join(f"{line} ({there})" for line, there in found.items())
            others.append(_finding(item, f"requirements.txt asks for {told}; what is here stands in for it"))
    return Packages(tuple(missing), tuple(others), tuple(needs))


def _lacks(found: Mapping[str, str]) -> str:
    missing = [line for line, there in found.items() if there == MISSING]
    return f"requirements.txt asks for {', '.join(missing)}, which the container installs and this Python lacks"


def _finding(item: ImageNeed, message: str, how: str = _HOW) -> Finding:
    step = item.placed.step
    about = SURROUNDINGS[_CODE][0]
    return Finding(
        _CODE, about, Severity.WARNING, hide_text(message), help=how, step=step.name, path=item.at, where=step.where
    )

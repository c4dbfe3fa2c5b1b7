"""How many people have to approve a version before environments take it, and how many have."""

from __future__ import annotations

from collections.abc import Mapping

from mlops.deploy.endpoints.gating import author
from mlops.deploy.gates import approvals as gate
from mlops.deploy.gates.approvals import Counted
from mlops.deploy.models import approvals, registry
from mlops.deploy.models.registry import Version
from mlops.deploy.shifting.settings import read as read_settings
from mlops.ir import Listener, MlopsError
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import OFF
from mlops.project.environments import read_project
from mlops.use_cases.connecting import connect_here
from mlops.use_cases.news import Said


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many have to approve a version before ``environment`` takes it, as its gate ``approvals`` declares, and who
    of them has."""

    environment: str
    counted: Counted


def wanted_approvals(environment: str, group: str, number: int, listener: Listener) -> tuple[Wanted, ...]:
    """Of each environment that has the gate and promotes what ``environment`` registers."""
    connected = connect_here(environment)
    found: list[Wanted] = []
    project, own = read_project(connected.root), connected.environment.name
    version: Version | None = None
    for name, other in project.environments.items():
        gates = other.promote.get("gates")
        if not isinstance(gates, Mapping) or gate.GATE.name not in gates:
            continue
        try:
            settings = read_settings(other, connected.root)
        except MlopsError as error:
            listener(Said(text=f"how many have to approve for {name} could not be read: {error.message}"))
            continue
        declared = next((its for item, its in settings.gates if item.name == gate.GATE.name), OFF)
        holder = settings.registry or (project.chain[0] if name in project.chain else name)
        if declared is OFF or holder != own:
            continue
        version = version or registry.version(connected.account, group, number)
        told = approvals.read(connected.account, connected.environment, group, number)
        by = author(version.details)
        found.append(Wanted(name, gate.count(declared, told, version.approval, by)))
    return tuple(found)

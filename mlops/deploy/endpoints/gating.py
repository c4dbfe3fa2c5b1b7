"""The gates that stand between a version and an environment: all are asked, and what each found is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from mlops.account import Account
from mlops.deploy.cards.content import content
from mlops.deploy.cards.facts import Known, see
from mlops.deploy.endpoints import evidence
from mlops.deploy.endpoints.promotion import Target, want
from mlops.deploy.endpoints.serving import packages
from mlops.deploy.gates import checksum
from mlops.deploy.models import approvals, registry
from mlops.deploy.models.registry import APPROVED, Version
from mlops.deploy.models.shipped import shipped
from mlops.ir import MlopsError, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.gate import OFF, Asked, Gate, Judgement, Signature
from mlops.ir.hiding import hide_text
from mlops.project.environments import Environment

APPROVAL = "approval"
"""The gate that is always there: only an Approved version is promoted."""


@dataclass(frozen=True, slots=True)
class Gated:
    gate: str
    passes: bool
    found: str
    overridden: bool = False

    @property
    def closed(self) -> bool:
        return not self.passes and not self.overridden

    @property
    def told(self) -> str:
        mark = "passed over" if self.overridden else "passes" if self.passes else "refuses"
        return f"gate {self.gate} {mark}: {self.found}"


@dataclass(frozen=True, slots=True)
class Registry:
    """The account that holds a version, and its environment."""

    account: Account
    environment: Environment


def in_force(declared: Sequence[tuple[Gate, Any]]) -> tuple[tuple[Gate, Any], ...]:
    """Those that are asked beside the approval: what is declared and not switched off, and what goes without saying."""
    usual = () if any(gate.name == checksum.GATE.name for gate, _ in declared) else ((checksum.GATE, checksum.USUAL),)
    return (*((gate, its) for gate, its in declared if its is not OFF), *usual)


def judge(gates: Sequence[tuple[Gate, Any]], asked: Asked, overrides: Collection[str] = ()) -> tuple[Gated, ...]:
    approved = asked.approval == APPROVED
    found = [Gated(APPROVAL, approved, f"it is {asked.approval or 'not decided on'}")]
    for gate, settings in in_force(gates):
        try:
            judgement = gate.judge(settings, asked)
        except MlopsError as error:
            # What cannot be asked is no yes.
            judgement = Judgement(False, error.message)
        except ValueError as error:
            judgement = Judgement(False, str(error))
        except Exception as error:  # of somebody else's gate, or over a file that holds anything: it did not say yes
            judgement = Judgement(False, f"it cannot say: {type(error).__name__}: {error}")
        overridden = not judgement.passes and gate.name in overrides
        # What a gate quotes of a file, an account or the user's own code is kept in the history.
        found.append(Gated(gate.name, judgement.passes, hide_text(judgement.found), overridden))
    return tuple(found)


def told_before(found: Sequence[Gated]) -> Iterator[str]:
    """What is told before :func:`need_open` is asked: it tells of those that refuse, and that it is approved goes
    without saying."""
    yield from (item.told for item in found if item.gate != APPROVAL and (item.passes or item.overridden))


def need_open(found: Sequence[Gated], version: Version) -> None:
    """Raises Refusal that names each gate that refuses."""
    closed = [item for item in found if item.closed]
    if not closed:
        return
    told = f"version {version.number} of {version.group}"
    if [item.gate for item in closed] == [APPROVAL]:
        raise Refusal(
            f"{told} is {version.approval}, only an Approved one is promoted; nothing was changed\n  {closed[0].told}",
            hint=f"`mlops models approve {version.group} {version.number}` if it is good",
        )
    raise Refusal(
        f"{told} may not go there; nothing was changed\n" + "\n".join(f"  {item.told}" for item in closed),
        hint="mend that, or promote another version; `--override GATE --reason WHY` passes a gate over, which is kept "
        "in the history",
    )


def asked_of(
    version: Version,
    source: Registry,
    account: Account,
    environment: Environment,
    target: Target,
    passed: Callable[[str], str | None],
    root: Path,
    now: datetime | None = None,
    *,
    component: str | None = None,
) -> Asked:
    """``component`` is the inference component that serves, where one does. ``passed`` says why a version has not
    passed another environment; ``root`` is the project's folder."""

    @cache
    def before() -> Version | None:
        return serving_version(account, source.account, target.endpoint, component)

    @cache
    def card() -> Known:
        return see(source.account, source.environment, version, root, whole=False)

    def serving_metrics() -> Mapping[str, float] | None:
        there = before()
        return None if there is None else registry.metrics(source.account, there)

    def serving_signature() -> Signature | None:
        there = before()
        return None if there is None else evidence.signature(source.account, there)

    return Asked(
        environment.name,
        version.group,
        version.number,
        version.approval,
        author(version.details),
        version.created,
        now or datetime.now(UTC),
        version.details,
        approvals=lambda: approvals.read(source.account, source.environment, version.group, version.number),
        metrics=lambda: registry.metrics(source.account, version),
        serving_metrics=serving_metrics,
        passed=passed,
        root=root,
        region=environment.region,
        registered=lambda: evidence.registered(source.account, source.environment, version),
        stored=lambda: evidence.stored(source.account, version),
        listed=lambda: evidence.stored(source.account, version, whole=False),
        scans=lambda: evidence.scans(account, environment, version),
        shipped=lambda: shipped(source.account, version),
        fleet=lambda: evidence.fleet(account, environment, want(environment, version, target)),
        signature=lambda: evidence.signature(source.account, version),
        serving_signature=serving_signature,
        card=lambda: content(card()),
        card_status=lambda: card().status,
        endpoint=lambda: None if before() is None else target.endpoint,
        client=account.client,
    )


def serving_version(account: Account, source: Account, endpoint: str, component: str | None = None) -> Version | None:
    """What serves there, as its registry ``source`` describes it; None where nothing does that is registered."""
    arns = packages(account, endpoint, component)
    return registry.described(source, sorted(arns)[0]) if arns else None


def author(details: Mapping[str, Any]) -> str | None:
    """Who registered a version, of DescribeModelPackage's reply; None where that is not known."""
    told = details.get("CreatedBy") or {}
    found = (told.get("IamIdentity") or {}).get("Arn") or told.get("UserProfileArn")
    return None if found is None else str(found)

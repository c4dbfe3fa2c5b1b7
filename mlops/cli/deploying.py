"""What ``plan``, ``upsert`` and ``destroy`` share: TARGETs opened, connected and planned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops.cli.here import Connected, connect_here
from mlops.cli.printing import refuse_errors, talk

if TYPE_CHECKING:
    from mlops.check.sources import Opened
    from mlops.deploy.plan import Plan
    from mlops.ir import Checked, Finding


@dataclass(frozen=True, slots=True)
class Planned:
    connected: Connected
    pipelines: tuple[Checked, ...]
    plans: tuple[Plan, ...]

    def only(self, names: Collection[str]) -> Planned:
        """Without the plans of other pipelines."""
        return replace(self, plans=tuple(plan for plan in self.plans if plan.name in names))


def plan_targets(
    targets: Sequence[str],
    environment: str,
    *,
    suffix: str | None,
    aliases: Sequence[str],
    changed_since: str | None,
    doing: str,
) -> Planned:
    """Raises Refusal where a pipeline that is to be planned has errors."""
    from mlops.check.sources import open_targets
    from mlops.deploy.plan import plan_all

    judge_names(suffix, aliases)
    opened = open_targets(targets, environment, definitions=False)
    if changed_since is not None:
        opened = only_touched(opened, changed_since)
    refuse_errors(opened.findings, doing=doing)
    connected = connect_here(environment, opened.root)
    plans = plan_all(connected.account, connected.environment, opened.pipelines, suffix=suffix, aliases=aliases)
    return Planned(connected, opened.pipelines, plans)


def only_touched(opened: Opened, since: str) -> Opened:
    """What the changes since the Git commit ``since`` touch; how much that is, is told."""
    from mlops.check.touched import touched
    from mlops.project.git import changed_files

    found = touched(opened, changed_files(opened.root, since))
    talk(f"{len(found.pipelines)} of {len(opened.pipelines)} pipelines are touched by the changes since {since}")
    return found


def judge_names(suffix: str | None, aliases: Sequence[str]) -> None:
    """botocore: PipelineName, PipelineVersionAlias. Raises UsageError."""
    import re

    from mlops.ir import UsageError

    if suffix is not None and not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", suffix):
        raise UsageError(f"{suffix!r} is no suffix", hint="use letters, digits and dashes in between")
    for alias in aliases:
        if not re.fullmatch(r"[a-zA-Z0-9._\-]{1,128}", alias) or alias.isdigit():
            raise UsageError(f"{alias!r} is no alias", hint="use letters, digits, dots, dashes and underscores")


def tell_preflight(planned: Planned) -> tuple[Finding, ...]:
    """The findings, told on standard error."""
    import sys

    from mlops.check.reports import text
    from mlops.deploy.preflight import preflight

    findings = preflight(planned.connected.account, planned.connected.environment, planned.pipelines)
    if findings:
        talk(text.render(findings, colour=sys.stderr.isatty()).rstrip("\n"))
    else:
        talk("preflight: nothing found")
    return findings


def finding_dictionary(finding: Finding) -> Mapping[str, object]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "help": finding.help,
        "step": finding.step,
        "path": finding.path,
    }

"""What ``plan``, ``upsert`` and ``destroy`` share: TARGETs opened, connected and planned."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
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
    pipelines, findings = opened.pipelines, opened.findings
    if changed_since is not None:
        pipelines, findings = _touched(opened, changed_since)
        talk(f"{len(pipelines)} of {len(opened.pipelines)} pipelines are touched by the changes since {changed_since}")
    refuse_errors(findings, doing=doing)
    connected = connect_here(environment, opened.root)
    plans = plan_all(connected.account, connected.environment, pipelines, suffix=suffix, aliases=aliases)
    return Planned(connected, pipelines, plans)


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


def _touched(opened: Opened, since: str) -> tuple[tuple[Checked, ...], tuple[Finding, ...]]:
    """The pipelines, and what was found in them or in files that hold none of the others."""
    from mlops.check.touched import touched
    from mlops.project.git import changed_files

    changed = changed_files(opened.root, since)
    chosen = touched(opened.pipelines, changed)
    others = {item.definition.where.file for item in opened.pipelines} - {item.definition.where.file for item in chosen}
    findings = tuple(
        finding
        for finding in opened.findings
        if finding.where.file not in others
        and (
            finding.where.file is None
            or Path(finding.where.file) in changed
            or any(finding in item.findings for item in chosen)
        )
    )
    return chosen, findings

"""What ``plan``, ``upsert`` and ``destroy`` share: TARGETs opened, connected and planned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.cli.here import Connected, connect_here
from mlops.cli.printing import is_coloured, refuse_errors, talk

if TYPE_CHECKING:
    from mlops.check.sources import Opened
    from mlops.deploy.pipelines.plan import Plan
    from mlops.ir import Checked, Finding
    from mlops.project.environments import Environment


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
    from mlops.deploy.pipelines.companions import judge_starts
    from mlops.deploy.pipelines.plan import plan_all

    judge_names(suffix, aliases)
    opened = open_targets(targets, environment, definitions=False)
    if changed_since is not None:
        opened = only_touched(opened, changed_since)
    refuse_errors(opened.findings, doing=doing)
    connected = connect_here(environment, opened.root)
    judge_starts(connected.environment, [checked.definition for checked in opened.pipelines])
    if changed_since is None and suffix is None and _are_all(targets, opened.root):
        for told in _unused(connected.environment, opened.pipelines):
            talk(told)
    plans = plan_all(connected.account, connected.environment, opened.pipelines, suffix=suffix, aliases=aliases)
    return Planned(connected, opened.pipelines, plans)


def _are_all(targets: Sequence[str], root: Path) -> bool:
    from mlops.project.environments import read_project

    folder = (root / read_project(root).pipelines).resolve()
    return any(Path(target).is_dir() and folder.is_relative_to(Path(target).resolve()) for target in targets)


def _unused(environment: Environment, pipelines: Sequence[Checked]) -> Iterator[str]:
    """What mlops.toml says of pipelines or parameters that none of all has: probably a slip of the pen."""
    import difflib

    names = sorted(checked.definition.name or "" for checked in pipelines)
    parameters = {parameter.name for checked in pipelines for parameter in checked.definition.parameters}
    meant = [
        (f"[env.{environment.name}.{kind}.{name}] starts {start.pipeline!r}, no pipeline here", start.pipeline, names)
        for kind, declared in (("schedules", environment.schedules), ("triggers", environment.triggers))
        for name, start in declared.items()
    ]
    meant += [
        (f"[env.{environment.name}] parameters has {name!r}, which no pipeline here takes", name, sorted(parameters))
        for name in environment.parameters
    ]
    for said, name, known in meant:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"note: {said}{f'; did you mean {close[0]!r}?' if close else ''}"


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
    from mlops.deploy.pipelines.preflight import preflight

    findings = preflight(planned.connected.account, planned.connected.environment, planned.pipelines)
    if findings:
        talk(text.render(findings, colour=is_coloured(sys.stderr)).rstrip("\n"))
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

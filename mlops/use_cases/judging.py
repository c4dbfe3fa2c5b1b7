"""No use case goes on with a pipeline that has errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mlops.ir import Finding, Listener, Refusal, Severity, UsageError
from mlops.ir.counted import counted
from mlops.use_cases.news import Judged


def need_sound(findings: Iterable[Finding], listener: Listener, *, doing: str) -> None:
    """All findings are told; raises Refusal where one is an error."""
    told = tuple(findings)
    listener(Judged(findings=told))
    errors = sum(finding.severity is Severity.ERROR for finding in told)
    if errors:
        raise Refusal(f"{doing} stopped: {counted(errors, 'error')}")


def judge_names(suffix: str | None, aliases: Sequence[str]) -> None:
    """botocore: PipelineName, PipelineVersionAlias. Raises UsageError."""
    if suffix is not None and not re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", suffix):
        raise UsageError(f"{suffix!r} is no suffix", hint="use letters, digits and dashes in between")
    for alias in aliases:
        if not re.fullmatch(r"[a-zA-Z0-9._\-]{1,128}", alias) or alias.isdigit():
            raise UsageError(f"{alias!r} is no alias", hint="use letters, digits, dots, dashes and underscores")

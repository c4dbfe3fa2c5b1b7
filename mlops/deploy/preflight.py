"""Whether a pipeline could run in an account, asked of the account."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.account import Account
from mlops.ir import Checked, Finding
from mlops.project.environments import Environment


def preflight(account: Account, environment: Environment, pipelines: Sequence[Checked]) -> tuple[Finding, ...]:
    return ()

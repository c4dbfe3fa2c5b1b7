"""What differed between two executions of an account."""

from __future__ import annotations

from mlops.deploy.executions.diff import ExecutionDiff
from mlops.deploy.executions.diff import diff as differences
from mlops.deploy.executions.following import find
from mlops.use_cases.connecting import connect_here


def compare(environment: str, old: str, new: str) -> ExecutionDiff:
    """Both as :mod:`~mlops.use_cases.executions` names them."""
    account = connect_here(environment).account
    return differences(account, find(account, old), find(account, new))

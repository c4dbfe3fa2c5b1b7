"""Note which commit a pipeline is of, where it registers versions whose lineage is to tell it."""

from __future__ import annotations

from mlops.ir import AccountError, Listener
from mlops.use_cases.connecting import Connected
from mlops.use_cases.news import Said

_REGISTERS = '"RegisterModel"'


def note_commit(connected: Connected, definition: str, listener: Listener) -> None:
    """``definition`` is its text, as it is in the account. That it cannot be noted is told, and stops nothing."""
    if _REGISTERS not in definition:
        return
    from mlops.deploy.pipelines import commits
    from mlops.project.git import head

    try:
        commits.note(connected.account, connected.environment, definition, head(connected.root))
    except AccountError as error:
        listener(Said(text=f"which commit this is could not be noted: {error.message}"))

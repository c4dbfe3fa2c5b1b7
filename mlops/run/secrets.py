"""Stand-ins for secrets in a local run: the user's own, else what the local account's Secrets Manager has. No other
account is asked, and no value is written down."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.ir.secret import FILE, Secret, SecretReference, no_stand_in, parse_secret, variable_of
from mlops.run.outcome import StepFailed


def with_stand_ins(environment: Mapping[str, str], value: Secret | None = None) -> dict[str, str]:
    """References replaced by their stand-ins; ``value`` is asked where the user has none of his own. Raises
    :class:`StepFailed` where there is none."""
    return {
        name: text if (reference := parse_secret(text)) is None else _stand_in(name, reference, value)
        for name, text in environment.items()
    }


def own_stand_in(id: str) -> Any:
    """The user's, from his variables or his file; None without. Raises :class:`StepFailed`."""
    found = os.environ.get(variable_of(id))
    return _from_file(id) if found is None else found


def _stand_in(name: str, reference: SecretReference, value: Secret | None) -> str:
    found = own_stand_in(reference.id)
    if found is None and value is not None:
        found = value(reference.id)
    if found is None:
        raise StepFailed(no_stand_in(name, reference.id))
    if reference.key is None:
        return found if isinstance(found, str) else json.dumps(found)
    try:
        member = (json.loads(found) if isinstance(found, str) else found)[reference.key]
    except (ValueError, KeyError, TypeError):
        # "from None": what json could not read is the stand-in itself.
        raise StepFailed(f"the stand-in for {reference.id} is no JSON object with {reference.key}") from None
    return member if isinstance(member, str) else json.dumps(member)


def _from_file(id: str) -> Any:
    path = os.environ.get(FILE)
    if not path:
        return None
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise StepFailed(f"{path}, to which {FILE} points, cannot be read as JSON") from None
    return content.get(id) if isinstance(content, dict) else None

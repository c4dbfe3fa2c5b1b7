"""Stand-ins for secrets in a local run: no account is asked, and no value is written down."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops.ir.secret import SecretReference, parse_secret
from mlops.run.outcome import StepFailed

VARIABLE = "MLOPS_SECRET_"
FILE = "MLOPS_SECRETS_FILE"


def with_stand_ins(environment: Mapping[str, str]) -> dict[str, str]:
    """References replaced by their stand-ins. Raises :class:`StepFailed` where there is none."""
    return {
        name: text if (reference := parse_secret(text)) is None else _stand_in(name, reference)
        for name, text in environment.items()
    }


def variable_of(id: str) -> str:
    """
    >>> variable_of("prod/db")
    'MLOPS_SECRET_PROD_DB'
    """
    return VARIABLE + re.sub(r"[^A-Z0-9]+", "_", id.rpartition(":secret:")[2].upper())


def _stand_in(name: str, reference: SecretReference) -> str:
    variable = variable_of(reference.id)
    found: Any = os.environ.get(variable)
    if found is None:
        found = _from_file(reference.id)
    if found is None:
        raise StepFailed(
            f"{name} is the secret {reference.id}, which has no stand-in here: set {variable}, "
            f"or name it in the JSON file that {FILE} points to"
        )
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

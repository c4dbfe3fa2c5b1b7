"""What a step's environment has, where its project lets it call the local account: variables that lead clients of AWS
to a server that whoever started the runner has. Without that a step has nothing of an account."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

VARIABLE = "MLOPS_ACCOUNT_IN_STEPS"
"""Of the runner's own environment; holds an object of JSON."""


def told(variables: Mapping[str, str]) -> str:
    return json.dumps(dict(variables))


def variables_of_steps() -> Mapping[str, str]:
    """
    >>> variables_of_steps() if VARIABLE not in os.environ else {}
    {}
    """
    given = os.environ.get(VARIABLE)
    found: Mapping[str, str] = json.loads(given) if given else {}
    return found

"""``environment.bucket`` and the other facts that ``mlops.toml`` states of the environment that is compiled for.

They are there when the pipeline is compiled, not when its file runs: one file serves all environments. In the
definition stands what they are, and a ``join`` of nothing but them and texts is a text.
"""

from __future__ import annotations

from typing import Any

from mlops.declare.compiled_for import the_environment
from mlops.declare.misuse import misuse
from mlops.declare.references import StringReference
from mlops.declare.unknown_names import behind_a_dot, unknown_name
from mlops.ir import Unknown, Value


class EnvironmentFact(StringReference):
    """One that every environment has."""

    noun = "a fact of the environment"
    known = "when the pipeline is compiled"
    compiled = True

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def label(self) -> str:
        return f"environment.{self._name}"

    def lower(self) -> Value:
        environment = the_environment()
        if environment is None:
            misuse("D004", f"{self.label} is known only {self.known}, and stands where that comes too late")
            return Unknown()
        return str(getattr(environment, self._name))


bucket = EnvironmentFact("bucket")
region = EnvironmentFact("region")
role = EnvironmentFact("role")


def __getattr__(name: str) -> Any:
    """A name that is not here, told with all other mistakes of a file."""
    own = {key: item for key, item in globals().items() if isinstance(item, EnvironmentFact)}
    return unknown_name("environment", name, own, own.__getitem__)


behind_a_dot(__name__)

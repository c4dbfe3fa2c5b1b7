"""What ``mlops.toml`` has stand for the databases of Athena and Redshift in the local account."""

from __future__ import annotations

from collections.abc import Callable

from mlops.account import Here
from mlops.ir import UsageError
from mlops.knowledge.datasets import missing_here
from mlops.project.environments import Environment
from mlops.use_cases.connecting import Connected


def placed(connected: Connected) -> None:
    """All that ``datasets`` of the environment name. Raises UsageError for a place that is not there."""
    declared = connected.environment.datasets
    here = connected.account.here
    if here is None:
        return
    places = {name: connected.root / place for name, place in declared.items()}
    for name, place in places.items():
        if not place.exists():
            raise UsageError(
                f"datasets of the local environment: {name} is {declared[name]}, and there is no such file or folder",
                hint=f"it is looked for in {connected.root}",
            )
    if places and (lacking := missing_here()) is not None:
        raise UsageError(lacking)
    here.declare_datasets(places)


def stands(environment: Environment, here: Callable[[], Here | None], database: str) -> bool:
    """Whether something stands for that database, or will when an execution starts. ``here`` is asked only for what
    ``mlops.toml`` does not name."""
    if database in environment.datasets:
        return True
    found = here()
    return found is not None and found.has_tables(database)

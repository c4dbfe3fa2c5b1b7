"""What stands for the databases that jobs ask of Athena and Redshift: files and folders of this machine, by name, as
``mlops.toml`` had them last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mlops.account.local.state import State, dump, now

KIND = "Dataset"


def declare(state: State, places: Mapping[str, Path]) -> None:
    """These and no others."""
    if declared(state) == places:
        return
    with state.store.transaction() as connection:
        connection.execute("DELETE FROM resource WHERE kind = ?", (KIND,))
        for name, place in places.items():
            body, time = dump({"Place": str(place)}), now()
            connection.execute("INSERT INTO resource VALUES (?, ?, ?, ?, '', ?)", (KIND, name, time, time, body))


def declared(state: State) -> dict[str, Path]:
    rows = state.store.all("SELECT name, body FROM resource WHERE kind = ?", KIND)
    return {row["name"]: Path(json.loads(row["body"])["Place"]) for row in rows}


def place_of(state: State, database: str, folder: Path) -> Path | None:
    """What ``mlops.toml`` names; else the tables of a database of Glue's catalog, brought into ``folder``. Raises
    StepFailed for one that cannot be read here."""
    from mlops.account.local.catalog_tables import as_files  # few jobs ask for any

    return declared(state).get(database) or as_files(state, database, folder / "tables")


def stands(state: State, database: str) -> bool:
    from mlops.account.local.catalog_tables import has_database

    return database in declared(state) or has_database(state, database)

"""What stands here for the tables that a DatasetDefinition asks of Athena or Redshift, and in which forms its rows can
be written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from mlops.ir.dataclass import dataclass

ATHENA, REDSHIFT = "AthenaDatasetDefinition", "RedshiftDatasetDefinition"
FORMS: Mapping[str, frozenset[str | None]] = {
    "PARQUET": frozenset({None, "None", "GZIP", "SNAPPY", "ZSTD"}),
    "ORC": frozenset({None, "SNAPPY", "ZLIB"}),
    "JSON": frozenset({None, "GZIP"}),
    "TEXTFILE": frozenset({None, "GZIP"}),
    "CSV": frozenset({None, "None", "GZIP", "BZIP2", "ZSTD"}),
}
"""By OutputFormat the OutputCompressions that its writer has; None is none that is given."""
READ = frozenset({".csv", ".json", ".jsonl", ".orc", ".parquet"})
"""Ends of the names of files of rows."""
NEITHER = "its DatasetDefinition asks neither Athena nor Redshift, or both"
_NEEDS = ("pyarrow", "duckdb")


@dataclass(frozen=True, slots=True)
class Asked:
    """``database`` is what ``mlops.toml`` names, and None where the execution decides it."""

    service: str
    database: str | None
    settings: Mapping[str, Any]


def asked(definition: Any) -> Asked | None:
    """None of one that asks neither, or of both."""
    given = [name for name in (ATHENA, REDSHIFT) if isinstance(definition, Mapping) and definition.get(name)]
    if len(given) != 1 or not isinstance(definition[given[0]], Mapping):
        return None
    settings = definition[given[0]]
    database = settings.get("Database")
    service = "Athena" if given[0] == ATHENA else "Redshift"
    return Asked(service, database if isinstance(database, str) else None, settings)


def unwritable(found: Asked) -> Iterator[tuple[str, str]]:
    """Members, and what is said of them."""
    form, packed = found.settings.get("OutputFormat"), found.settings.get("OutputCompression")
    if not isinstance(form, str) or not isinstance(packed, str | None):
        return
    if form not in FORMS:
        yield "OutputFormat", f"rows cannot be written as {form} here: take one of {', '.join(FORMS)}"
    elif packed not in FORMS[form]:
        known = ", ".join(sorted(item for item in FORMS[form] if item))
        yield "OutputCompression", f"{form} is not written with {packed} here: take one of {known}, or none"


def not_declared(found: Asked) -> str:
    """
    >>> not_declared(Asked("Athena", "web", {}))
    'it asks Athena for the database web, which nothing stands for here: name a folder of its tables (web/visits.csv, \
.json, .parquet or .orc), which is queried, or a file of the rows, in mlops.toml: [env.local.datasets] web = \
"data/web"; or make it in the Glue catalog of the local account'
    """
    name = found.database or "NAME"
    return (
        f"it asks {found.service} for the database {name}, which nothing stands for here: name a folder of its tables "
        f"({name}/visits.csv, .json, .parquet or .orc), which is queried, or a file of the rows, in mlops.toml: "
        f'[env.local.datasets] {name} = "data/{name}"; or make it in the Glue catalog of the local account'
    )


def missing_here() -> str | None:
    """What is said where the rows cannot be made for want of a package."""
    words = [name for name in _NEEDS if find_spec(name) is None]
    if not words:
        return None
    told = " ".join(words)
    return f"rows of Athena and Redshift are made here with {told}, which is not installed: pip install {told}"

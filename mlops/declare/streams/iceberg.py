"""Tables of Apache Iceberg as the destination of a stream, by the catalog of Glue."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.declare.streams.destination import About, known, retrying
from mlops.ir import Unknown, Value
from mlops.ir.fields import COUNT, FLAG, PLAIN, REQUIRED, TEXT, Field, Record

MEMBER = "IcebergDestinationConfiguration"


@record
class Iceberg:
    """Rows go into ``table`` (``"database.table"``) of the ``catalog`` (its ARN), where they replace the row with the
    same ``keys``; ``append_only`` they only are added. What was not taken for ``retry`` seconds is written to S3, or
    ``all`` of it is."""

    table: Text
    catalog: Text
    keys: Sequence[str] | None = None
    append_only: bool = False
    retry: Count | None = None
    all: bool = False


RECORD = Record(
    Iceberg,
    (
        Field("table", "DestinationTableConfigurationList", TEXT, REQUIRED),
        Field("keys", "DestinationTableConfigurationList.UniqueKeys", PLAIN),
        Field("all", "S3BackupMode", FLAG, False),
        Field("retry", "RetryOptions.DurationInSeconds", COUNT),
        Field("append_only", "AppendOnly", FLAG, False),
        Field("catalog", "CatalogConfiguration.CatalogARN", TEXT, REQUIRED),
    ),
    positional=1,
)


def destination(iceberg: Iceberg, about: About) -> dict[str, Value]:
    told = lower(iceberg.table)
    database, _, table = told.partition(".") if isinstance(told, str) else ("", "", "")
    if isinstance(told, str) and not (database and table):
        misuse("D042", f"{told!r} is no table of a catalog", help="write it as DATABASE.TABLE")
    named: dict[str, Value] = {
        "DestinationTableName": table or Unknown(),
        "DestinationDatabaseName": database or Unknown(),
    }
    if iceberg.keys:
        named["UniqueKeys"] = tuple(lower(key) for key in iceberg.keys)
    return known(
        {
            "DestinationTableConfigurationList": (named,),
            "S3BackupMode": "AllData" if iceberg.all else None,
            "RetryOptions": retrying(lower(iceberg.retry)),
            "AppendOnly": True if iceberg.append_only else None,
            "CatalogConfiguration": {"CatalogARN": lower(iceberg.catalog)},
            "RoleARN": about.role,
            "BufferingHints": about.hints,
            "ProcessingConfiguration": about.processing,
            "S3Configuration": about.place,
        }
    )

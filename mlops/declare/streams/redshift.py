"""A table of Redshift as the destination of a stream, by objects in S3 and COPY."""

from __future__ import annotations

from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.declare.streams.destination import About, known, retrying, secret
from mlops.ir import Value
from mlops.ir.fields import COUNT, REQUIRED, TEXT, Field, Record

MEMBER = "RedshiftDestinationConfiguration"


@record
class Redshift:
    """Objects below the stream's ``to`` are copied into ``table`` of the database at ``url`` (JDBC), by who a
    ``secret`` of Secrets Manager says (its ARN). ``columns`` are separated by commas, ``options`` are COPY's, and a
    COPY is tried for ``retry`` seconds."""

    url: Text
    table: Text
    secret: Text
    columns: Text | None = None
    options: Text | None = None
    retry: Count | None = None


RECORD = Record(
    Redshift,
    (
        Field("url", "ClusterJDBCURL", TEXT, REQUIRED),
        Field("table", "CopyCommand.DataTableName", TEXT, REQUIRED),
        Field("columns", "CopyCommand.DataTableColumns", TEXT),
        Field("options", "CopyCommand.CopyOptions", TEXT),
        Field("retry", "RetryOptions.DurationInSeconds", COUNT),
        Field("secret", "SecretsManagerConfiguration.SecretARN", TEXT, REQUIRED),
    ),
    positional=1,
)


def destination(redshift: Redshift, about: About) -> dict[str, Value]:
    """The buffer is that of the objects."""
    copy = {
        "DataTableName": lower(redshift.table),
        "DataTableColumns": lower(redshift.columns),
        "CopyOptions": lower(redshift.options),
    }
    return known(
        {
            "ClusterJDBCURL": lower(redshift.url),
            "CopyCommand": known(copy),
            "RetryOptions": retrying(lower(redshift.retry)),
            "SecretsManagerConfiguration": secret(lower(redshift.secret), about.role),
            "RoleARN": about.role,
            "ProcessingConfiguration": about.processing,
            "S3Configuration": known({**about.place, "BufferingHints": about.hints}),
            "S3BackupMode": None if about.backup is None else "Enabled",
            "S3BackupConfiguration": about.backup,
        }
    )

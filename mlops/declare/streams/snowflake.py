"""A table of Snowflake as the destination of a stream."""

from __future__ import annotations

from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.declare.streams.destination import About, known, retrying, secret
from mlops.ir import Value
from mlops.ir.fields import COUNT, FLAG, REQUIRED, TEXT, Field, Record

MEMBER = "SnowflakeDestinationConfiguration"


@record
class Snowflake:
    """Rows go into ``database``, ``schema`` and ``table`` of the account at ``url``, by the user and key that a
    ``secret`` of Secrets Manager holds (its ARN). Members of a record are columns; with ``content`` the whole record is
    that column, and with ``metadata`` what is known of it another one. ``private_link`` is a VPC endpoint of theirs.
    What was not taken for ``retry`` seconds is written to S3, or ``all`` of it is."""

    url: Text
    database: Text
    schema: Text
    table: Text
    secret: Text
    content: Text | None = None
    metadata: Text | None = None
    private_link: Text | None = None
    retry: Count | None = None
    all: bool = False


RECORD = Record(
    Snowflake,
    (
        Field("url", "AccountUrl", TEXT, REQUIRED),
        Field("database", "Database", TEXT, REQUIRED),
        Field("schema", "Schema", TEXT, REQUIRED),
        Field("table", "Table", TEXT, REQUIRED),
        Field("metadata", "MetaDataColumnName", TEXT),
        Field("content", "ContentColumnName", TEXT),
        Field("private_link", "SnowflakeVpcConfiguration.PrivateLinkVpceId", TEXT),
        Field("retry", "RetryOptions.DurationInSeconds", COUNT),
        Field("all", "S3BackupMode", FLAG, False),
        Field("secret", "SecretsManagerConfiguration.SecretARN", TEXT, REQUIRED),
    ),
    positional=1,
)


def destination(snowflake: Snowflake, about: About) -> dict[str, Value]:
    loading = None
    if snowflake.content is not None or snowflake.metadata is not None:
        behind = "_AND_METADATA" if snowflake.metadata is not None else ""
        loading = f"VARIANT_CONTENT{behind}_MAPPING"
    link = None if snowflake.private_link is None else {"PrivateLinkVpceId": lower(snowflake.private_link)}
    return known(
        {
            "AccountUrl": lower(snowflake.url),
            "Database": lower(snowflake.database),
            "Schema": lower(snowflake.schema),
            "Table": lower(snowflake.table),
            "DataLoadingOption": loading,
            "MetaDataColumnName": lower(snowflake.metadata),
            "ContentColumnName": lower(snowflake.content),
            "SnowflakeVpcConfiguration": link,
            "RetryOptions": retrying(lower(snowflake.retry)),
            "S3BackupMode": "AllData" if snowflake.all else None,
            "SecretsManagerConfiguration": secret(lower(snowflake.secret), about.role),
            "RoleARN": about.role,
            "BufferingHints": about.hints,
            "ProcessingConfiguration": about.processing,
            "S3Configuration": about.place,
        }
    )

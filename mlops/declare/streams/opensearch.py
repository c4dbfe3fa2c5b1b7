"""A cluster of OpenSearch as the destination of a stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mlops.declare.misuse import misuse
from mlops.declare.records import record
from mlops.declare.references import lower
from mlops.declare.steps.shared_arguments import Count, Text
from mlops.declare.streams.destination import About, known
from mlops.ir import Unknown, Value
from mlops.ir.fields import COUNT, FLAG, REQUIRED, TEXT, Field, Record, choice

if TYPE_CHECKING:
    from mlops.declare.lower import Lowering

MEMBER = "AmazonopensearchserviceDestinationConfiguration"
Rotation: TypeAlias = Literal["NoRotation", "OneHour", "OneDay", "OneWeek", "OneMonth"]


@record
class OpenSearch:
    """Documents go into ``index``, of a ``domain`` (its ARN) or of the cluster at ``url``; without either of the
    environment's ``[env.NAME.search]``. A new index begins by the ``rotation``. With ``ids`` a document that is sent
    again replaces itself. What was not taken for ``retry`` seconds is written to S3, or ``all`` of it is."""

    index: Text
    domain: Text | None = None
    url: Text | None = None
    rotation: Rotation | None = None
    ids: bool = True
    retry: Count | None = None
    all: bool = False


RECORD = Record(
    OpenSearch,
    (
        Field("domain", "DomainARN", TEXT),
        Field("url", "ClusterEndpoint", TEXT),
        Field("index", "IndexName", TEXT, REQUIRED),
        Field("rotation", "IndexRotationPeriod", choice(*get_args(Rotation))),
        Field("retry", "RetryOptions.DurationInSeconds", COUNT),
        Field("all", "S3BackupMode", FLAG, False),
        Field("ids", "DocumentIdOptions.DefaultDocumentIdFormat", FLAG, True),
    ),
    positional=1,
)


def destination(cluster: OpenSearch, about: About) -> dict[str, Value]:
    where: dict[str, Value] = {"DomainARN": lower(cluster.domain), "ClusterEndpoint": lower(cluster.url)}
    if cluster.domain is None and cluster.url is None:
        where = {"ClusterEndpoint": _declared(about)}
    return known(
        {
            **where,
            "IndexName": lower(cluster.index),
            "IndexRotationPeriod": lower(cluster.rotation),
            "RetryOptions": None if cluster.retry is None else {"DurationInSeconds": lower(cluster.retry)},
            "S3BackupMode": "AllDocuments" if cluster.all else None,
            "DocumentIdOptions": None if cluster.ids else {"DefaultDocumentIdFormat": "NO_DOCUMENT_ID"},
            "RoleARN": about.role,
            "BufferingHints": about.hints,
            "ProcessingConfiguration": about.processing,
            "S3Configuration": about.place,
        }
    )


def tags(cluster: OpenSearch, lowering: Lowering) -> Mapping[str, str]:
    """Where the declared cluster is one of this machine, which no URL of the service can name."""
    search = lowering.environment.search
    if cluster.domain is not None or cluster.url is not None or search is None or not search.url.startswith("http://"):
        return {}
    return {"mlops:deliver-to": search.url}


def _declared(about: About) -> Value:
    search = about.lowering.environment.search
    if search is None:
        name = about.lowering.environment.name
        misuse(
            "D064",
            f"OpenSearch() names no cluster, and the environment {name} has none",
            help=f"give domain or url, or write [env.{name}.search] with a url",
        )
        return Unknown()
    return re.sub(r"^http://", "https://", search.url)

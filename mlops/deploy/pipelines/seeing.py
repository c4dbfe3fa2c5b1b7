"""All that a plan reads of an account, in one value: nothing is looked at later, and nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from mlops.account import Account, Identity, answers
from mlops.account.missing import error_code, is_missing
from mlops.deploy import calls
from mlops.deploy.conditional_object import BucketMissing
from mlops.deploy.pipelines import record as records
from mlops.deploy.pipelines.assets import AssetObject, Missing, absent
from mlops.deploy.pipelines.state import Present, describe
from mlops.deploy.resources import resource_types
from mlops.deploy.resources.tags import RESOURCE_TYPE as TAGS
from mlops.deploy.stack_owner import StackOwner, owner
from mlops.ir import Asset, Definition
from mlops.ir.dataclass import dataclass
from mlops.ir.resource import Resource
from mlops.ir.s3_uri import split_uri
from mlops.project.environments import Environment


@dataclass(frozen=True, slots=True)
class Seen:
    """``uploads`` are the objects that are not there, ``absent_buckets`` those that they would go to and that are not
    there either, beside the environment's own: ``bucket_missing`` says so where that is not. ``tags`` are
    empty where none are declared or ours. ``resources`` are properties by key, None for what is not there."""

    identity: Identity
    region: str
    present: Present | None = None
    uploads: tuple[AssetObject, ...] = ()
    stored: records.Stored | None = None
    bucket_missing: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    absent_buckets: tuple[str, ...] = ()
    owner: StackOwner | None = None

    @property
    def last(self) -> records.Record | None:
        """What an earlier upsert has recorded."""
        return self.stored.record if self.stored is not None else None


def see(
    account: Account,
    environment: Environment,
    name: str,
    definition: Definition,
    declared: Sequence[Resource],
    identity: Identity,
    *,
    known: frozenset[str] | None = None,
    missing: Missing | None = None,
) -> Seen:
    """``name`` is the pipeline's in the account. ``known`` and ``missing`` as for
    :func:`~mlops.deploy.pipelines.plan.plan`."""
    present = None if known is not None and name not in known else describe(account, name)
    with answers():
        uploads = _uploads(definition.assets, absent(account, definition.assets) if missing is None else missing)
        stored, bucket_missing = None, None
        try:
            stored = records.read(account, environment, name)
        except BucketMissing as error:
            bucket_missing = error.message
        last = stored.record if stored is not None else None
        tags: Mapping[str, str] = {}
        its = None
        if present is not None and (definition.tags or (last is not None and last.tags) or account.here is None):
            told = calls.see(account, TAGS, present.arn) or {}
            its = owner(account, told)
            tags = told if definition.tags or (last is not None and last.tags) else {}
        resources = {key: _resource(account, key) for key in _keys(declared, last.companions if last else ())}
        absent_buckets = tuple(_absent_buckets(account, environment, uploads))
    return Seen(
        identity, account.region, present, uploads, stored, bucket_missing, tags, resources, absent_buckets, its
    )


def _absent_buckets(account: Account, environment: Environment, uploads: Iterable[AssetObject]) -> Iterator[str]:
    """A file of the official SDK may name any."""
    s3 = account.client("s3")
    for bucket in sorted({split_uri(item.uri)[0] for item in uploads} - {environment.bucket}):
        try:
            s3.head_bucket(Bucket=bucket)
        except Exception as error:
            if is_missing(error):
                yield bucket
            elif error_code(error) not in ("403", "301"):  # there, whoever may do what with it
                raise


def _uploads(assets: Iterable[Asset], missing: Missing) -> tuple[AssetObject, ...]:
    return tuple(item for asset in assets for item in missing[asset.uri, asset.address])


def _keys(declared: Sequence[Resource], recorded: Iterable[str]) -> Iterator[str]:
    """What is declared, and what an earlier upsert brought and is of a type that is known here."""
    keys = [resource.key for resource in declared]
    yield from keys
    yield from (key for key in sorted(set(recorded) - set(keys)) if key.partition(" ")[0] in resource_types())


def _resource(account: Account, key: str) -> Mapping[str, Any] | None:
    kind, _, name = key.partition(" ")
    return calls.see(account, resource_types()[kind], name)

"""Local content in the account, addressed by content: what is there already is never sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from mlops.account import Account
from mlops.account.missing import unless_missing
from mlops.deploy.pages import items
from mlops.ir import Asset, Refusal
from mlops.ir.dataclass import dataclass
from mlops.ir.s3_uri import split_uri

DIGEST = "mlops-sha256"
"""The user metadata that keeps it."""


@dataclass(frozen=True, slots=True)
class AssetObject:
    """One object of an asset: a file, or the archive of all ``files``. ``digest`` is of what it is to hold, in
    hexadecimal digits: a file's SHA-256, an archive's content address. ``replaces``: something else lies there.
    ``in_place``: its name does not tell its content, so ``digest`` is kept with it."""

    uri: str
    files: tuple[tuple[str, Path], ...]
    archive: bool
    digest: str
    replaces: bool = False
    in_place: bool = False

    @property
    def size(self) -> int | None:
        """None for an archive that is not packed yet. Raises Refusal where the file cannot be read any more."""
        if self.archive:
            return None
        with reading(self.files[0][1]):
            return self.files[0][1].stat().st_size


def objects(asset: Asset) -> Iterator[AssetObject]:
    if asset.archive:
        yield AssetObject(asset.uri, asset.files, True, asset.address)
        return
    for index, (relative, file) in enumerate(asset.files):
        digest = asset.digests[index] if asset.digests else _digest(file)
        yield AssetObject(f"{asset.uri}/{relative}", ((relative, file),), False, digest, in_place=asset.in_place)


def _digest(file: Path) -> str:
    with reading(file), file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


@contextmanager
def reading(file: Path | None = None) -> Iterator[None]:
    """Around what reads a local file that was there when the pipeline was compiled. Raises Refusal."""
    try:
        yield
    except OSError as error:
        raise Refusal(
            f"{error.filename or file or 'a file of an asset'} cannot be read any more: {error.strerror or error}",
            hint="it was there when the pipeline was compiled; plan again",
        ) from None


Missing: TypeAlias = Mapping[tuple[str, str], tuple[AssetObject, ...]]
"""By the URI and the address of an asset, those of its objects that have to be sent."""


def absent(account: Account, assets: Iterable[Asset]) -> Missing:
    """Asks once per asset: a head for one object, a listing for many; a head for each whose name does not tell."""
    s3 = account.client("s3")
    found: dict[tuple[str, str], tuple[AssetObject, ...]] = {}
    for asset in assets:
        wanted = tuple(objects(asset))
        if asset.in_place:
            found[asset.uri, asset.address] = tuple(
                replace(item, replaces=True) for item in wanted if not _holds(s3, item)
            )
            continue
        if len(wanted) == 1:
            found[asset.uri, asset.address] = () if _exists(s3, wanted[0].uri) else wanted
            continue
        there = _sizes(s3, asset.uri)
        found[asset.uri, asset.address] = tuple(
            replace(item, replaces=item.uri in there) for item in wanted if there.get(item.uri) != item.size
        )
    return found


def _exists(s3: Any, uri: str) -> bool:
    bucket, key = split_uri(uri)
    return unless_missing(lambda: s3.head_object(Bucket=bucket, Key=key)) is not None


def _holds(s3: Any, item: AssetObject) -> bool:
    """Whether it lies there as we sent it; of what others sent there nothing is known."""
    bucket, key = split_uri(item.uri)
    there = unless_missing(lambda: s3.head_object(Bucket=bucket, Key=key))
    return there is not None and bool(there["Metadata"].get(DIGEST) == item.digest)


def _sizes(s3: Any, uri: str) -> dict[str, int]:
    bucket, key = split_uri(uri)
    listed = unless_missing(lambda: list(items(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{key}/")))
    return {f"s3://{bucket}/{item['Key']}": int(item["Size"]) for item in listed or ()}

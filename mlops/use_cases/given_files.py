"""Files and folders of this machine that are given for what a step reads or writes, as objects of an account."""

from __future__ import annotations

from pathlib import Path

from mlops.account import Account
from mlops.deploy.pipelines.assets import objects
from mlops.deploy.pipelines.upload import upload
from mlops.ir import Asset, UsageError
from mlops.project.content_address import UnshippableFile, address_of, collect, digests
from mlops.project.environments import Environment

MODEL = "model.tar.gz"


def stored(
    account: Account, environment: Environment, given: Path, step: str, name: str, *, packed: bool = False
) -> str:
    """The URI of what a file or folder became: a prefix, or with ``packed`` one archive. Raises UsageError."""
    if not given.exists():
        raise UsageError(f"there is no {given}, which was given as {name} of {step}")
    try:
        files = collect(given)
    except (UnshippableFile, OSError) as fault:
        raise UsageError(str(fault)) from None
    # By content: what an earlier run was given must not lie beside it.
    if packed and given.is_file() and not _is_archive(given):
        raise UsageError(
            f"{given}, given as {name} of {step}, is no .tar.gz",
            hint="give a folder, which is packed, or an archive",
        )
    found = digests(files)
    content = address_of(found)
    uri = environment.uri("given", step, name, content)
    if packed and given.is_dir():
        asset = Asset(content, f"{uri}/{MODEL}", files, archive=True)
    else:
        listed = ((MODEL, given),) if packed else files
        asset = Asset(content, uri, listed, archive=False, digests=tuple(item.content for item in found))
    for item in objects(asset):
        upload(account, environment, item, lambda place, sent, size: None)
    return f"{uri}/{MODEL}" if packed else uri


def _is_archive(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(2) == b"\x1f\x8b"

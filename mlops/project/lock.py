"""``mlops.lock``: the image URIs that a project is pinned to, so that it compiles to the same bytes everywhere.

It answers without the SageMaker SDK: every processor that an image is published for is pinned, not only the one in use.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from mlops.ir import ConfigurationError
from mlops.ir.dataclass import dataclass
from mlops.project.images import ImageDataMissing, ImageKey, ImageRequest, lookup_keys, resolve, variants

VERSION = 1

_HEADER = "# Written by `mlops lock`. Commit it; do not edit it."
_RENEW = "run `mlops lock` to write it anew"
_REQUIRED = ("framework", "scope", "region", "uri")
_OPTIONAL = ("version", "py_version", "base_framework_version")


@dataclass(frozen=True, slots=True)
class Lock:
    images: Mapping[ImageKey, str] = field(default_factory=dict)

    def find(self, request: ImageRequest, region: str, instance_type: str | None, scope: str) -> str | None:
        """The pinned URI. Raises ``ImageUnknown`` for an instance type that no image can be for."""
        keys = lookup_keys(request, region=region, instance_type=instance_type, scope=scope)
        return next((self.images[key] for key in keys if key in self.images), None)

    def uri(self, request: ImageRequest, region: str, instance_type: str | None, scope: str) -> str:
        """The pinned URI, else the one by the SDK's data. Raises ``ImageUnknown`` or ``ImageDataMissing``."""
        pinned = self.find(request, region, instance_type, scope)
        if pinned is not None:
            return pinned
        try:
            return resolve(request, region=region, instance_type=instance_type, scope=scope)
        except ImageDataMissing as error:
            raise ImageDataMissing(error.message, hint=self._how_to_pin(region)) from error

    def _how_to_pin(self, region: str) -> str:
        regions = {key.region for key in self.images}
        close = difflib.get_close_matches(region, regions, n=1, cutoff=0.8) if region not in regions else []
        meant = f"did you mean the region {close[0]}, which has pins? else " if close else ""
        return f"{meant}run `mlops lock` where 'mlops[sagemaker]' is installed and commit mlops.lock, or give the URI"


def read(path: Path) -> Lock:
    """A project without the file has pinned nothing."""
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return Lock()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, or not TOML, e.g. with conflict marks in it
        raise ConfigurationError(f"{path} is not valid TOML: {error}", hint=_RENEW) from error
    version = document.pop("version", None)
    if type(version) is not int or version != VERSION:
        newer = type(version) is int and version > VERSION
        raise ConfigurationError(
            f"{path}: version is {version!r}, expected {VERSION}",
            hint="it was written by a newer mlops: upgrade this one" if newer else _RENEW,
        )
    tables = document.pop("image", [])
    if document:
        raise ConfigurationError(f"{path}: unknown key {min(document)!r}", hint=_RENEW)
    if not isinstance(tables, list):
        raise ConfigurationError(f"{path}: image must be an array of tables ([[image]])", hint=_RENEW)
    images: dict[ImageKey, str] = {}
    for number, table in enumerate(tables, start=1):
        place = f"{path}: [[image]] number {number}"
        for key in _keys(table, place):
            if key in images:
                raise ConfigurationError(
                    f"{place}: {key.framework} for {key.processor} in {key.region} is pinned twice", hint=_RENEW
                )
            images[key] = table["uri"]
    return Lock(images)


def _keys(table: Any, place: str) -> list[ImageKey]:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{place}: is not a table", hint=_RENEW)
    unknown = sorted(set(table) - {*_REQUIRED, *_OPTIONAL, "processors"})
    if unknown:
        raise ConfigurationError(f"{place}: unknown key {unknown[0]!r}", hint=_RENEW)
    for name in _REQUIRED:
        if not isinstance(table.get(name), str) or not table[name]:
            raise ConfigurationError(f"{place}: {name} must be a string that is not empty", hint=_RENEW)
    for name in _OPTIONAL:
        if not isinstance(table.get(name, ""), str):
            raise ConfigurationError(f"{place}: {name} must be a string", hint=_RENEW)
    processors = table.get("processors")
    if not isinstance(processors, list) or not processors or not all(isinstance(name, str) for name in processors):
        raise ConfigurationError(f"{place}: processors must be a list of strings", hint=_RENEW)
    return [
        ImageKey(
            framework=table["framework"],
            version=table.get("version"),
            py_version=table.get("py_version"),
            base_framework_version=table.get("base_framework_version"),
            scope=table["scope"],
            region=table["region"],
            processor=processor,
        )
        for processor in processors
    ]


def pin(
    request: ImageRequest, *, region: str, instance_type: str | None, scope: str, folder: Path | None = None
) -> dict[ImageKey, str]:
    """What to lock for one use of an image; the dictionaries of all uses together are what :func:`render` takes.

    Raises what :func:`mlops.project.images.resolve` raises for this use.
    """
    resolve(request, region=region, instance_type=instance_type, scope=scope, folder=folder)
    return variants(request, region=region, scope=scope, folder=folder)


def render(images: Mapping[ImageKey, str]) -> str:
    """The text of the file, whatever the order of ``images``: processors with the same URI share a table."""
    tables: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for key, uri in images.items():
        written = (
            ("framework", key.framework),
            ("version", key.version),
            ("py_version", key.py_version),
            ("base_framework_version", key.base_framework_version),
            ("scope", key.scope),
            ("region", key.region),
            ("uri", uri),
        )
        members = tuple((name, value) for name, value in written if value is not None)
        tables.setdefault(members, []).append(key.processor)
    lines = [_HEADER, f"version = {VERSION}"]
    for members, processors in sorted(tables.items()):
        *what, uri_member = (f"{name} = {_quoted(value)}" for name, value in members)
        named = ", ".join(_quoted(processor) for processor in sorted(processors))
        lines += ["", "[[image]]", *what, f"processors = [{named}]", uri_member]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's too, but TOML wants DEL escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def write(path: Path, text: str) -> bool:
    """Replace the file as a whole, or leave it alone where it already has this text. Says whether it was written."""
    content = text.encode("utf-8")
    path = path.resolve()  # a link stays one
    if path.exists() and not path.is_file():
        raise ConfigurationError(f"{path} cannot be written: it is no plain file")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    return True

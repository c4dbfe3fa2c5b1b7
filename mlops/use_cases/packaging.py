"""A model's files and its handler as the ``model.tar.gz`` that SageMaker's containers unpack: the model's own files at
the root, the code in ``code/``. The same files give the same bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from mlops.ir import Listener, Refusal, UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.secrecy import IN_URL, VENDORS
from mlops.project.archive import pack
from mlops.project.content_address import UnshippableFile, collect
from mlops.project.files import replacing
from mlops.use_cases.news import Said

CODE = "code"
HANDLER = "inference.py"
REQUIREMENTS = "requirements.txt"
LARGEST_GB = 10.0
"""More than what an instance downloads in a health check's time; a larger model is better served from a prefix."""
_LOOKED_INTO = 1024 * 1024
_KEYS = frozenset({".env", ".netrc", ".pypirc", "credentials", "id_rsa", "id_ed25519", "id_ecdsa"})
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Packaging:
    """``sources`` are one folder, or files and folders; ``allowed`` names files in the archive that may hold what looks
    like a secret."""

    sources: tuple[Path, ...]
    out: Path
    largest_gb: float = LARGEST_GB
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Packaged:
    """``files`` are names in the archive with their sizes; ``sha256`` and ``size`` are the archive's."""

    out: Path
    sha256: str
    size: int
    files: tuple[tuple[str, int], ...]


def package(request: Packaging, listener: Listener) -> Packaged:
    """Raises UsageError for what is no model, and Refusal for links that lead out of it, for what is too large, and for
    secrets. The archive appears whole or not at all."""
    if not request.out.name.endswith(".tar.gz"):
        raise UsageError(f"{request.out} does not end with .tar.gz", hint="the containers want a model.tar.gz")
    files = _placed(list(_collected(request.sources, request.out.resolve())))
    judge_size(files, request.largest_gb)
    judge_secrets(files, request.allowed)
    if f"{CODE}/{HANDLER}" not in files:
        listener(
            Said(text=f"note: there is no {CODE}/{HANDLER}: only a container with a handler of its own serves this")
        )
    elif f"{CODE}/{REQUIREMENTS}" not in files:
        listener(Said(text=f"note: there is no {CODE}/{REQUIREMENTS}: nothing is installed beside what the image has"))
    digest, size = _written(files, request.out)
    return Packaged(request.out, digest, size, tuple((name, path.stat().st_size) for name, path in files.items()))


def _collected(sources: Sequence[Path], out: Path) -> Iterator[tuple[str, Path]]:
    if not sources:
        raise UsageError("there is nothing to pack", hint="give a folder, or files")
    for source in sources:
        if not source.exists():
            raise UsageError(f"there is no {source}")
        if source.is_symlink() and source.is_file() and len(sources) == 1:
            raise UsageError(f"{source} is a link", hint="give the file itself")
        try:
            found = collect(source)
        except UnshippableFile as error:
            raise Refusal(str(error), hint="copy the file into the folder") from None
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from None
        folder = f"{source.resolve().name}/" if source.is_dir() and len(sources) > 1 else ""
        yield from ((folder + name, path) for name, path in found if path.resolve() != out)


def _placed(found: Sequence[tuple[str, Path]]) -> dict[str, Path]:
    """By name in the archive, sorted. Python files and requirements at the root are the code."""
    placed: dict[str, Path] = {}
    for name, path in found:
        is_code = "/" not in name and (name.endswith(".py") or name == REQUIREMENTS)
        where = f"{CODE}/{name}" if is_code else name
        if where in placed:
            raise UsageError(
                f"{placed[where]} and {path} would be one file {where} in the archive", hint="rename one of them"
            )
        placed[where] = path
    if not placed:
        raise UsageError("there is no file to pack")
    return dict(sorted(placed.items()))


def judge_size(files: dict[str, Path], largest_gb: float) -> None:
    sizes = {name: path.stat().st_size for name, path in files.items()}
    total = sum(sizes.values())
    if total > largest_gb * 1e9:
        most = sorted(sizes, key=lambda name: -sizes[name])[:_NAMED]
        listed = ", ".join(f"{name} ({sizes[name] / 1e9:.1f} GB)" for name in most)
        raise Refusal(
            f"the model has {total / 1e9:.1f} GB, and more than {largest_gb:g} GB are not packed: {listed}",
            hint="leave out what is not served, give --largest GB, or serve it from a prefix: "
            'ModelData("s3://…/", kind="S3Prefix")',
        )


def judge_secrets(files: dict[str, Path], allowed: Collection[str]) -> None:
    found = [place for name, path in files.items() if name not in allowed for place in _secrets(name, path)]
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise Refusal(
            f"what looks like a secret would lie in the archive, which whoever serves it can read: "
            f"{', '.join(found[:_NAMED])}{more}; nothing was written",
            hint="take it out, and let the handler read it at run time; where it is none, --allow FILE",
        )


def _secrets(name: str, path: Path) -> Iterator[str]:
    """Where, and not what."""
    if path.name in _KEYS or path.suffix == ".pem":
        yield name
        return
    with path.open("rb") as file:
        head = file.read(_LOOKED_INTO)
    if b"\0" in head:
        return
    for number, line in enumerate(head.decode("utf-8", "replace").splitlines(), 1):
        if VENDORS.search(line) or IN_URL.search(line):
            yield f"{name}:{number}"


def _written(files: dict[str, Path], out: Path) -> tuple[str, int]:
    try:
        with replacing(out) as archive:
            pack(files.items(), archive)
            archive.seek(0)
            digest = hashlib.file_digest(archive, "sha256").hexdigest()
            size = archive.seek(0, os.SEEK_END)
    except OSError as error:
        raise UsageError(f"{error.filename or out} cannot be packed: {error.strerror or error}") from None
    return digest, size

"""Put inference code into a model's archive: ``code/`` beside the model's own files, as SageMaker's containers want it.

    python3 pack_model.py

The input ``model`` holds one ``model.tar.gz`` or the files of a model, the input ``inference`` the code; the output
``packed`` gets ``model.tar.gz``. Code that the archive has already under ``code/`` is replaced.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

BASE = os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"
ARCHIVE = "model.tar.gz"


def unpack(archive: Path, target: Path) -> None:
    """Refuses what would land outside of ``target``."""
    with tarfile.open(str(archive)) as opened:
        for member in opened:
            place = (target / member.name).resolve()
            if place != target and target not in place.parents:
                raise SystemExit("mlops: {} has {}, which leads out of the model".format(archive.name, member.name))
            if member.isdir():
                place.mkdir(parents=True, exist_ok=True)
            elif member.isfile():
                place.parent.mkdir(parents=True, exist_ok=True)
                content = opened.extractfile(member)
                assert content is not None  # noqa: S101 - a regular file has content
                with content, place.open("wb") as file:
                    shutil.copyfileobj(content, file)
                place.chmod(0o755 if member.mode & 0o100 else 0o644)
            else:
                raise SystemExit("mlops: {} has {}, which is no regular file".format(archive.name, member.name))


def copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for item in sorted(source.iterdir()):
        if item.is_dir():
            copy(item, target / item.name)
        else:
            shutil.copy2(str(item), str(target / item.name))


def pack(folder: Path, archive: Path) -> None:
    """The same files give the same bytes."""
    with archive.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as opened:
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder).as_posix()
                information = opened.gettarinfo(str(path), name)
                information.mtime, information.uid, information.gid = 0, 0, 0
                information.uname = information.gname = ""
                if path.is_file():
                    with path.open("rb") as content:
                        opened.addfile(information, content)
                else:
                    opened.addfile(information)


def main() -> None:
    inputs, packed = Path(BASE, "processing/input"), Path(BASE, "processing/output/packed")
    files = sorted(item for item in (inputs / "model").iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        if [item.name for item in files if item.name.endswith(".tar.gz")] and len(files) == 1:
            unpack(files[0], folder)
        else:
            copy(inputs / "model", folder)
        shutil.rmtree(str(folder / "code"), ignore_errors=True)
        copy(inputs / "inference", folder / "code")
        packed.mkdir(parents=True, exist_ok=True)
        pack(folder, packed / ARCHIVE)


if __name__ == "__main__":
    main()

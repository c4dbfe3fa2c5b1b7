"""`mlops models package`: the layout that containers unpack, the same bytes for the same files, and what is refused."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest
from command_line import in_this_process

from mlops.ir import Refusal, UsageError
from mlops.use_cases.packaging import Packaged, Packaging, package

HANDLER = "def model_fn(folder): return 0\n"


def heard(event: object) -> None:
    """Nobody listens."""


def model(folder: Path, **more: str) -> Path:
    made = folder / "model"
    for name, text in {
        "weights.bin": "\0\1",
        "vocabulary/words.txt": "a\nb\n",
        "inference.py": HANDLER,
        **more,
    }.items():
        file = made / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return made


def packed(*sources: Path, out: Path, allowed: tuple[str, ...] = (), largest: float = 10.0) -> Packaged:
    return package(Packaging(sources, out, largest, allowed), heard)


def names(archive: Path) -> list[str]:
    with tarfile.open(archive) as opened:
        return [member.name for member in opened]


def test_the_models_files_lie_at_the_root_and_its_code_in_a_folder(tmp_path: Path) -> None:
    source = model(tmp_path, **{"requirements.txt": "numpy\n", "helpers.py": "x = 1\n"})
    out = tmp_path / "model.tar.gz"
    packed(source, out=out)
    assert names(out) == [
        "code/helpers.py",
        "code/inference.py",
        "code/requirements.txt",
        "vocabulary/words.txt",
        "weights.bin",
    ]


def test_what_lies_in_code_already_stays_there(tmp_path: Path) -> None:
    source = model(tmp_path)
    (source / "inference.py").unlink()
    (source / "code").mkdir()
    (source / "code" / "inference.py").write_text(HANDLER)
    packed(source, out=tmp_path / "a.tar.gz")
    assert names(tmp_path / "a.tar.gz") == ["code/inference.py", "vocabulary/words.txt", "weights.bin"]


def test_files_one_by_one(tmp_path: Path) -> None:
    source = model(tmp_path)
    packed(source / "weights.bin", source / "inference.py", source / "vocabulary", out=tmp_path / "a.tar.gz")
    assert names(tmp_path / "a.tar.gz") == ["code/inference.py", "vocabulary/words.txt", "weights.bin"]


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    source = model(tmp_path)
    first = packed(source, out=tmp_path / "a.tar.gz")
    for file in source.rglob("*"):
        os.utime(file, (1, 1))
    again = packed(source, out=tmp_path / "other-name.tar.gz")
    assert first.sha256 == again.sha256
    with tarfile.open(tmp_path / "a.tar.gz") as opened:
        assert {(item.mtime, item.uid, item.gid, item.uname, item.gname) for item in opened} == {(0, 0, 0, "", "")}
    (source / "weights.bin").write_text("\0\2")
    assert packed(source, out=tmp_path / "a.tar.gz").sha256 != first.sha256


def test_the_archive_is_no_part_of_itself(tmp_path: Path) -> None:
    source = model(tmp_path)
    first = packed(source, out=source / "model.tar.gz")
    assert packed(source, out=source / "model.tar.gz").sha256 == first.sha256


def linked(source: Path) -> None:
    (source.parent / "outside").write_text("x")
    (source / "link").symlink_to(source.parent / "outside")


def twice(source: Path) -> None:
    (source / "code").mkdir()
    (source / "code" / "inference.py").write_text(HANDLER)


def piped(source: Path) -> None:
    os.mkfifo(source / "pipe")


def emptied(source: Path) -> None:
    for file in [*source.rglob("*")]:
        if file.is_file():
            file.unlink()


def told(name: str, text: str) -> object:
    return lambda source: (source / name).write_text(text)


REFUSED = {
    "a link that leads out": (linked, Refusal, "link to a place outside"),
    "a pipe": (piped, Refusal, "not a regular file"),
    "one name twice": (twice, UsageError, "would be one file code/inference.py"),
    "nothing": (emptied, UsageError, "no file to pack"),
    "a key in the code": (
        told("inference.py", "x = 1\nKEY = 'AKIAIOSFODNN7EXAMPLE'\n"),
        Refusal,
        "code/inference.py:2",
    ),
    "a file of variables": (told(".env", "A=1\n"), Refusal, ".env"),
    "a private key": (told("server.pem", "x"), Refusal, "server.pem"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_leaves_nothing(case: str, tmp_path: Path) -> None:
    change, kind, said = REFUSED[case]
    source = model(tmp_path)
    change(source)  # type: ignore[operator]
    with pytest.raises(kind) as caught:
        packed(source, out=tmp_path / "out" / "model.tar.gz")
    assert said in caught.value.message
    assert "AKIA" not in str(caught.value)
    assert not list(tmp_path.glob("out/*"))


def test_a_link_inside_is_followed_and_an_allowed_file_taken(tmp_path: Path) -> None:
    source = model(tmp_path, **{"notes.txt": "ghp_" + "a1" * 20})
    (source / "alias.bin").symlink_to(source / "weights.bin")
    with pytest.raises(Refusal):
        packed(source, out=tmp_path / "a.tar.gz")
    assert ("alias.bin", 2) in packed(source, out=tmp_path / "a.tar.gz", allowed=("notes.txt",)).files


def test_what_is_absurdly_large_is_refused_with_what_is_large(tmp_path: Path) -> None:
    source = model(tmp_path)
    with (source / "weights.bin").open("wb") as file:
        file.truncate(3 * 10**9)
    with pytest.raises(Refusal, match=r"3.0 GB, and more than 2 GB are not packed: weights.bin \(3.0 GB\)"):
        packed(source, out=tmp_path / "a.tar.gz", largest=2.0)


@pytest.mark.parametrize("words", [("nowhere",), ("model", "-o", "model.zip")])
def test_a_mistake_is_told(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    model(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert "Traceback" not in in_this_process(capfd)("models", "package", *words, code=2).err


def test_for_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    model(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = json.loads(in_this_process(capfd)("models", "package", "model", "--format", "json").out)
    assert (found["file"], [item["name"] for item in found["files"]]) == ("model.tar.gz", names(Path("model.tar.gz")))
    assert found["bytes"] == Path("model.tar.gz").stat().st_size

"""Files that somebody swaps while we look at them."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ports_for_tests import Account, processing, training

from mlops.run.archive import merged, pack, unpack
from mlops.run.beneath import DEEPEST, Barred, Folder, InItsPlace, TooDeep, content, disk_use, remove
from mlops.run.outcome import StepFailed
from mlops.run.pace import Pace
from mlops.run.transfer import Upload, upload

CANARY = b"canary-of-the-account"
SECONDS = float(os.environ.get("MLOPS_SWAPPING_SECONDS", "1.5"))
"""How long a step swaps links; the judge has a whole minute."""

SWAP = """
import os, sys, time
folder, secret, secrets, seconds = sys.argv[1:4] + [float(sys.argv[4])]
deep = os.path.join(folder, "deep")
for number in range(30):
    os.makedirs(f"{deep}/{number}", exist_ok=True)
    open(f"{deep}/{number}/file", "w").write("mine")
    open(f"{folder}/file{number}", "w").write("mine")
    os.symlink(secret, f"{folder}/../link{number}")
    os.symlink(secrets, f"{folder}/../links{number}")
end = time.monotonic() + seconds
def exchange(one, other):
    os.rename(one, f"{one}.aside")
    os.rename(other, one)
    os.rename(f"{one}.aside", other)
while time.monotonic() < end:
    for number in range(30):
        for _ in range(2):
            exchange(f"{folder}/file{number}", f"{folder}/../link{number}")
            exchange(f"{deep}/{number}", f"{folder}/../links{number}")
            os.utime(f"{folder}/file{number}", follow_symlinks=False)
"""


@pytest.fixture
def secrets() -> Iterator[Path]:
    """A folder outside that a step of root's could name: not below /tmp, which the sandbox hides."""
    parent = next(place for place in (Path("/var/tmp"), Path.home()) if os.access(place, os.W_OK))
    with tempfile.TemporaryDirectory(prefix="mlops-test-", dir=parent) as name:
        (Path(name) / "file").write_bytes(CANARY)
        yield Path(name)


def swapping(account: Account, kind: str, secrets: Path) -> Any:
    """A step that swaps files and folders of what is stored continuously for links, all the time."""
    folder = {"output": "processing/output/out", "checkpoints": "checkpoints", "model": "model"}[kind]
    words = (str(secrets / "file"), str(secrets), str(SECONDS))
    path = f'os.path.join(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"), {folder!r})'
    script = f"import os, sys\nsys.argv = ['', {path}, *{words!r}]\n{SWAP}"
    if kind == "output":
        made = processing(account, "S", script, outputs=("out",))
        made.arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = "Continuous"
        return made
    config = {"CheckpointConfig": {"S3Uri": "s3://bucket/checkpoints"}} if kind == "checkpoints" else {}
    return training(account, "S", {"train.py": script}, **config)


@pytest.mark.deeper("links")
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["output", "checkpoints", "model"])
def test_a_step_that_swaps_links_gets_nothing_from_outside(
    account: Account, sandbox_mode: str, secrets: Path, kind: str
) -> None:
    status = account.run(swapping(account, kind, secrets), pace=Pace(grace=1, uploads=0.0))
    assert status == "Succeeded", account.journal.last("S").failure
    stored = {uri: account.objects.read(uri) for uri in account.objects.keys("s3://bucket/")}
    assert len(stored) > 1
    assert not [uri for uri, read in stored.items() if CANARY in unpacked(read)]


def unpacked(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        return b"".join(file.read() for member in tar if (file := tar.extractfile(member) if member.isreg() else None))


@pytest.mark.deeper("links")
@pytest.mark.parametrize("way", ["upload", "pack", "measure"])
def test_whoever_looks_while_links_are_swapped(account: Account, tmp_path: Path, way: str) -> None:
    """The same without a sandbox in between, and with as many looks as there is time for."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "file").write_bytes(CANARY * 100_000)
    folder, archive = tmp_path / "ml" / "out", tmp_path / "x.tar.gz"
    folder.mkdir(parents=True)
    words = [str(folder), str(tmp_path / "secrets" / "file"), str(tmp_path / "secrets"), "30"]
    swapper = subprocess.Popen([sys.executable, "-c", SWAP, *words])
    looks, end = 0, time.monotonic() + min(SECONDS, 10)
    again = Upload(folder, tmp_path / "ml", "s3://bucket/again/", account.objects)
    try:
        while time.monotonic() < end or looks < 3:
            assert swapper.poll() is None
            looks += 1
            if way == "upload":
                again.changed()
            elif way == "measure":
                assert disk_use(folder) < len(CANARY) * 100_000
            else:
                try:
                    with Folder.at(folder) as left:
                        pack(merged([left]), archive)
                except StepFailed:  # a file that went away is told of
                    continue
                assert CANARY not in unpacked(archive.read_bytes())
    finally:
        swapper.kill()
        swapper.wait()
    for uri in account.objects.keys("s3://bucket/"):
        assert account.objects.read(uri) in (b"mine", b"")


def place(folder: Path, kind: str) -> None:
    """Something in ``folder`` that is no file of its own, called x."""
    target = folder / "x"
    match kind:
        case "link to a file":
            target.symlink_to("/etc/passwd")
        case "link to a folder":
            target.symlink_to("/etc")
        case "link to nothing":
            target.symlink_to("nothing")
        case "link to itself":
            target.symlink_to("x")
        case "FIFO":
            os.mkfifo(target)
        case "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(str(target))
        case "device":
            if os.getuid() != 0:
                pytest.skip("only root makes devices")
            try:
                os.mknod(target, 0o20600, os.makedev(1, 9))
            except PermissionError:
                pytest.skip("devices cannot be made here")


NO_FILES = ["link to a file", "link to a folder", "link to nothing", "link to itself", "FIFO", "socket", "device"]


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_neither_read_nor_waited_for(account: Account, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    place(folder, kind)
    (folder / "y").write_text("mine")
    with Folder.at(folder) as left:
        with pytest.raises(InItsPlace):
            left.open("x")
        assert left.read("x", 10) is None and left.read("y", 10) == b"mine" and left.read("z", 10) is None
        assert [entry.path for entry in left.walk() if entry.is_file] == ["y"]
        pack(merged([left]), tmp_path / "x.tar.gz")
    assert upload(folder, folder, "s3://bucket/x", account.objects) == 1
    assert account.objects.keys("s3://bucket/x") == ("s3://bucket/x/y",)
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert {member.name: member.type for member in tar} == (
            {"y": tarfile.REGTYPE, "x": tarfile.SYMTYPE} if kind.startswith("link") else {"y": tarfile.REGTYPE}
        )
    remove(folder)
    assert not os.path.lexists(folder) and Path("/etc/passwd").is_file()


@pytest.mark.parametrize("at", ["", "a", "a/b"])
@pytest.mark.parametrize("found", ["a link", "a file", "a FIFO", None])
def test_what_is_in_a_folders_place(tmp_path: Path, at: str, found: str | None) -> None:
    """At every depth. One that is not there is empty."""
    top = tmp_path / "top"
    place_of = top / at
    place_of.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "other/a/b").mkdir(parents=True)
    (tmp_path / "other/a/b/secret").touch()
    match found:
        case "a link":
            place_of.symlink_to(tmp_path / "other" / at)
        case "a file":
            place_of.touch()
        case "a FIFO":
            os.mkfifo(place_of)
        case None:
            with Folder.at(top, "a/b") as folder:
                assert list(folder.walk()) == [] and folder.read("secret", 1) is None
            return
    with pytest.raises(InItsPlace) as refused:
        Folder.at(top, "a/b")
    assert refused.value.found == found and refused.value.path.endswith(at)


def test_a_file_that_grows_as_fast_as_it_is_read(tmp_path: Path) -> None:
    growing = tmp_path / "x"
    growing.write_bytes(b"x" * 3_000_000)
    with Folder.at(tmp_path) as folder, folder.open("x") as file:
        read = 0
        for chunk in content(file):
            read += len(chunk)
            with growing.open("ab") as more:
                more.write(b"x" * 2 * len(chunk))
    assert read == 3_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_a_lease_is_not_waited_for(account: Account, tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    (folder / "x").write_text("x")
    (folder / "y").write_text("y")
    with (folder / "x").open("rb+") as held:
        try:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as fault:
            pytest.skip(f"no leases here: {errno.errorcode[fault.errno or 0]}")
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            upload = Upload(folder, folder, "s3://bucket/x", account.objects)
            assert upload.changed() == 1
        finally:
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            signal.signal(signal.SIGIO, before)
    assert upload.changed() == 1


def nested(folder: Path, depth: int) -> None:
    """Deeper than a path may be long."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d" * 12, dir_fd=here)
        below = os.open("d" * 12, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_folders_deeper_than_a_path_is_long(account: Account, tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    nested(top, 400)
    (top / "x").touch()
    with Folder.at(top) as folder, pytest.raises(TooDeep):
        list(folder.walk())
    with pytest.raises(TooDeep):
        disk_use(top)
    with pytest.raises(StepFailed, match=f"cannot be stored: it lies deeper than {DEEPEST} folders"):
        Upload(top, tmp_path, "s3://bucket/x", account.objects).changed()
    remove(top)
    assert not top.exists()
    remove(top)


def test_folders_as_deep_as_may_be(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    nested(top, DEEPEST)
    with Folder.at(top) as folder:
        assert sum(entry.is_file for entry in folder.walk()) == 1
    remove(top)


def test_names_that_are_no_text(account: Account, tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    Path(os.fsdecode(os.fsencode(folder) + b"/x\xff")).touch()
    with pytest.raises(StepFailed, match="is no name for an object: it is not UTF-8"):
        Upload(folder, folder, "s3://bucket/x", account.objects).changed()
    remove(folder)


AS_SOMEBODY = """
import os, sys
from pathlib import Path
from mlops.run.beneath import Folder, Unreadable, disk_use, remove
top = Path(sys.argv[1]) / "top"
(top / "shut/in").mkdir(parents=True)
(top / "shut/in/x").write_text("x")
(top / "shut/out").symlink_to("/etc/passwd")
(top / "x").write_text("x")
for mode in (0o000, 0o500, 0o300):
    (top / "shut").chmod(mode)
    with Folder.at(top) as folder:
        try:
            print(sorted(entry.path for entry in folder.walk()))
        except Unreadable as shut:
            print(shut)
    disk_use(top)
(top / "x").chmod(0)
with Folder.at(top) as folder:
    try:
        folder.open("x")
    except Unreadable as shut:
        print(shut)
remove(top)
print(top.exists())
"""


def test_modes_that_forbid(tmp_path: Path) -> None:
    """As somebody for whom modes count; root reads all."""
    with tempfile.TemporaryDirectory(prefix="mlops-modes-") as name:
        user = 65534 if os.getuid() == 0 else None
        if user is not None:
            os.chown(name, user, user)
        python = sys.executable if user is None else "/usr/bin/python3"
        source = str(Path(__file__).parents[2])
        words = [python, "-c", AS_SOMEBODY, name]
        # Where our own files are root's alone the other interpreter cannot read them either.
        told = subprocess.run(
            words, user=user, env={"PYTHONPATH": source}, cwd="/", capture_output=True, text=True, check=False
        )
        if "No module named" in told.stderr or "Permission denied: '/usr" in told.stderr:
            pytest.skip("an ordinary user cannot read what is tested")
    forbidden = "its mode forbids to read it"
    listed = "['shut', 'shut/in', 'shut/in/x', 'shut/out', 'x']"
    shut = f"shut: {forbidden}"
    assert told.stdout.splitlines() == [shut, listed, shut, f"x: {forbidden}", "False"], told.stderr


def packed(folder: Path, *members: tuple[str, bytes, str]) -> Path:
    path = folder / "x.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            if kind == tarfile.REGTYPE:
                member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
    return path


LINK, HARD, FILE, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.REGTYPE, tarfile.DIRTYPE
LONG = "d" * 240
# Behind a path of links that is longer than a path may be, realpath() takes the rest as it is written (CVE-2025-4517).
OVERLONG = [
    member
    for depth in range(16)
    for member in (
        ("/".join([LONG] * (depth + 1)), DIR, ""),
        ("/".join([*"abcdefghijklmnop"[:depth], "abcdefghijklmnop"[depth]]), LINK, LONG),
    )
]
ESCAPES: dict[str, list[tuple[str, bytes, str]]] = {
    "through a link that came before": [("a", LINK, "b"), ("b", LINK, ".."), ("a/evil", FILE, "")],
    "a link by the name of another": [("d/up", LINK, ".."), ("d/out", LINK, "up/.."), ("d/out/evil", FILE, "")],
    "a hard link to a link": [("d/up", LINK, ".."), ("up", HARD, "d/up"), ("up/evil", FILE, "")],
    "a hard link through a link": [("d", LINK, "/etc"), ("x", HARD, "d/passwd")],
    "a folder in a link's place": [("d", LINK, "../outside"), ("d", DIR, ""), ("d/evil", FILE, "")],
    "a path too long to resolve": [
        *OVERLONG,
        ("/".join("abcdefghijklmnop") + "/" + LONG, LINK, "../" * 16),
        ("escape", LINK, "/".join("abcdefghijklmnop") + "/" + LONG + "/../../outside"),
        ("escape/evil", FILE, ""),
    ],
    "a name that is too long": [("a", FILE, ""), ("x" * 300, FILE, "")],
    "a folder that is a file": [("a", FILE, ""), ("a/evil", FILE, "")],
    "a file that is a folder": [("a/b", FILE, ""), ("a", FILE, "")],
    "a name of the folder itself": [(".", FILE, "")],
}


@pytest.mark.parametrize("case", ESCAPES)
def test_an_archive_that_leads_out(tmp_path: Path, case: str) -> None:
    (tmp_path / "outside").mkdir()
    archive = packed(tmp_path, *ESCAPES[case])
    with pytest.raises(StepFailed, match=r"it cannot be unpacked as \.tar\.gz: "):
        unpack(archive, tmp_path / "in" / "folder", "it")
    assert not list((tmp_path / "outside").iterdir()) and not (tmp_path / "in" / "evil").exists()
    assert not (tmp_path / "evil").exists()
    remove(tmp_path / "in")


def test_an_archive_in_good_faith(tmp_path: Path) -> None:
    members = [
        ("./", DIR, ""),
        ("./a/b", FILE, ""),
        ("a/again", HARD, "./a/b"),
        ("a/up", LINK, "../c"),
        ("current", LINK, "a"),
        ("a/b", FILE, ""),
        ("c", FILE, ""),
    ]
    unpack(packed(tmp_path, *members), tmp_path / "t", "it")
    found = {path.relative_to(tmp_path / "t").as_posix(): path.read_text() for path in (tmp_path / "t/a").iterdir()}
    assert found == {"a/b": "abc", "a/again": "abc", "a/up": "abc"} and (tmp_path / "t/current/b").read_text() == "abc"


def test_links_of_one_file_are_packed_once(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("abc")
    os.link(folder / "a", folder / "b")
    with Folder.at(folder) as left:
        pack(merged([left]), tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert [(member.name, member.type) for member in tar] == [("a", FILE), ("b", HARD)]
    unpack(tmp_path / "x.tar.gz", tmp_path / "t", "it")
    assert (tmp_path / "t/b").read_text() == "abc"


def test_a_name_of_a_file_outside(account: Account, secrets: Path) -> None:
    """A hard link would be a file like any other; from one mount to another there is none."""
    script = f"""
import os
for source in ({str(secrets / "file")!r}, "/etc/passwd", "/proc/self/fd/1", "/proc/1/exe"):
    for target in ("/opt/ml/model/x", "/tmp/x", "/dev/shm/x"):
        try:
            os.link(source, target)
        except OSError:
            continue
        print("LINKED", source, target)
os.open("/tmp/mine", os.O_CREAT)
try:
    os.link("/tmp/mine", "/opt/ml/model/mine")
    print("LINKED across")
except OSError as fault:
    print(fault.errno)
"""
    from mlops.run.sandbox import probe

    if probe().mode == "folders":
        pytest.skip("in plain folders a step reads all that you can read")
    assert account.run(training(account, "S", {"train.py": script})) == "Succeeded"
    log = account.journal.log("S")
    assert "LINKED" not in log and f"{errno.EXDEV}\n" in log


def test_barred_is_told_by_path() -> None:
    assert str(Barred("a/b", "because")) == "a/b: because"

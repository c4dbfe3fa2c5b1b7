"""Records of requests: written in batches, bounded, read by another process while they are written."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from mlops.account.local.process.router.records import Position, Record, Recorder, between, lost, read


def record(number: int) -> Record:
    return Record(number / 10, "config", "A", False, 200, 200, number, 2, 3, 4, None if number % 2 else "id \u00e9\n")


def written(folder: Path, records: list[Record], **more: float) -> None:
    recorder = Recorder(folder, seconds=60, **more)  # type: ignore[arg-type]
    for item in records:
        recorder.add(item)
    recorder.close()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    given = [record(number) for number in range(2500)]
    written(tmp_path, given)
    found, position = read(tmp_path)
    assert found == given
    assert read(tmp_path, position) == ([], position)


def test_each_process_goes_on_in_a_new_file_and_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    written(tmp_path, [record(1)])
    found, position = read(tmp_path)
    written(tmp_path, [record(2)], clock=lambda: 9e9)
    more, position = read(tmp_path, position)
    assert (found, more) == ([record(1)], [record(2)])
    assert read(tmp_path, position)[0] == []


def test_a_line_that_is_not_whole_is_read_later(tmp_path: Path) -> None:
    written(tmp_path, [record(1), record(2)])
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5])
    found, position = read(tmp_path)
    assert found == [record(1)]
    file.write_bytes(whole)
    assert read(tmp_path, position)[0] == [record(2)]


def test_files_are_bounded_in_size_and_number(tmp_path: Path) -> None:
    moments = iter(range(1000))
    written(
        tmp_path, [record(number) for number in range(20_000)], file_bytes=10_000, files=3, clock=lambda: next(moments)
    )
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert sum(file.stat().st_size for file in files) < 3 * (10_000 + 1000 * 100)
    found, _ = read(tmp_path, Position("0", 0))
    assert found[-1] == record(19_999)


def test_what_comes_too_fast_is_counted(tmp_path: Path) -> None:
    written(tmp_path, [record(number) for number in range(15)], waiting=10)
    (file,) = tmp_path.iterdir()
    assert len(read(tmp_path)[0]) == 10
    assert json.loads(file.read_text().splitlines()[-1])["lost"] == 5


def test_nobody_else_may_read_them_and_the_file_explains_itself(tmp_path: Path) -> None:
    written(tmp_path, [record(1)])
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text().splitlines()[0]) == {"format": 1, "columns": list(Record._fields)}


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "requests").touch()
    written(tmp_path / "requests", [record(1)])


def test_what_is_called_for_a_run_loads_no_server() -> None:
    program = """
import sys
import mlops.account.local.process.runner, mlops.run.execute, mlops.account.local
import mlops.account.local.services.sagemaker_runtime.invocations
print([name for name in sys.modules if name in ("asyncio", "uvloop", "httptools", "http.server")])
"""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert told.stdout.strip() == "[]"


def test_a_disk_that_is_full_leaves_no_half_line_and_what_was_lost_is_told(tmp_path: Path) -> None:
    """The limit of a file's size stands for the disk: a write ends in the middle of a line there."""
    recorder = Recorder(tmp_path, seconds=60, clock=lambda: 0.0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    recorder.add(record(1))
    recorder.write()
    (file,) = tmp_path.iterdir()
    for number in range(40):
        recorder.add(record(number))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 100, before[1]))
    try:
        recorder.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    recorder.add(record(2))
    recorder.close()
    assert read(tmp_path)[0] == [record(1), record(2)]
    assert lost(tmp_path) == 40
    assert len([*between(tmp_path, 0, 1)]) == 2


def test_half_a_line_of_an_older_version_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, [record(1)], clock=lambda: 0.0)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole + b'[0.5,"con[0.2,"config","A"]\n[0.5\n{"lost": \n' + whole.splitlines(keepends=True)[1])
    assert read(tmp_path)[0] == [record(1), record(1)]
    assert len([*between(tmp_path, 0, 1)]) == 2
    assert lost(tmp_path) == 0

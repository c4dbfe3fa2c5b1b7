"""What asks the local account, with 1,000 executions and 10,000 objects in it and with 100,000 and 1,000,000.

One small pipeline is run, and its rows are written again with other ids: what is measured reads them as any others.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from timing import MLOPS, Process, ProcessFailed, Wanted, run, tell_machine, tell_ratios, tell_seconds, time_together

SMALL, LARGE = 1_000, 100_000
OBJECTS_PER_EXECUTION = 10
ROUNDS = 3
AT_MOST = 1.5
PIPELINE = """\
from mlops import Pipeline, Processing

with Pipeline("many") as pipeline:
    Processing("Work", code="work.py", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/tool:1", outputs=["data"])
"""
COMMANDS = {
    "list": ("executions", "list"),
    "show the newest": ("executions", "show"),
    "show by id": ("executions", "show", "{id}"),
    "logs": ("executions", "logs", "{id}"),
    "diff": ("executions", "diff", "{id}", "last"),
    "ls of a prefix": ("local", "ls", "s3://mlops-local/many/0000/"),
    "run, cached": ("run", "many.py"),
    "upsert that changes nothing": ("upsert", "many.py"),
}


def multiplied(store: Path, executions: int) -> str:
    """The id of the one that was there."""
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA synchronous = OFF")
    first = str(connection.execute("SELECT id FROM execution").fetchone()[0])
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for table, key in (("execution", "id"), ("step", "execution"), ("event", "ids")):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        rows = connection.execute(f"SELECT * FROM {table} WHERE instr({key}, ?) > 0", (first,)).fetchall()
        marks = ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})",
            (
                [
                    None if column == "sequence" else _other(column, value, first, number, began)
                    for column, value in zip(columns, row, strict=True)
                ]
                for number in range(executions)
                for row in rows
            ),
        )
    columns = [row[1] for row in connection.execute("PRAGMA table_info(object)")]
    like = dict(zip(columns, connection.execute("SELECT * FROM object LIMIT 1").fetchone(), strict=True))
    connection.executemany(
        f"INSERT INTO object VALUES ({', '.join('?' * len(columns))})",
        (
            [({**like, "key": f"many/{number // 100:04d}/{number:07d}".encode()})[column] for column in columns]
            for number in range(executions * OBJECTS_PER_EXECUTION)
        ),
    )
    connection.commit()
    connection.close()
    return first


def _other(column: str, value: object, first: str, number: int, began: datetime) -> object:
    if column in ("created", "modified", "started", "ended", "time") and isinstance(value, str):
        return (began + timedelta(seconds=100 * number)).strftime("%Y-%m-%dT%H:%M:%S.%f") + value[26:]
    if isinstance(value, str):
        return value.replace(first, f"{number:012x}")
    return value


def project(folder: Path, executions: int) -> dict[str, Process]:
    folder.mkdir()
    (folder / "mlops.toml").write_text("[project]\n", encoding="utf-8")
    (folder / "work.py").write_text("open('/opt/ml/processing/output/data/x', 'w').write('1')\n", encoding="utf-8")
    (folder / "many.py").write_text(PIPELINE, encoding="utf-8")
    run(Process([*MLOPS, "run", "many.py"], folder))
    first = multiplied(folder / ".mlops" / "account.sqlite", executions)
    return {
        f"{executions}: {what}": Process([*MLOPS, *(word.format(id=first) for word in words)], folder)
        for what, words in COMMANDS.items()
    }


def main() -> int:
    tell_machine()
    folder = Path(tempfile.mkdtemp(prefix="mlops-store-"))
    try:
        timed = {**project(folder / "small", SMALL), **project(folder / "large", LARGE)}
        seconds = time_together(timed, ROUNDS)
    except ProcessFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell_seconds(seconds)
    wanted = [
        Wanted(f"{what}, {LARGE} / {SMALL} executions", f"{LARGE}: {what}", f"{SMALL}: {what}", at_most=AT_MOST)
        for what in COMMANDS
    ]
    tell_ratios(wanted, seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())

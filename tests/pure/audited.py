"""Run the command line in this interpreter and tell what it touched.

    python audited.py REPORT compile pipelines/wine/pipeline.py -o -

REPORT becomes a JSON file: ``modules`` that were loaded, and ``events`` by which Python tells of connections, programs
that were started, and everything that changes a file system.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

CHANGING = frozenset(
    {
        "os.chmod", "os.chown", "os.link", "os.mkdir", "os.mkfifo", "os.remove", "os.removexattr", "os.rename",
        "os.rmdir", "os.setxattr", "os.symlink", "os.truncate", "os.utime",
    }
)  # fmt: skip
STARTING = ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.", "subprocess.")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC

events: list[str] = []


def audit(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        path, _, flags = arguments
        # A descriptor was told of when it was opened by name.
        if not isinstance(path, int) and isinstance(flags, int) and flags & WRITING:
            events.append(f"write {path}")
    elif event in CHANGING or event.startswith(("socket.", "sqlite3.", *STARTING)):
        events.append(f"{event} {arguments[0] if arguments else ''}")


if __name__ == "__main__":
    report = Path(sys.argv[1])
    sys.addaudithook(audit)
    from mlops.cli import main

    code = main(sys.argv[2:])
    report.write_text(json.dumps({"modules": sorted(sys.modules), "events": list(events)}))
    sys.exit(code)

"""A program that runs on a notebook instance every few minutes, and stops it when nothing was done there for long.

    python3 mlops_idle_stop.py SECONDS

It asks Jupyter, which answers on the loopback alone, by the standard library of Python 3.7. What was seen to be done is
kept as the time of a file, which every start of the instance makes new: who shuts a kernel down is not idle yet.
"""

from __future__ import annotations

import calendar
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

JUPYTER = "https://localhost:8443"
METADATA = Path("/opt/ml/metadata/resource-metadata.json")
SEEN = Path("/var/lib/mlops-idle-stop")


def last_activity(kernels: list[Any], terminals: list[Any], now: float) -> float:
    """When something was done last, 0 where nobody knows; a kernel that is busy does something now.

    >>> last_activity([{"execution_state": "idle", "last_activity": "1970-01-01T00:01:00.5Z"}], [], 900.0)
    60.0
    >>> last_activity([{"execution_state": "busy"}], [], 900.0), last_activity([], [], 900.0)
    (900.0, 0.0)
    """
    if any(kernel.get("execution_state") == "busy" for kernel in kernels):
        return now
    return max([seconds(item.get("last_activity")) for item in [*kernels, *terminals]], default=0.0)


def seconds(text: str | None) -> float:
    return float(calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))) if text else 0.0


def is_idle(seen: Path, last: float, now: float, longest: float) -> bool:
    """Keeps ``last`` as the time of the file ``seen``, where that is earlier."""
    if last > seen.stat().st_mtime:
        os.utime(seen, (last, last))
    return now - seen.stat().st_mtime >= longest


def ask(what: str) -> list[Any]:
    context = ssl.create_default_context()
    # Its certificate is its own, and nobody else answers on the loopback.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(JUPYTER + "/api/" + what, timeout=30, context=context) as reply:  # noqa: S310
        found: list[Any] = json.load(reply)
    return found


def main() -> None:
    now = time.time()
    if not is_idle(SEEN, last_activity(ask("kernels"), ask("terminals"), now), now, float(sys.argv[1])):
        return
    told = json.loads(METADATA.read_text(encoding="utf-8"))
    region = told["ResourceArn"].split(":")[3]
    command = ["aws", "sagemaker", "stop-notebook-instance", "--region", region]
    subprocess.run([*command, "--notebook-instance-name", told["ResourceName"]], check=True)


if __name__ == "__main__":
    main()

"""Starts the process in which a file of any author runs, and takes from it what it made.

What comes back was in the hands of the file, so nothing of it is believed: a file that it kept is taken if it is a
plain file of the content that its name says.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlops.compose.order import Order
from mlops.project.files import write_bytes
from mlops.project.private import FILE, FOLDER, private_folder, state_folder

COMPOSER = "mlops.compose.composing"

_LEFT_OUT = re.compile(
    r"""AWS_.* | .*_PROXY | SSH_(AUTH_SOCK|AGENT_PID) | DOCKER_.* | DBUS_.* | XDG_RUNTIME_DIR | KRB5CCNAME | NETRC
    | GPG_.* | BOTO_CONFIG | GOOGLE_APPLICATION_CREDENTIALS | AZURE_.* | KUBECONFIG""",
    re.VERBOSE | re.IGNORECASE,
)
"""Keys, and ways to who has them. The rest is the author's own, so that a file may read it."""
_SECRET_FILES = (
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "BOTO_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBECONFIG",
    "NETRC",
)
_GRACE = 10
"""Seconds in which the process gives itself up first, and knows the line."""
_MOST_BYTES = 1 << 28
_CONTENT = re.compile(r"[0-9a-f]{64}")


def secret_files() -> list[Path]:
    return [Path(os.environ[name]).absolute() for name in _SECRET_FILES if os.environ.get(name)]


def run(order: Order) -> tuple[dict[str, Any] | None, int]:
    """The answer, None where the process left none, and its exit code. Raises subprocess.TimeoutExpired."""
    with subprocess.Popen(
        [sys.executable, "-P", "-m", COMPOSER],
        stdin=subprocess.PIPE,
        text=True,
        env=_variables(order),
    ) as process:
        try:
            process.communicate(json.dumps(order.written()), timeout=order.seconds + _GRACE)
        finally:
            if process.poll() is None:
                process.kill()
    return _answer(order.result), process.returncode


def _answer(file: Path) -> dict[str, Any] | None:
    """None where the file has left nothing, or no plain file with an object in it."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            answer = json.loads(opened.read(_MOST_BYTES))
    except ValueError:
        return None
    finally:
        os.close(descriptor)
    return answer if isinstance(answer, dict) else None


def _variables(order: Order) -> dict[str, str]:
    nowhere = str(order.private / "no-aws-configuration")
    return {name: value for name, value in os.environ.items() if not _LEFT_OUT.fullmatch(name)} | {
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "agg",
        "AWS_DEFAULT_REGION": order.facts["region"],
        "AWS_REGION": order.facts["region"],
        "AWS_ACCESS_KEY_ID": "composing",
        "AWS_SECRET_ACCESS_KEY": "composing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
    }


def take(order: Order, contents: Iterable[str], store: Path) -> None:
    """What the process kept, into the project's ``store``."""
    for content in sorted(set(contents)):
        if not _CONTENT.fullmatch(content):
            raise ValueError(f"no content address: {content!r}")
        target = store / content
        if kept(target):
            continue
        descriptor = os.open(order.store / content, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise ValueError(f"{content} is no plain file")
            data = file.read()
        if _digest(data) != content:
            raise ValueError(f"{content} has another content")
        state_folder(store.parent)
        private_folder(store)
        write_bytes(target, data, mode=FOLDER if mode & stat.S_IXUSR else FILE)


def kept(target: Path) -> bool:
    """Whether the content that ``target`` is named by lies there."""
    return target.is_file() and not target.is_symlink() and _digest(target.read_bytes()) == target.name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""Whose a connection is: another user of this machine is not answered, for who may make a pipeline may run anything as
us.

Linux tells the user of each socket in ``/proc/net/tcp``; where there is no such file, nobody is asked.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

_TABLE = Path("/proc/net/tcp")
_ESTABLISHED = "01"
_ROOT = 0


def is_ours(taken: socket.socket) -> bool:
    """Whether this user, or root, holds the other end."""
    try:
        peer, here = taken.getpeername(), taken.getsockname()
        table = _TABLE.read_text("ascii")
    except FileNotFoundError:
        return True
    except OSError:
        return False
    wanted = f"{_address(*peer)} {_address(*here)} "
    for line in table.splitlines():
        if wanted in line:
            _, _, _, state, _, _, _, user, *_ = line.split()
            # What is half closed has no owner any more.
            return (state == _ESTABLISHED or user != "0") and int(user) in (os.geteuid(), _ROOT)
    return False


def _address(host: str, port: int) -> str:
    """
    >>> _address("127.0.0.1", 80)
    '0100007F:0050'
    """
    return f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"

"""Starts commands, each with its own ``/opt/ml``, and stays beside each until it ends. Run by path, with the name of a
mode as its argument.

One launcher serves one runner. It makes once what all sandboxes have in common, and then keeps one process ready, the
next command's keeper (:mod:`mlops.run.sandbox.keeper`), which waits for an order. The launcher is single-threaded, so
that it may fork and that the kernel's word of a parent's death means what it says. Standard input is a Unix socket,
which the keeper at hand reads; each order (:class:`mlops.run.sandbox.order.Order`) comes as four bytes of length and
JSON, with the descriptors of the control socket, the log and what the command inherits.

Of the package nothing is loaded but the few modules beside this one: it may be unreachable for who runs a step, and all
of it would cost every run start-up time.
"""

# pathlib would cost every step start-up time.
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops.run.sandbox.keeper import Mode


def main(name: str) -> None:
    from mlops.run.sandbox.keeper import keep, reason  # only now can it be found

    # The command's standard input is another one.
    orders = socket.socket(fileno=os.dup(0))
    # What a collector touches is copied for every child.
    gc.disable()
    gc.freeze()
    # Keepers answer the runner themselves; nobody here waits for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    mode = _made(name)
    refusal = ""
    try:
        mode.prepare()
    except OSError as fault:
        refusal, mode = reason(fault), _made("folders")
    nothing = mode.nothing()
    os.dup2(nothing, 0)
    os.close(nothing)
    while True:
        taken, take = os.pipe()
        if mode.fork() == 0:
            os.close(taken)
            keep(mode, orders, take, refusal)
        os.close(take)
        # Nothing comes where it ended without an order: then the runner has gone.
        if not os.read(taken, 1):
            return
        os.close(taken)


def _made(name: str) -> Mode:
    """Only the one that is asked for is loaded."""
    match name:
        case "namespaces":
            from mlops.run.sandbox.namespaces import Namespaces

            return Namespaces()
        case "bubblewrap":
            from mlops.run.sandbox.bubblewrap import Bubblewrap

            return Bubblewrap()
    from mlops.run.sandbox.folders import Folders

    return Folders()


def _find_modules() -> None:
    """Those beside this file by their own names, without the packages around them."""
    here = os.path.dirname(os.path.abspath(__file__))
    above = os.path.dirname(here)
    packages = (("mlops", os.path.dirname(above)), ("mlops.run", above), ("mlops.run.sandbox", here))
    for name, folder in packages:
        package = type(sys)(name)
        package.__path__ = [folder]
        sys.modules[name] = package


if __name__ == "__main__":
    _find_modules()
    main(sys.argv[1])

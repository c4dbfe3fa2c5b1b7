"""Which line of the author's files is being executed, whatever thread asks."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType

from mlops.compose.order import Order
from mlops.ir import Where

_INSTALLED = (f"{sys.prefix}/", f"{sys.base_prefix}/", str(Path(__file__).resolve().parents[1]))


def author_line(order: Order) -> Where:
    """The innermost of the file's own lines, of the order's file rather than of a module of the project. Of a thread
    that the SDK started it is the line at which the main thread waits."""
    main = sys._current_frames().get(threading.main_thread().ident or 0)
    for frame in (sys._getframe(1), main):
        found = _line(frame, order)
        if found is not None:
            return found
    return Where(str(order.file), 1)


def _line(frame: FrameType | None, order: Order) -> Where | None:
    file, root = str(order.file), f"{order.root}/"
    module: Where | None = None
    while frame is not None:
        name = frame.f_code.co_filename
        if name == file:
            return Where(file, frame.f_lineno)
        if (
            module is None
            and name.startswith(root)
            and not name.startswith(_INSTALLED)
            and "/site-packages/" not in name
        ):
            module = Where(name, frame.f_lineno)
        frame = frame.f_back
    return module

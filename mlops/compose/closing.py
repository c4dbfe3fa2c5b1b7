"""Closes the process in which a user's file will run, in the best way that the system has."""

from __future__ import annotations

import os
import sys

from mlops.compose.order import Order
from mlops.run.sandbox import FORCE_VARIABLE


def close(order: Order) -> None:
    """In namespaces, or, where there are none, with what could leave the process refused."""
    if sys.platform == "linux" and os.environ.get(FORCE_VARIABLE) != "folders":
        from mlops.compose.enclosure import enclose

        try:
            enclose(order.root, order.private, order.secret)
        except OSError:
            pass  # no right to any, as in many containers
        else:
            return
    from mlops.compose.refusing import refuse_what_leaves

    refuse_what_leaves(order)

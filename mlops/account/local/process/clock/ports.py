"""What the clock needs of a higher layer."""

from __future__ import annotations

from collections.abc import Sequence

from mlops.ports import Port

MONITOR: Port[Sequence[str]] = Port("monitor")
"""What Python is given to run a monitor: the command that a person would give."""

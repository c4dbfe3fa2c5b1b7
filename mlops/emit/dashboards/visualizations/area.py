"""Areas that lie on each other."""

from __future__ import annotations

from mlops.emit.dashboards.axes import drawn
from mlops.emit.dashboards.panel import Visualization

VISUALIZATION = Visualization(lambda panel: drawn(panel, "area"))

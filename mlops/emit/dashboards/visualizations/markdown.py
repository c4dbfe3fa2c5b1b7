"""Text for readers of the board."""

from __future__ import annotations

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization


def _draw(panel: Panel) -> Drawn:
    return Drawn("markdown", {"fontSize": 12, "openLinksInNewTab": True, "markdown": panel.text}, searched=False)


VISUALIZATION = Visualization(_draw, lambda panel: ())

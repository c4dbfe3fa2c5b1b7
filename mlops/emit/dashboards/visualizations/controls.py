"""Lists from which readers choose what all panels show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops.emit.dashboards.panel import Drawn, Panel, Visualization

_MOST = 100


def _draw(panel: Panel) -> Drawn:
    names = tuple(f"control_{number}_index_pattern" for number in range(len(panel.controls)))
    controls = [
        {
            "id": f"control-{number}",
            "indexPatternRefName": name,
            "fieldName": panel.index.countable(field),
            "parent": "",
            "label": label,
            "type": "list",
            "options": {"type": "terms", "multiselect": True, "dynamicOptions": True, "size": _MOST, "order": "desc"},
        }
        for number, (name, (field, label)) in enumerate(zip(names, panel.controls, strict=True))
    ]
    params = {"controls": controls, "updateFiltersOnChange": True, "useTimeFilter": True, "pinFilters": False}
    return Drawn("input_control_vis", params, names=names, searched=False)


def _bodies(panel: Panel) -> tuple[Mapping[str, Any], ...]:
    """What each list holds."""
    return tuple(
        {"size": 0, "aggs": {"termsAgg": {"terms": {"field": panel.index.countable(field), "size": _MOST}}}}
        for field, _ in panel.controls
    )


VISUALIZATION = Visualization(_draw, _bodies)

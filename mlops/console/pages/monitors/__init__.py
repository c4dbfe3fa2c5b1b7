"""What is watched: monitors, alarms, and what they started."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.console.page import Hit, Page, Shown, Visit, address
from mlops.use_cases.connecting import Connected


def show(visit: Visit) -> Shown:
    from mlops.use_cases import feedback, monitors
    from mlops.use_cases.browse import alarms

    words = visit.query.one("name")
    return {
        "words": words,
        "monitors": [item for item in monitors.listed(visit.connected) if words.lower() in item.name.lower()],
        "alarms": alarms(visit.connected, words),
        "feedback": [item for item in feedback.listed(visit.connected) if words.lower() in item.name.lower()],
    }


def find(connected: Connected, text: str) -> Iterable[Hit]:
    from mlops.use_cases import monitors
    from mlops.use_cases.browse import alarms

    for item in monitors.listed(connected):
        if text.lower() in item.name.lower():
            yield Hit("monitor", item.name, address("monitors", item.name), f"of {item.endpoint}")
    for alarm in alarms(connected, text):
        yield Hit("alarm", alarm.name, address("monitors", name=alarm.name), alarm.state)


PAGE = Page("/monitors", "Monitors", show, place=50, follows=lambda visit: {}, find=find)

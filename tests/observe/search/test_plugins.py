"""Policies, monitors and detectors by the rules of the plugins that take them, and indices under a policy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mlops.emit.dashboards.board import Declared
from mlops.emit.dashboards.detectors import detectors
from mlops.emit.dashboards.monitors import monitors
from mlops.ir import AccountError
from mlops.ir.captured_fields import captured
from mlops.ir.event_fields import EVENTS, INDEX
from mlops.ir.log_fields import LINES
from mlops.observe.search import setting_up, template
from mlops.observe.search.asking import Answered
from tests.emit.declaring import ALL, CAPTURED
from tests.observe.search import plugin_judge
from tests.observe.search.ism_door import Door

FIRST = f"{INDEX}-000001"
Change = Callable[[Any], object]


def made(index: Any = EVENTS, **more: int) -> Any:
    return copy.deepcopy(template.policy(index, **{"rollover_days": 30, "keep_days": 365, "shards": 2, **more}))


@pytest.mark.parametrize("index", [EVENTS, LINES, captured(CAPTURED)])
def test_a_policy_is_taken(index: Any) -> None:
    plugin_judge.policy(made(index))


REFUSED_POLICIES: list[tuple[Change, str]] = [
    (lambda it: it["policy"].pop("description"), "description is null"),
    (lambda it: it["policy"].update(name="a"), r"Invalid field: \[name\] found in Policy"),
    (lambda it: it["policy"].update(default_state="gone"), "valid default state"),
    (lambda it: it["policy"]["states"].append(it["policy"]["states"][0]), "duplicate state names"),
    (lambda it: it["policy"]["states"][0]["transitions"][0].update(state_name="gone"), "nonexistent state"),
    (lambda it: it["policy"]["states"][1]["transitions"].append({"state_name": "written"}), "using delete action"),
    (lambda it: it["policy"]["states"][0]["actions"][0]["rollover"].update(min_age="1d"), "RolloverAction"),
    (lambda it: it["policy"]["states"][0]["actions"][0]["rollover"].update(min_size="ten"), "as a size"),
    (lambda it: it["policy"]["states"][0]["actions"][0]["rollover"].update(min_size="0gb"), "greater than 0"),
    (lambda it: it["policy"]["states"][1]["actions"][0].update(delete={"now": True}), "DeleteAction"),
    (lambda it: it["policy"]["states"][0]["actions"].append({"remove": {}}), r"\[remove\] found in Actions"),
    (
        lambda it: it["policy"]["states"][0]["transitions"][0]["conditions"].update(min_doc_count=1),
        "more than one Transition condition",
    ),
    (lambda it: it["policy"]["ism_template"][0]["index_patterns"].append("a:b"), "must not contain"),
    (lambda it: it["policy"].update(states=[]), "at least one State"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED_POLICIES)
def test_the_judge_of_policies_refuses(change: Change, said: str) -> None:
    told = made()
    change(told)
    with pytest.raises(plugin_judge.Refused, match=said):
        plugin_judge.policy(told)


def test_monitors_are_taken() -> None:
    found = monitors(ALL)
    assert len(found) == 7
    for it in found:
        plugin_judge.monitor(it)


def trigger(it: Any) -> Any:
    return it["triggers"][0]["query_level_trigger"]


REFUSED_MONITORS: list[tuple[Change, str]] = [
    (lambda it: it.pop("name"), "Monitor name is null"),
    (lambda it: it.update(enabled="true"), "no boolean"),
    (lambda it: it.update(monitor_type="query"), "Monitor type"),
    (lambda it: it["schedule"]["period"].update(unit="SECONDS"), "not supported"),
    (lambda it: it["schedule"]["period"].update(interval=0), "greater than 0"),
    (lambda it: it["schedule"].update(cron={}), "one type of schedule"),
    (lambda it: it.update(inputs=it["inputs"] * 2), "1 search input"),
    (lambda it: it["inputs"][0]["search"].pop("query"), "query is null"),
    (lambda it: it["inputs"][0]["search"].update(indices="a"), "no array"),
    (lambda it: it.update(triggers=[{"bucket_level_trigger": {}}]), "Illegal trigger type"),
    (lambda it: it.update(triggers=it["triggers"] * 11), "up to 10 triggers"),
    (lambda it: trigger(it).update(severity=2), "no text"),
    (lambda it: trigger(it)["condition"]["script"].update(lang="expression"), "Invalid script language"),
    (lambda it: trigger(it).pop("condition"), "condition is null"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED_MONITORS)
def test_the_judge_of_monitors_refuses(change: Change, said: str) -> None:
    told = copy.deepcopy(monitors(ALL)[0])
    change(told)
    with pytest.raises(plugin_judge.Refused, match=said):
        plugin_judge.monitor(told)


def test_detectors_are_taken() -> None:
    odd = Declared('a" OR *' * 20, pipelines=("p",), endpoints=("e" * 63,), captured={"e" * 63: {"f" * 64: "double"}})
    for it in (*detectors(ALL), *detectors(odd)):
        plugin_judge.detector(it)
    assert [it["name"] for it in detectors(ALL)] == ["churn-seconds-of-steps", "churn-errors-in-logs", "churn-age"]
    assert not detectors(Declared("s", streams=("s",)))


REFUSED_DETECTORS: list[tuple[Change, str]] = [
    (lambda it: it.update(name="a b"), "Valid characters"),
    (lambda it: it.pop("time_field"), "time_field is null"),
    (lambda it: it["detection_interval"]["period"].update(unit="Hours"), "not supported"),
    (lambda it: it["window_delay"].pop("period"), "period is null"),
    (lambda it: it.update(shingle_size=129), "between 1 and 128"),
    (lambda it: it.update(category_field=["a", "b", "c"]), "more than 2"),
    (lambda it: it.update(feature_attributes=it["feature_attributes"] * 2), "unique"),
    (lambda it: it["feature_attributes"][0].pop("aggregation_query"), "aggregation_query is null"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED_DETECTORS)
def test_the_judge_of_detectors_refuses(change: Change, said: str) -> None:
    told = copy.deepcopy(detectors(ALL)[0])
    change(told)
    with pytest.raises(plugin_judge.Refused, match=said):
        plugin_judge.detector(told)


def set_up(door: Door, **kept: int) -> list[str]:
    wanted = {"rollover_days": 30, "keep_days": 365, "replicas": 0, **kept}
    actions = setting_up.decide(setting_up.see(door.ask, EVENTS), **wanted)
    for action in actions:
        setting_up.apply(door.ask, action)
    return [action.label for action in actions]


def test_a_new_index_is_managed_and_a_second_look_finds_nothing_to_do() -> None:
    door = Door()
    labels = set_up(door)
    policy = f"make the policy {INDEX}: a new index in 30 days, kept for 365"
    assert labels == [f"make the index template {INDEX}", policy, f"make the index {FIRST}"]
    assert set_up(door) == [] and door.rolls_over(FIRST)


def test_an_index_that_was_there_before_the_plugin_is_brought_under_the_policy() -> None:
    door = Door(managed=False)
    set_up(door)
    assert not door.rolls_over(FIRST)
    door.managed = True
    assert set_up(door)[2:] == [
        f"let the index {FIRST} roll over by {INDEX}",
        f"keep the index {FIRST} by the policy {INDEX}",
    ]
    assert door.rolls_over(FIRST) and set_up(door) == []


def test_a_policy_that_was_changed_holds_for_what_is_there() -> None:
    door = Door()
    set_up(door)
    assert set_up(door, keep_days=30) == [
        f"change the policy {INDEX}: a new index in 30 days, kept for 30",
        f"keep the index {FIRST} by the policy {INDEX} as it is now",
    ]
    assert set_up(door, keep_days=30) == []


@pytest.mark.parametrize("really", [True, False])
def test_who_comes_second_finds_it_done(really: bool) -> None:
    """Each change is refused once: somebody else has made it, or nobody has."""
    door = Door()

    def beaten(method: str, path: str, body: Any) -> Any:
        if method == "GET":
            return door.ask(method, path, body)
        if really:
            door.ask(method, path, body)
        raise Answered("it already exists", 400)

    def decided(seen: setting_up.Seen) -> Any:
        return setting_up.decide(seen, rollover_days=30, keep_days=365, replicas=0)

    if really:
        setting_up.apply_all(beaten, setting_up.see(beaten, EVENTS), decided)
        assert set_up(door) == []
    else:
        with pytest.raises(AccountError, match="it already exists"):
            setting_up.apply_all(beaten, setting_up.see(beaten, EVENTS), decided)


def test_an_index_of_another_policy_is_left_alone() -> None:
    door = Door()
    set_up(door)
    door.by[FIRST] = ("somebody's", 7)
    assert set_up(door) == []


def test_what_the_plugin_does_not_take_is_told() -> None:
    door = Door(managed=False, refuses=(FIRST,))
    set_up(door)
    door.managed = True
    with pytest.raises(AccountError, match=f"add/{FIRST}: This index is not to be had"):
        set_up(door)

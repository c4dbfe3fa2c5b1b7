"""Pausing, going on, hurrying, aborting and rolling back, and what the history says of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.deploy.endpoints import history, shift_records
from mlops.deploy.endpoints.conductor import Conductor, need_left
from mlops.deploy.endpoints.control import Steering
from mlops.deploy.endpoints.history import Entry, refused
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.settings import read
from mlops.ir import Refusal

from .service import Service
from .test_controller import (
    ENVIRONMENT,
    OLD,
    Killed,
    Time,
    controller,
    journal,
    killing,
    models,
    moves_of,
    variant,
)

SETTINGS = replace(read(ENVIRONMENT, Path("/nowhere")), rules=())


def steering(service: Service, **more: Any) -> Steering:
    account: Any = service
    return Steering(account, ENVIRONMENT, "churn", SETTINGS, clock=Time().clock, timeout=60, **more)


def stopped(at: int = 12) -> Service:
    """A shift whose controller is gone."""
    service = Service(OLD, hook=killing(at, "after"))
    with pytest.raises(Killed):
        controller(service).go(journal(moves_of("stepped")), None)
    service.hook = lambda when, operation: None
    account: Any = service
    stored = journals.read(account, ENVIRONMENT, "churn")
    assert stored is not None and stored.journal.phase == "shifting"
    # Nothing was said for longer than anybody takes.
    paused = replace(stored.journal, wish="pause", wish_reason="lunch", environment=ENVIRONMENT.name)
    journals.write(account, ENVIRONMENT, paused, stored.etag)
    return service


def told(service: Service) -> list[tuple[str, int, str, str | None]]:
    account: Any = service
    return [(item.verb, item.version, item.config, item.reason) for item in history.read(account, ENVIRONMENT, "churn")]


def whole(service: Service) -> tuple[Entry, ...]:
    """With what people did while it was under way."""
    account: Any = service
    return history.whole(account, ENVIRONMENT, "churn")


def test_who_makes_an_endpoint_anew_does_not_go_on_with_a_shift_of_the_deleted_one() -> None:
    service, said = stopped(), list[str]()
    account: Any = service
    conductor = Conductor(account, ENVIRONMENT, SETTINGS, by="ada", timeout=60, say=said.append, clock=Time().clock)
    conductor.forget("churn")
    stored = journals.read(account, ENVIRONMENT, "churn")
    assert stored is not None and stored.journal.is_over and stored.journal.reason == "the endpoint was deleted"
    conductor.forget("churn")
    assert len(said) == 1 and "ends with the endpoint" in said[0]


@pytest.mark.parametrize("what", ["pause", "resume", "promote_now", "abort"])
def test_where_nothing_is_under_way_it_is_said(what: str) -> None:
    with pytest.raises(Refusal, match="no shift of traffic is under way at churn"):
        getattr(steering(Service(OLD)), what)()


@pytest.mark.parametrize("what", ["resume", "promote_now"])
def test_what_was_left_is_gone_on_with(what: str) -> None:
    service, permitted = stopped(), list[str]()
    said = getattr(steering(service, permit=permitted.append), what)("it has to go on")
    assert said == "churn serves version 2 of churn" and models(service) == [("new", 3)]
    assert len(permitted) == 1 and "the promotion of version 2 of churn to churn" in permitted[0]
    verb = {"resume": "resumed", "promote_now": "promoted now"}[what]
    assert [(verb, version) for verb, version, _, _ in told(service)] == [("updated", 2)]
    beside, end = whole(service)
    assert (beside.verb, beside.version, beside.reason) == (verb, 2, "it has to go on")
    assert end.how is not None and f"; begun by ada; {verb} by {end.by}: it has to go on" in end.how
    account: Any = service
    kept = shift_records.latest(account, ENVIRONMENT, "churn")
    assert kept is not None and kept.by_people[0] == f"{verb} by {end.by}: it has to go on"
    assert kept.environment == ENVIRONMENT.name
    assert ("; cut short: stage 1 (5 %) after 0s of 10m, stage 2 (25 %)" in end.how) == (what == "promote_now")


def test_what_was_left_is_taken_back() -> None:
    service = stopped()
    assert steering(service).abort("it was a bad idea") == (
        "churn serves what it served before: it was aborted: it was a bad idea"
    )
    assert (service.serving.config, models(service)) == ("before", [("old", 3)])
    assert told(service) == [("aborted", 2, "before", "it was a bad idea")]
    (end,) = whole(service)
    assert end.by != "ada" and end.how is not None and "; begun by ada; aborted by " in end.how
    assert refused((end,), "churn") == {2}


def test_who_is_at_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's: word is left, and whoever is at it heeds it."""
    service = Service(OLD)
    account: Any = service
    journals.write(account, ENVIRONMENT, replace(journal(moves_of("stepped")), by="bob"), None)
    assert steering(service).abort("now") == (
        "the promotion of version 2 of churn to churn is taken back by bob, who is at it"
    )
    stored = journals.read(account, ENVIRONMENT, "churn")
    assert stored is not None and (stored.journal.wish, stored.journal.wish_reason) == ("abort", "now")
    with pytest.raises(Refusal, match="by bob is not paused"):
        steering(service).resume()
    steering(service).promote_now("we are sure")
    steering(service).pause("lunch")
    # An abort is told by the end.
    assert [(item.verb, item.reason) for item in whole(service)] == [
        ("promoted now", "we are sure"),
        ("paused", "lunch"),
    ]
    assert history.read(account, ENVIRONMENT, "churn") == ()


def promoted(service: Service, model: str, version: int) -> None:
    """As an earlier promotion left it."""
    account: Any = service
    config = f"config-{version}"
    before = service.serving.config
    service.configs[config] = {"ProductionVariants": [variant("AllTraffic", model, 2).as_request()]}
    service.update_endpoint("churn", config, RetainAllVariantProperties=True)
    history.append(
        account, ENVIRONMENT, "churn", Entry("updated", "churn", version, config, before, "ada", serves=version)
    )


def test_back_to_what_served_before_with_as_many_instances_as_now() -> None:
    service = Service(OLD)
    for number in (1, 2, 3):
        promoted(service, f"m{number}", number)
    entry = steering(service).rollback(reason="customers complain")
    assert models(service) == [("m2", 3)]
    assert (entry.verb, entry.version, entry.how) == ("rolled back", 3, "to version 2 of churn")
    account: Any = service
    entries = history.read(account, ENVIRONMENT, "churn")
    assert [item.number for item in entries] == [1, 2, 3, 4] and entries[-1].reason == "customers complain"
    assert refused(entries, "churn") == {3} and refused(entries, "other") == frozenset()
    stored = journals.read(account, ENVIRONMENT, "churn")
    assert stored is not None and stored.journal.environment == ENVIRONMENT.name
    steering(service).rollback(number=1)
    assert models(service) == [("m1", 3)]


def test_what_was_taken_back_is_neither_what_serves_nor_where_to_go_back_to() -> None:
    service = Service(OLD)
    account: Any = service
    for number in (1, 2):
        promoted(service, f"m{number}", number)
    # Version 3 was tried, and taken back to the configuration of version 2.
    taken = Entry("taken back", "churn", 3, "config-2", None, "ada", "stage 1: errors")
    history.append(account, ENVIRONMENT, "churn", taken)
    entry = steering(service).rollback()
    assert (entry.version, entry.serves, models(service)) == (2, 1, [("m1", 3)])
    assert refused(history.read(account, ENVIRONMENT, "churn"), "churn") == {2, 3}
    with pytest.raises(Refusal, match="cannot be rolled back to anything: it served before: 2"):
        steering(service).rollback()
    assert steering(service).rollback(number=2).version == 1


@pytest.mark.parametrize(
    ("number", "said"), [(None, "cannot be rolled back to anything"), (7, "cannot be rolled back to version 7")]
)
def test_there_has_to_be_something_to_go_back_to(number: int | None, said: str) -> None:
    service = Service(OLD)
    with pytest.raises(Refusal, match=said):
        steering(service).rollback(number=number)


def test_what_served_longer_ago_goes_by_way_of_the_gates() -> None:
    service, said = Service(OLD), list[str]()
    for number in range(1, 8):
        promoted(service, f"m{number}", number)
    with pytest.raises(Refusal, match="to version 1: of the last 5 it served: 2, 3, 4, 5, 6") as error:
        steering(service).rollback(number=1)
    assert error.value.hint is not None and "by way of the gates" in error.value.hint
    steering(service, say=said.append).rollback(number=2)
    assert any("neither gates nor measures are asked" in line for line in said)


@pytest.mark.parametrize(
    ("begun", "take_over", "refused"),
    [("", False, False), (ENVIRONMENT.name, False, False), ("other", False, True), ("other", True, False)],
)
def test_a_promotion_goes_on_with_what_was_begun_with_its_environment(
    begun: str, take_over: bool, refused: bool
) -> None:
    left = replace(journal(moves_of("stepped")), environment=begun)
    stored = journals.Stored(left, "", age=0.0, dead=True)
    if not refused:
        return need_left(stored, ENVIRONMENT, take_over=take_over)
    with pytest.raises(Refusal, match="was begun with the environment other, and is judged by what that") as error:
        need_left(stored, ENVIRONMENT, take_over=take_over)
    assert error.value.hint is not None and "`mlops endpoints resume churn --env other`" in error.value.hint
    return None


@pytest.mark.parametrize(
    ("promoters", "named"),
    [(("production",), "production"), ((None, "production"), None), ((), None)],
    ids=["by way of another environment", "by way of its own", "nobody knows"],
)
def test_the_hint_names_who_promotes_there(promoters: tuple[str | None, ...], named: str | None) -> None:
    service = Service(OLD)
    account: Any = service
    for name in promoters:
        entry = Entry("updated", "churn", 1, "c", None, "ada", serves=1)
        history.append(account, replace(ENVIRONMENT, name=name or ENVIRONMENT.name), "churn", entry)
    with pytest.raises(Refusal) as error:
        steering(service).rollback(number=7)
    group = "churn" if promoters else "GROUP"
    hint = f"`mlops promote {group} --to {named or ENVIRONMENT.name} --version NUMBER` takes any version there"
    assert error.value.hint is not None and error.value.hint.startswith(hint)


def test_a_rollback_does_not_come_between() -> None:
    with pytest.raises(Refusal, match="a shift of traffic is under way at churn"):
        steering(stopped()).rollback()


def test_what_is_promoted_again_is_good_again() -> None:
    def entry(verb: Any, version: int) -> Entry:
        return Entry(verb, "churn", version, "c", None, "ada")

    assert refused((entry("updated", 3), entry("rolled back", 3)), "churn") == {3}
    assert refused((entry("rolled back", 3), entry("updated", 3)), "churn") == frozenset()
    assert refused((entry("taken back", 4),), "churn") == {4}
    assert refused((entry("taken back", 4), entry("deleted", 4)), "churn") == {4}


def test_of_two_that_write_at_once_both_are_kept() -> None:
    service = Service(OLD)
    account: Any = service
    first = Entry("updated", "churn", 1, "a", None, "ada")
    again = [False]

    def hook(when: str, operation: str) -> None:
        if when == "before" and not again[0]:
            again[0] = True
            history.append(account, ENVIRONMENT, "churn", replace(first, by="bob"))

    service.hook = hook
    history.append(account, ENVIRONMENT, "churn", first)
    assert [item.by for item in history.read(account, ENVIRONMENT, "churn")] == ["bob", "ada"]

"""Whoever only watches a run, an endpoint or a promotion: off, slow, without place, dead or refusing, it fails and
delays nothing, and says what it dropped.

Each observer with each fault has its row: a test here, one elsewhere by its name, or why there is no such case.
"""

from __future__ import annotations

import ast
import asyncio
import http.client
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops.account.local.process.serving import endpoint as serving
from mlops.account.local.process.serving.happenings import AlarmsTold
from mlops.account.local.services.cloudwatch import evaluating
from mlops.account.local.state import State
from mlops.account.wire.answers import Answers
from mlops.account.wire.connection import Limits
from mlops.account.wire.server import Server
from mlops.deploy.endpoints.diary import Diary
from mlops.deploy.endpoints.promotion import CreateModel
from mlops.ir import ConfigurationError

ROOT = Path(__file__).parents[2]
FAULTS = ("off", "slow", "full", "dead", "refusing")
NONE = "no such case: "
ELSEWHERE = "tests/account"
OBSERVERS: dict[str, dict[str, str]] = {
    "the table of events": {
        "off": f"{NONE}it is a part of the account",
        "slow": f"{NONE}a row in the transaction of the change; benchmarks/publishing.py has what it costs",
        "full": f"{ELSEWHERE}/test_full_disk.py::test_a_full_disk_is_told_and_pruned",
        "dead": f"{NONE}no process writes it but who does the change",
        "refusing": "test_a_promotion_goes_on_without_its_events",
    },
    "an endpoint's capture": {
        "off": f"{ELSEWHERE}/test_capture.py::test_what_a_configuration_asks_for",
        "slow": f"{ELSEWHERE}/test_capture.py::test_what_there_is_no_room_for_is_dropped_and_answered_all_the_same",
        "full": f"{ELSEWHERE}/test_capture.py::test_all_room_is_given_back_also_where_nothing_can_be_written",
        "dead": f"{ELSEWHERE}/test_capture.py::test_all_room_is_given_back_also_where_nothing_can_be_written",
        "refusing": f"{ELSEWHERE}/test_capture.py::test_all_room_is_given_back_also_where_nothing_can_be_written",
    },
    "records of requests, usage and pairs": {
        "off": f"{NONE}each endpoint keeps them",
        "slow": f"{ELSEWHERE}/test_request_records.py::test_what_comes_too_fast_is_counted",
        "full": f"{ELSEWHERE}/test_request_records.py::"
        "test_a_disk_that_is_full_leaves_no_half_line_and_what_was_lost_is_told",
        "dead": f"{NONE}a thread of the endpoint's own process",
        "refusing": f"{ELSEWHERE}/test_request_records.py::test_a_disk_that_takes_nothing_stops_nobody",
    },
    "a shadow": {
        "off": f"{ELSEWHERE}/test_router.py::"
        "test_a_shadow_is_shown_its_share_of_the_requests_and_what_it_is_not_shown_is_no_loss",
        "slow": f"{ELSEWHERE}/test_router.py::test_a_shadow_never_delays_and_is_bounded",
        "full": f"{ELSEWHERE}/test_shadow_pairs.py::test_what_there_is_no_room_for_is_counted",
        "dead": f"{ELSEWHERE}/test_shadow_pairs.py::"
        "test_a_shadow_that_never_answers_delays_nobody_and_what_it_was_not_shown_is_counted",
        "refusing": f"{ELSEWHERE}/test_router.py::test_a_server_that_takes_no_connection_is_told_and_passed_by",
    },
    "the clock": {
        "off": f"{ELSEWHERE}/test_clock.py::test_an_account_whose_clock_cannot_be_started_takes_what_is_asked",
        "slow": f"{ELSEWHERE}/test_clock.py::test_what_a_function_does_keeps_no_schedule_from_firing",
        "full": f"{ELSEWHERE}/test_clock.py::test_an_account_whose_clock_cannot_be_started_takes_what_is_asked",
        "dead": f"{ELSEWHERE}/test_clock.py::test_a_killed_clock_misses_no_window_and_fires_none_twice",
        "refusing": f"{ELSEWHERE}/test_clock.py::test_one_ticker_that_fails_keeps_no_other_from_ticking",
    },
    "alarms of an update": {
        "off": f"{NONE}without alarms nobody is asked",
        "slow": f"{NONE}the clerk's thread asks, no request waits for it",
        "full": "test_alarms_that_cannot_be_evaluated_end_no_endpoint",
        "dead": f"{NONE}who asks evaluates",
        "refusing": "test_alarms_that_cannot_be_evaluated_end_no_endpoint",
    },
    "MLflow": {
        "off": "tests/observe/test_experiments.py::test_not_asked_for_is_told",
        "slow": "tests/observe/test_experiments.py::test_a_server_that_does_not_answer_changes_nothing_of_the_run",
        "full": "tests/observe/test_experiments.py::test_whatever_is_wrong_with_its_files_is_told_as_that",
        "dead": "tests/observe/test_experiments.py::test_a_server_that_is_not_there",
        "refusing": "tests/observe/test_experiments.py::test_whatever_is_wrong_with_its_files_is_told_as_that",
    },
    "notices of an environment": {
        "off": "tests/deploy/test_notify.py::test_who_did_not_ask_is_not_told",
        "slow": "tests/deploy/test_notify.py::test_a_channel_that_never_ends_is_given_up",
        "full": "tests/deploy/test_notify.py::test_whatever_a_channel_does_it_is_told_without_its_address",
        "dead": "tests/deploy/test_notify.py::test_what_fails_shows_no_address",
        "refusing": "tests/deploy/test_notify.py::test_whatever_a_channel_does_it_is_told_without_its_address",
    },
    "who is told of a shift": {
        "off": "tests/deploy/shifting/test_hooks.py::test_people_are_told_on_the_way",
        "slow": "tests/deploy/shifting/test_hooks.py::test_who_is_told_slowly_delays_nothing",
        "full": "tests/deploy/shifting/test_hooks.py::test_a_table_that_cannot_be_written_is_told_and_fails_nothing",
        "dead": "tests/deploy/shifting/test_hooks.py::test_what_could_not_be_sent_is_told_and_fails_nothing",
        "refusing": "tests/deploy/shifting/test_hooks.py::test_what_could_not_be_sent_is_told_and_fails_nothing",
    },
    "a scraper of Prometheus": {
        "off": f"{NONE}nobody is waited for",
        "slow": "test_a_scraper_that_takes_nothing_keeps_nobody_waiting",
        "full": f"{NONE}nothing is written for it",
        "dead": "test_a_scraper_that_takes_nothing_keeps_nobody_waiting",
        "refusing": f"{NONE}it is the one who asks",
    },
    "feedback": {
        "off": "tests/cli/test_feedback_commands.py::test_the_clock_is_told_to_run_it",
        "slow": "tests/cli/test_feedback_commands.py::test_two_do_not_act_at_once",
        "full": f"{ELSEWHERE}/test_feedback_ticker.py::"
        "test_an_order_whose_folder_is_gone_keeps_no_other_waiting_and_is_told_once",
        "dead": "tests/cli/test_feedback_commands.py::test_killed_in_the_middle_of_its_canary",
        "refusing": "tests/cli/test_feedback_commands.py::"
        "test_a_promotion_that_nobody_foresaw_to_fail_is_tried_ever_more_seldom_and_told_once",
    },
    "a monitor": {
        "off": "tests/deploy/test_declared_monitors.py::test_it_is_made_changed_and_removed",
        "slow": "tests/deploy/test_monitor_here.py::test_whatever_is_killed_each_window_is_looked_at_one_time",
        "full": f"{NONE}its job fails as any other and is told as monitor.failed; an endpoint knows nothing of it",
        "dead": "tests/deploy/test_monitor_here.py::test_whatever_is_killed_each_window_is_looked_at_one_time",
        "refusing": "tests/deploy/test_declared_monitors.py::"
        "test_what_the_account_refuses_of_a_run_is_told_among_the_events",
    },
    "a publisher to a stream": {
        "off": f"{NONE}it is the program that puts",
        "slow": "tests/streams/test_publishing.py::test_what_may_pass_is_tried_again",
        "full": "tests/streams/test_publishing.py::test_disk_and_memory_have_bounds",
        "dead": "tests/streams/test_publishing.py::test_what_nobody_takes_waits_on_disk_and_goes_first",
        "refusing": "tests/streams/test_publishing.py::test_what_is_refused_for_good_is_kept_too",
    },
}
"""OpenTelemetry is not among them: nothing of ours speaks it."""


@pytest.mark.parametrize("observer", OBSERVERS)
def test_each_fault_of_an_observer_has_its_test(observer: str) -> None:
    assert tuple(OBSERVERS[observer]) == FAULTS
    for where in OBSERVERS[observer].values():
        if not where.startswith(NONE):
            file, _, name = where.rpartition("::")
            tree = ast.parse((ROOT / file if file else Path(__file__)).read_text())
            assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, where


def test_a_promotion_goes_on_without_its_events() -> None:
    class Broken:
        def append(self, *events: object) -> None:
            raise ConfigurationError("the disk is full")

    said: list[str] = []
    account, version = SimpleNamespace(events=Broken()), SimpleNamespace(group="g", number=1)
    diary = Diary(account, "e", version, "ada", said.append)  # type: ignore[arg-type]
    with diary.kept():
        diary.acted(CreateModel("m", {}))
        diary.ended("updated", "c")
    assert said == ["events of this promotion could not be kept: the disk is full"]


def test_alarms_that_cannot_be_evaluated_end_no_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers, and what bakes neither goes back nor on before they are."""

    def unreadable(*_: object) -> None:
        raise ConfigurationError("the disk is full")

    monkeypatch.setattr(evaluating, "red", unreadable)
    monkeypatch.setattr(serving, "_EXPERIMENT_SECONDS", 0.0)
    told: list[Any] = []

    async def by_clerk(work: Any, *arguments: Any) -> Any:
        return work(*arguments)

    endpoint: Any = SimpleNamespace(
        _by_clerk=by_clerk, _account=None, _name="door", _tell=lambda happening, owner: told.append(happening)
    )
    asyncio.run(serving._Endpoint._ask_alarms(endpoint, "", ("a",), 77.0))
    assert told == [AlarmsTold(0.0, None)]
    assert "its alarms cannot be evaluated" in caplog.text


def test_a_scraper_that_takes_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Nor do some who have gone before their answer was there."""
    State(tmp_path / ".mlops", "us-east-1")
    server = Server(Answers(tmp_path / ".mlops", "us-east-1", now=lambda: datetime.now(UTC)), limits=Limits())
    server.start()
    ask = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    stuck = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    try:
        for number, scraper in enumerate(stuck):
            scraper.sendall(ask if number % 2 else ask[:20])
        stuck.pop().close()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", "/metrics", headers={"Host": "localhost"})
        reply = connection.getresponse()
        assert (reply.status, b"mlops_clock_up 0" in reply.read()) == (200, True)
        connection.close()
    finally:
        for scraper in stuck:
            scraper.close()
        server.stop(0.1)

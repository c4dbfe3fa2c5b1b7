"""What somebody who watches an endpoint sees: shares, numbers of each variant, how far a shift has come; and when it is
over."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from mlops.cli import looking
from mlops.deploy.endpoints.watching import Look, ShiftLook, VariantLook, look, shift_look
from mlops.deploy.shifting import journal as journals
from mlops.ir import UsageError
from mlops.ir.shift import Bake

from .service import Pages, Service, paged
from .test_controller import ENVIRONMENT, OLD, Time, controller, journal, moves_of


class Measured(Service):
    """With metrics: by variant and metric."""

    metrics: dict[tuple[str, str], float]

    def get_paginator(self, operation: str) -> Pages:
        return Pages(self._data) if operation == "get_metric_data" else super().get_paginator(operation)

    def _data(self, StartTime: datetime, EndTime: datetime, MetricDataQueries: Any, ScanBy: str) -> Any:
        assert (EndTime - StartTime).total_seconds() == 60 and EndTime == datetime.fromtimestamp(900, UTC)
        results = []
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            variant = next(item["Value"] for item in metric["Dimensions"] if item["Name"] == "VariantName")
            value = self.metrics.get((variant, metric["MetricName"]))
            told = {"Timestamps": [], "Values": []} if value is None else {"Timestamps": [StartTime], "Values": [value]}
            results.append({"Id": query["Id"], **told})
        return paged("MetricDataResults", results, self.page)


def seen(service: Any) -> Look:
    return look(service, ENVIRONMENT, "churn", now=1000.0, period=45.0, lag=90.0)


def test_each_variant_has_its_numbers() -> None:
    service = Measured(OLD, page=2)
    service.metrics = {
        ("AllTraffic", "Invocations"): 200.0,
        ("AllTraffic", "InvocationModelErrors"): 3.0,
        ("AllTraffic", "Invocation4XXErrors"): 1.0,
        ("AllTraffic", "ModelLatency"): 25_000.0,
    }
    found = seen(service)
    assert found.variants == (VariantLook("AllTraffic", 100.0, 3, 200.0, 0.01, 0.025),)
    assert (found.status, found.config, found.period, found.shift) == ("InService", "before", 60, None)
    service.metrics = {}
    assert seen(service).variants == (VariantLook("AllTraffic", 100.0, 3, 0.0, None, None),)


def test_an_endpoint_that_is_not_there() -> None:
    class Gone(Service):
        def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
            from .service import refused

            raise refused("DescribeEndpoint", "ValidationException", "Could not find endpoint")

    with pytest.raises(UsageError, match="there is no endpoint 'churn'"):
        seen(Gone(OLD))


def test_how_far_a_shift_has_come() -> None:
    moves = moves_of("stepped")
    at = next(number for number, move in enumerate(moves) if isinstance(move, Bake) and move.stage == 2)
    under_way = replace(journal(moves), done=at, since=900.0, id="x")
    found = shift_look(under_way, 1000.0)
    assert (found.stage, found.stages, found.left, found.phase) == (2, 4, 500.0, "shifting")
    assert found.doing == "look at 25 % of the traffic for 10m" and not found.is_over
    assert shift_look(replace(under_way, wish="pause"), 1000.0).phase == "paused"
    ended = shift_look(replace(under_way, phase="taken back", reason="it is worse"), 1000.0)
    assert (ended.left, ended.doing, ended.reason, ended.is_over) == (None, None, "it is worse", True)


def test_the_last_shift_is_shown() -> None:
    service = Measured(OLD)
    service.metrics = {}
    controller(service).go(journal(moves_of("canary")), None)
    shift = seen(service).shift
    assert shift is not None and shift.is_over and (shift.phase, shift.version) == ("shifted", 2)
    account: Any = service
    assert journals.read(account, ENVIRONMENT, "churn") is not None


LOOK = Look(
    datetime(2026, 11, 29, 12, 0, 5, tzinfo=UTC),
    "churn",
    "InService",
    "churn-2-abc",
    60,
    datetime(2026, 11, 29, 12, 0, tzinfo=UTC),
    (VariantLook("blue", 95.0, 3, 190.0, 0.0, 0.012), VariantLook("green", 5.0, 1, None, None, None)),
    ShiftLook("x", "churn", 2, "ada", "shifting", 1, 4, 90.0, "look at 5 %", None),
)


def test_a_line_for_each_look() -> None:
    assert looking.line(LOOK) == (
        "12:00:05 churn InService | version 2 of churn is shifting, stage 1 of 4, 1m 30s left | "
        "blue 95 % 3 instances 190 in 1m 0 % errors 12 ms | green 5 % 1 instance"
    )
    assert LOOK.shift is not None
    over = replace(LOOK, shift=replace(LOOK.shift, phase="shifted"))
    assert "shifted" not in looking.line(over)


def test_what_is_shown_moves_no_cursor() -> None:
    hostile = replace(LOOK, variants=(replace(LOOK.variants[0], variant="\x1b[2Jblue[red]"),))
    assert "\x1b" not in looking.line(hostile)
    told = io.StringIO()
    Console(file=told, width=200, no_color=True).print(looking.picture(hostile))
    assert "\x1b[2J" not in told.getvalue() and "blue[red]" in told.getvalue()


def test_a_picture_has_a_row_for_each_variant() -> None:
    told = io.StringIO()
    Console(file=told, width=200, no_color=True).print(looking.picture(LOOK))
    lines = [line.split() for line in told.getvalue().splitlines()]
    assert lines[2] == ["VARIANT", "SHARE", "INSTANCES", "REQUESTS", "ERRORS", "P99"]
    assert lines[3][:3] == ["blue", "95", "%"] and lines[4][:3] == ["green", "5", "%"]


def test_a_program_gets_a_line_of_json_for_each_look(capsys: pytest.CaptureFixture[str]) -> None:
    with looking.shown(as_json=True) as show:
        show(LOOK)
        show(LOOK)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == second and first["variants"][0]["share"] == 95.0 and first["shift"]["stages"] == 4
    assert first["at"] == "2026-11-29T12:00:05.000+00:00"


@pytest.mark.parametrize(
    ("phases", "at_most", "looks", "ended"),
    [
        ([None, None, None], 10.0, 3, None),
        ([None], 0.0, 1, None),
        (["shifting", "shifting", "taken back"], None, 3, "taken back"),
        (["shifted"], 0.0, 1, None),
        (["shifted", "shifting", "shifted"], None, 3, "shifted"),
    ],
)
def test_it_is_watched_to_its_end(
    phases: list[str | None], at_most: float | None, looks: int, ended: str | None
) -> None:
    from mlops.use_cases.watching_endpoints import follow

    left, seen_looks, time = list(phases), [], Time()

    def next_look() -> Look:
        phase = left.pop(0)
        shift = None if phase is None else ShiftLook(f"{len(phases)}", "churn", 2, "ada", phase, 1, 1, None, None, None)
        return replace(LOOK, shift=shift)

    add: Callable[[Look], None] = seen_looks.append
    found = follow(next_look, add, every=5.0, at_most=at_most, clock=time.clock)
    assert len(seen_looks) == looks and (None if found is None else found.phase) == ended

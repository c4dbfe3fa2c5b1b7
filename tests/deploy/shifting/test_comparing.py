"""A new version held against what serves: by what CloudWatch counted, over all stages, looked at all the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from mlops.deploy.measures import measures
from mlops.deploy.shifting.comparing import Comparison, Usual, block_of, in_blocks, outlook, periods, plan
from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.judging import ByMetrics
from mlops.deploy.shifting.samples import Samples
from mlops.ir.shift import Bake, Stage

from .service import Pages, paged

PERIOD = 60
BEGAN = 100 * PERIOD
STAGES = (Bake(1, 5.0, 600), Bake(2, 25.0, 600), Bake(3, 50.0, 600), Bake(4, 100.0, 120))


class Traffic:
    """What CloudWatch counted: ``requests`` a minute, shared as the stages ask, of which each version fails at its own
    rate. ``page`` is how many results one answer has."""

    def __init__(self, old: float, new: float, *, requests: int = 400, seed: int = 0, page: int = 100) -> None:
        chances = np.random.default_rng(seed)
        self.page = page
        self.counts: dict[tuple[str, str, int], float] = {}
        minute = 0
        for share, seconds in [(0.0, BEGAN), *((bake.share / 100, bake.seconds) for bake in STAGES)]:
            for _ in range(int(seconds) // PERIOD):
                taken = int(chances.binomial(requests, share))
                for variant, served, rate in (("green", taken, new), ("blue", requests - taken, old)):
                    if served:
                        self.counts[variant, "Invocations", minute * PERIOD] = served
                        self.counts[variant, "InvocationModelErrors", minute * PERIOD] = int(
                            chances.binomial(served, rate)
                        )
                minute += 1

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "get_metric_data"
        return Pages(self._data)

    def _data(self, StartTime: datetime, EndTime: datetime, **request: Any) -> list[dict[str, Any]]:
        start, end = StartTime.timestamp(), EndTime.timestamp()
        results = []
        for query in request["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            variant = next(item["Value"] for item in metric["Dimensions"] if item["Name"] == "VariantName")
            found = {
                at: value
                for (of, name, at), value in self.counts.items()
                if (of, name) == (variant, metric["MetricName"]) and start <= at < end
            }
            times = [datetime.fromtimestamp(at, UTC) for at in found]
            results.append({"Id": query["Id"], "Timestamps": times, "Values": list(found.values())})
        return paged("MetricDataResults", results, self.page)


def seen() -> Samples:
    stages = tuple(Stage(bake.share, bake.seconds) for bake in STAGES)
    return Samples("churn", "churn", 2, "green", ("blue",), stages, 0.0, {}, ())


def judge(
    traffic: Traffic,
    comparison: Comparison = Comparison(),  # noqa: B008 - frozen
    samples: Samples | None = None,
    **more: Any,
) -> ByMetrics:
    errors = measures()["errors"]
    rule = Rule("errors", errors, errors.settings(), compare=comparison, **more)
    return ByMetrics(traffic, [rule], samples or seen())


def looks(judging: ByMetrics) -> Iterator[tuple[int, str, str]]:
    """Stage, standing and why, minute by minute until the first red."""
    since, before = float(BEGAN), []
    for bake in STAGES:
        for minute in range(1, int(bake.seconds) // PERIOD + 1):
            verdict = judging.look(bake, since, since + minute * PERIOD, before)
            yield bake.stage, verdict.standing, verdict.why
            if verdict.standing == "red":
                return
        before.append((since, since + bake.seconds))
        since += bake.seconds


@pytest.mark.parametrize(
    ("old", "new", "comparison", "stage", "why"),
    [
        (0.02, 0.02, Comparison(), None, None),
        (0.02, 0.01, Comparison(), None, None),
        (0.0, 0.0, Comparison(), None, None),
        (0.3, 0.3, Comparison(), None, None),
        (0.02, 1.0, Comparison(), 1, "by what serves: worse, with a doubt of at most 5 %"),
        (0.0, 0.2, Comparison(), 1, "0 % of"),
        (0.02, 0.06, Comparison(), 2, "worse, with"),
        (0.02, 0.025, Comparison(times=1.5), None, None),
        (0.02, 0.08, Comparison(times=1.5), 2, "worse by more than 1.5 times"),
        (0.02, 0.06, Comparison(false_alarms=0.001), 2, "a doubt of at most 0.1 %"),
    ],
)
def test_what_is_worse_is_found_and_what_is_not_goes_on(
    old: float, new: float, comparison: Comparison, stage: int | None, why: str | None
) -> None:
    found = list(looks(judge(Traffic(old, new), comparison)))
    last, standing, said = found[-1]
    if stage is None:
        assert {item[1] for item in found} == {"green"}
    else:
        assert (standing, why is not None and why in said) == ("red", True)
        assert last <= stage


def test_what_is_not_proven_goes_back_where_that_is_declared() -> None:
    """At the end of the last stage in which both have traffic, and not before."""
    found = list(looks(judge(Traffic(0.02, 0.03), Comparison(times=1.4, undecided="back"))))
    assert {standing for stage, standing, _ in found if stage in (1, 2, 4)} == {"green"}
    assert [standing for stage, standing, _ in found if stage == 3][-1] == "unsure"
    assert any("not proven to be no worse by more than 1.4 times" in why for *_, why in found)
    equal = list(looks(judge(Traffic(0.1, 0.1), Comparison(times=2, undecided="back"))))
    assert [standing for stage, standing, _ in equal if stage == 3][-1] == "green"


def test_whoever_takes_over_comes_to_the_same() -> None:
    traffic = Traffic(0.02, 0.03, seed=3)
    whole = list(looks(judge(traffic)))
    anew = [judge(traffic).look(STAGES[1], BEGAN + 600.0, BEGAN + 900.0, [(BEGAN, BEGAN + 600.0)])]
    assert (anew[0].standing, anew[0].why) == whole[14][1:]


def test_a_new_version_without_traffic_is_no_success() -> None:
    traffic = Traffic(0.02, 0.02)
    traffic.counts = {at: value for at, value in traffic.counts.items() if at[0] == "blue"}
    assert {standing for _, standing, _ in looks(judge(traffic))} == {"unsure"}


def test_all_pages_are_read() -> None:
    assert list(looks(judge(Traffic(0.02, 0.06, page=1)))) == list(looks(judge(Traffic(0.02, 0.06))))


def test_a_limit_holds_beside_a_comparison() -> None:
    """Both versions are bad alike: no reason to prefer the old one, and yet more than anybody wants."""
    assert next(standing for _, standing, _ in looks(judge(Traffic(0.3, 0.3), at_most=0.05)) if standing == "red")


def test_the_outlook_says_what_will_be_found() -> None:
    assert judge(Traffic(0.02, 0.02)).outlook(BEGAN)[0].startswith("errors: 400 requests in 1m, ")
    (told,) = judge(Traffic(0.02, 0.02)).outlook(BEGAN)
    assert "before the shift: 12,000 requests of the stages find a version that is" in told
    (quiet,) = judge(Traffic(0.02, 0.02, requests=0)).outlook(BEGAN)
    assert "there was no traffic before" in quiet


@pytest.mark.parametrize(
    ("usual", "told"),
    [
        (Usual(400, 0.0), "a few of the new version's requests are enough"),
        (Usual(4000, 0.02), "find a version that is 1.5 times as bad in"),
        (Usual(2, 0.001), "takes about"),
        (None, "nobody knows"),
        (Usual(1, 0.5), "1 request in 1m, 50 % of them"),
    ],
)
def test_outlooks(usual: Usual | None, told: str) -> None:
    shares = [(bake.share, bake.seconds) for bake in STAGES]
    assert told in outlook(Comparison(), plan(shares, PERIOD, usual), usual, PERIOD)


@pytest.mark.parametrize("periods", [1, 120, 121, 10_080])
def test_a_long_plan_is_played_in_a_hundred_looks_or_so(periods: int) -> None:
    planned = [*plan([(10, periods * PERIOD), (50, periods * PERIOD)], PERIOD, Usual(3, 0.02))]
    found = in_blocks(planned, block_of(len(planned)))
    assert len(found) == len(planned) if len(planned) <= 120 else 60 <= len(found) <= 122
    sums = [sum(item.requests for item in of if item.share == share) for of in (found, planned) for share in (0.1, 0.5)]
    assert sums == [3 * periods] * 4


def test_requests_that_were_shared_otherwise_are_told() -> None:
    """10 percent asked for and 20 served: somebody else chooses, and no comparison is worth anything."""
    traffic = Traffic(0.02, 0.02, requests=1000)
    for at in [at for at in traffic.counts if at[0] == "green"]:
        traffic.counts[at] *= 2
    found = list(looks(judge(traffic)))
    assert found[9][1] == "unsure"
    assert "of the requests went to the new version, and 5 % was asked: nothing can be compared" in found[9][2]


def test_periods_in_which_shares_change_are_left_out() -> None:
    assert [*periods((70, 185), 60, delay=0, until=1000), *periods((185, 400), 60, delay=0, until=1000)] == [
        120,
        240,
        300,
    ]
    assert list(periods((60, 240), 60, delay=60, until=1000)) == [120, 180]
    assert list(periods((60, 240), 60, delay=0, until=200)) == [60, 120]

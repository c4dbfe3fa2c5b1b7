"""Verdicts by what became of requests: late labels, business metrics, A/B tests and their slices."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
import scipy

from mlops.deploy.measures import measures
from mlops.deploy.shifting import deciding
from mlops.deploy.shifting.comparing import Comparison
from mlops.deploy.shifting.samples import parsed, written
from mlops.statistics import means

from .outcomes import BEGAN, LATE, PERIOD, Fate, Test

AB = Test(Comparison(wanted="better", undecided="back"))
SHIFT = Test(Comparison(by=0.02), shares=(10, 50))
LABELS = Test(Comparison(times=1.2), measure="wrong", shares=(10, 50))
PLANS = {"plan": ["free", "paid"]}
SIZES = {"plan=free": 0.2, "plan=paid": 0.3}


@pytest.mark.parametrize(
    ("test", "fate", "standing", "why"),
    [
        (SHIFT, Fate(0.3, 0.3), "green", "in the mean of"),
        (SHIFT, Fate(0.3, 0.2), "red", "by what serves: worse by more than 0.02, with a doubt of at most 5 %"),
        (SHIFT, Fate(0.3, 0.29), "green", "in the mean of"),
        (Test(Comparison(by=0.02, better="lower"), shares=(10, 50)), Fate(0.3, 0.2), "green", "in the mean"),
        (Test(Comparison(by=0.02, better="lower"), shares=(10, 50)), Fate(0.3, 0.4), "red", "worse by more than 0.02"),
        (LABELS, Fate(0.1, 0.1), "green", "% of"),
        (LABELS, Fate(0.1, 0.3), "red", "worse by more than 1.2 times"),
        (LABELS, Fate(0.1, 0.3, known=0.0), "unsure", "no requests that could be compared"),
        (Test(Comparison(undecided="back"), shares=(10, 50)), Fate(0.3, 0.3), "unsure", "not proven to be no worse"),
        (Test(Comparison(by=0.2, undecided="back"), shares=(10, 50)), Fate(0.3, 0.3), "green", "in the mean"),
        (Test(Comparison(enough=5000), shares=(50,)), Fate(0.3, 0.3), "green", "in the mean"),
        (Test(Comparison(enough=7000), shares=(50,)), Fate(0.3, 0.3), "unsure", "7,000 of each are wanted"),
        (AB, Fate(0.3, 0.3), "unsure", "not proven to be better"),
        (AB, Fate(0.3, 0.4), "green", "better, with a doubt of at most 5 %"),
        (AB, Fate(0.3, 0.2), "red", "by what serves: worse, with a doubt"),
        (Test(Comparison(wanted="better", undecided="go-on")), Fate(0.3, 0.3), "green", "undecided"),
        (Test(Comparison(wanted="better", undecided="back"), measure="wrong"), Fate(0.3, 0.2), "green", "better"),
        (Test(Comparison(wanted="better", undecided="back"), measure="wrong"), Fate(0.3, 0.4), "red", "worse"),
    ],
)
def test_how_a_shift_ends(test: Test, fate: Fate, standing: str, why: str) -> None:
    share = test.shares[-1] if test.shares else test.share
    fate.share, fate.requests = share / 100, 200
    if len(test.shares) > 1:
        # All of it as the last stage asks; of the first its own.
        fate.share = test.shares[0] / 100
        test = Test(test.comparison, test.measure, test.shares[0], test.periods, (test.shares[0],) * 2)
        fate.requests = 1000
    found, said, _ = test.ends(fate, every=3)
    assert (found, why in said) == (standing, True), said


def test_what_is_decided_ends_before_its_time_and_what_is_not_waits_for_the_last_outcomes() -> None:
    _, _, looks = AB.ends(Fate(0.2, 0.5))
    assert looks < 30
    shift = Test(Comparison(by=0.1), shares=(50,))
    told = list(shift.looks(Fate(0.3, 0.3)))
    waited = [why for _, standing, why in told if standing == "unsure" and "outcomes of the last" in why]
    assert len(waited) == LATE / PERIOD and "outcomes of the last 10m are awaited" in waited[0]
    assert len(told) == 60 + LATE / PERIOD


def test_a_split_that_was_not_asked_for_is_told() -> None:
    """90 to 10 is declared, and 80 to 20 served: nothing is said of better or worse."""
    test = Test(Comparison(wanted="better", undecided="back"), share=10.0)
    asked = Fate(0.3, 0.5, share=0.1)
    assert test.ends(asked)[0] == "green"
    standing, why, _ = test.ends(Fate(0.3, 0.3, share=0.1, served=0.2), every=3)
    assert standing == "unsure"
    assert "20" in why and "of the requests went to the new version, and 10 % was asked: nothing can be compared" in why


def test_a_version_that_is_better_on_the_whole_and_worse_for_a_group_is_told_with_the_sizes() -> None:
    fate = Fate(0.3, 0.7, sizes=SIZES, in_slice={"plan=free": 0.2}, requests=400)
    comparison = Comparison(wanted="better", undecided="back", slices=PLANS)
    standing, why, _ = Test(comparison).ends(fate)
    assert standing == "red"
    assert "worse for plan=free: 0.2" in why and "requests, 0." in why and "a doubt of at most 1.25 %" in why
    assert "plan=paid" not in why
    waiting = [why for _, standing, why in Test(comparison).looks(replace(fate, asked=set())) if standing == "unsure"]
    assert any("better, and not known yet for plan=free" in why for why in waiting)
    fate.asked.clear()
    tells = Comparison(wanted="better", undecided="back", slices=PLANS, worse_slice="tell")
    standing, why, _ = Test(tells).ends(fate)
    assert standing == "green" and "plan=paid: " in why and "(finds " in why and ": better, with a doubt" in why


def test_groups_that_are_as_good_are_not_told_to_be_worse() -> None:
    fate = Fate(0.3, 0.4, sizes=SIZES)
    standing, why, _ = Test(Comparison(wanted="better", undecided="back", slices=PLANS)).ends(fate)
    assert standing == "green" and "worse for" not in why


def test_a_test_of_weeks_is_a_hundred_bets_and_finds_the_same() -> None:
    """Of five thousand periods, each with a few requests."""
    week = Test(Comparison(wanted="better", undecided="back"), periods=5000)
    samples = week.samples()
    judging = week.judge(Fate(0.3, 0.5, requests=4), samples)
    end = BEGAN + 5000.0 * PERIOD
    judging.look(week.bakes[0], float(BEGAN), end + LATE)
    (rule,) = judging._rules
    assert rule.compare is not None
    evidence = deciding.evidence(rule, rule.compare, samples, [(BEGAN, end)], end, better=True)
    assert 119 <= len(evidence) <= 121 and evidence[-1][0] == end - PERIOD
    assert samples.looks[-1].standing == "green" and "better" in samples.looks[-1].why
    equal = week.samples()
    week.judge(Fate(0.3, 0.3, requests=4), equal).look(week.bakes[0], float(BEGAN), end + LATE)
    assert equal.looks[-1].standing == "unsure"


def test_the_same_comes_out_of_what_was_kept() -> None:
    test = Test(Comparison(wanted="better", undecided="back", slices=PLANS))
    samples = test.samples()
    list(test.looks(Fate(0.3, 0.4, sizes=SIZES), samples))
    kept = parsed(written(samples))
    outcome = measures()["outcome"]
    rule = deciding.Rule("bought", outcome, outcome.settings(name="bought", within=LATE), compare=test.comparison)
    for look in kept.looks:
        ((_, now),) = deciding.decided([rule], (), kept, kept.windows(look), look.now)
        assert (now.standing, now.why) == (look.standing, look.why)


def test_the_outlook_says_what_will_be_found() -> None:
    (told,) = AB.judge(Fate(0.3, 0.3)).outlook(BEGAN)
    assert told.startswith("bought: 200 requests in 1m, 0.")
    assert "12,000 requests of the stages find a version that is better by 0.02" in told
    assert "takes about 48,000, 4h at this traffic" in told
    (told,) = LABELS.judge(Fate(0.3, 0.3)).outlook(BEGAN)
    assert "times as bad in" in told
    blind = SHIFT.judge(Fate(0.3, 0.3))
    blind._joined = None  # as where all traffic goes at once
    assert blind.outlook(BEGAN) == []
    (told,) = SHIFT.judge(Fate(0.3, 0.3, requests=0)).outlook(BEGAN)
    assert (
        told
        == "bought: nothing became of requests before: none was captured, so nobody knows what the comparison will find"
    )
    (told,) = SHIFT.judge(Fate(0.3, 0.3, known=0.0)).outlook(BEGAN)
    assert re.search(r"^bought: [\d,]+ requests before, and what became of them is not known, so nobody knows", told)
    (told,) = SHIFT.judge(Fate(0.0, 0.0, requests=2)).outlook(BEGAN)
    assert re.match(
        "bought: (1 request|[0-9.]+ requests) in 1m, 0 for each, before the shift: a few requests are", told
    )


def seeds(test: Test, count: int, **of_fate: float) -> dict[str, int]:
    ends = [test.ends(Fate(seed=seed, **of_fate), every=20)[0] for seed in range(count)]  # type: ignore[arg-type]
    return {standing: ends.count(standing) for standing in ("green", "red", "unsure")}


def at_most(count: int) -> float:
    return float(scipy.stats.binom.ppf(0.999, count, 0.05))


def test_equal_versions_end_undecided() -> None:
    found = seeds(AB, 20, blue=0.3, green=0.3)
    assert max(found["green"], found["red"]) <= at_most(20)


@pytest.mark.proof("verdicts")
@pytest.mark.parametrize(("share", "count"), [(0.5, 500), (0.1, 150)])
def test_equal_versions_end_undecided_in_five_hundred_tests(share: float, count: int) -> None:
    """Each of the two wins by chance at the declared rate at most."""
    test = Test(Comparison(wanted="better", undecided="back"), share=100 * share)
    found = seeds(test, count, blue=0.3, green=0.3, share=share)
    assert max(found["green"], found["red"]) <= at_most(count) and found["unsure"] >= 0.85 * count


@pytest.mark.proof("verdicts")
def test_a_better_version_wins_with_the_promised_power() -> None:
    """Of 80 %, as the outlook has it, and of all where it is twice as much better."""
    variance = 0.3 * 0.7
    effect = means.smallest_found([(12_000.0, 0.5)], variance, alpha=0.05, wanted=0.8)
    found = seeds(AB, 150, blue=0.3, green=0.3 + effect)
    assert found["green"] / 150 >= 0.8 - 3 * math.sqrt(0.16 / 150) and found["red"] <= 1
    assert seeds(AB, 40, blue=0.3, green=0.3 + 2 * effect)["green"] == 40


@pytest.mark.proof("verdicts")
def test_groups_are_called_worse_no_more_often_than_was_said() -> None:
    test = Test(Comparison(wanted="better", undecided="back", slices=PLANS))
    ends = [test.ends(Fate(0.3, 0.3, seed=seed, sizes=SIZES), every=30)[0] for seed in range(120)]
    assert ends.count("red") <= at_most(120)

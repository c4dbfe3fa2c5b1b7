"""A verdict over a million requests, from the samples of a shift, beside reading those samples.

    python benchmarks/verdict.py [--rounds N] [--requests N] [--periods N]

By errors, by labels, and by money, the last two with two groups, each decided anew as at the last look of a shift of
an hour in periods of a minute, and of a week; in CPU time, since a verdict waits for nothing. Beside it, what is no
part of a look: what is told before such a shift, the samples read, and a million values put together by how often each
is seen.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random

from mlops.deploy.measures import measures
from mlops.deploy.shifting import comparing, deciding
from mlops.deploy.shifting.comparing import Comparison, Usual
from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.samples import Samples, parsed, written
from mlops.ir.measure import answers_of
from mlops.ir.shift import Stage

WANTED = 1.0
PERIOD, BEGAN = 60, 60_000
HOUR, WEEK = 60, 7 * 24 * 60
GROUPS = {"plan": ["free", "paid"]}


def rules() -> list[Rule]:
    errors, wrong, outcome = (measures()[name] for name in ("errors", "wrong", "outcome"))
    return [
        Rule("errors", errors, errors.settings(), compare=Comparison(times=1.2)),
        Rule("wrong", wrong, wrong.settings(within=0), compare=Comparison(times=1.2, slices=GROUPS)),
        Rule("money", outcome, outcome.settings("money", high=500.0, within=0), compare=Comparison(slices=GROUPS)),
    ]


def kept(requests: int, periods: int) -> Samples:
    chances = Random(1)
    each = requests // periods // 2
    samples = Samples(
        "churn", "churn", 2, "green", ("blue",), (Stage(50.0, PERIOD * periods),), 0.0, {}, (), answers={}, looks=[]
    )
    for at in range(BEGAN, BEGAN + PERIOD * periods, PERIOD):
        for variant in ("green", "blue"):
            failed = sum(chances.random() < 0.02 for _ in range(each))
            samples.add("errors", variant, at, {"requests": float(each), "failed": float(failed), "refused": 0.0})
            samples.add("wrong", variant, at, of_groups(each, lambda: float(chances.random() < 0.1)))
            samples.add("money", variant, at, of_groups(each, lambda: spent(chances)))
    return samples


def spent(chances: Random) -> float:
    """Of the 250 steps that are kept of up to 500."""
    return 2.0 * round(min(500.0, chances.expovariate(0.02)) / 2)


def of_groups(requests: int, draw: Callable[[], float]) -> dict[str, float | None]:
    free, paid = (Counter(draw() for _ in range(requests // 2)) for _ in range(2))
    parts: list[Mapping[str, float | None]] = [
        answers_of(values, sum(values.values()), 0, name)
        for name, values in (("", free + paid), ("plan=free", free), ("plan=paid", paid))
    ]
    return {key: value for part in parts for key, value in part.items()}


def timed(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--periods", type=int, help="of a minute; without it of an hour, and of a week")
    given = parser.parse_args()
    for periods in (given.periods,) if given.periods else (HOUR, WEEK):
        measured(given.requests, periods, given.rounds)
    chances = Random(2)
    values = [spent(chances) for _ in range(given.requests)]
    print(f"values put together   {timed(lambda: Counter(values), given.rounds):.3f} s")


def measured(requests: int, periods: int, rounds: int) -> None:
    content = written(kept(requests, periods))
    samples = parsed(content)
    end = float(BEGAN + PERIOD * periods)
    megabytes = len(content) / 1e6
    print(f"{requests:,} requests in {periods:,} periods, {megabytes:.1f} MB of samples; median of {rounds}")
    whole = 0.0
    for rule in rules():
        taken = timed(lambda rule=rule: deciding.decided([rule], (), samples, [(BEGAN, end)], end), rounds)  # type: ignore[misc]
        whole += taken
        print(f"  verdict by {rule.name:<8} {taken:.3f} s{_missed(taken)}")
    print(f"  together            {whole:.3f} s, at most {WANTED:g} wanted{_missed(whole)}")
    usual = Usual(requests / periods, 0.02)
    planned = comparing.plan([(50.0, PERIOD * periods)], PERIOD, usual)
    began = time.process_time()
    comparing.outlook(Comparison(times=1.2), planned, usual, PERIOD)
    print(f"  told before it      {time.process_time() - began:.3f} s")
    print(f"  the samples read    {timed(lambda: parsed(content), rounds):.3f} s")


def _missed(taken: float) -> str:
    return "" if taken <= WANTED else "  MISSED"


if __name__ == "__main__":
    main()

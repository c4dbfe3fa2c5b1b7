"""``python -m tests.statistics [SHIFTS]``: how often each way to judge a shift rolls back what is no worse, and what it
finds of what is worse; 10,000 shifts each without a number."""

from __future__ import annotations

import argparse

from tests.statistics import shifts
from tests.statistics.test_rates import SAME, WORSE

JUDGES = {
    "compare": shifts.ours,
    "z-test at each look": shifts.z_test_at_each_look,
    "z-test at each look, Bonferroni": shifts.bonferroni,
    "Mann-Whitney at the end (Kayenta)": shifts.kayenta,
    "z-test at the end alone": shifts.one_look_at_the_end,
}


def main(count: int) -> None:
    print(f"{count:,} shifts each; rolled back:")
    for world in SAME:
        print(f"{world.name:40} {100 * shifts.share_rolled_back(world, count):6.2f} %  by compare, no worse")
    for name, judge in JUDGES.items():
        told = [shifts.rolled_back(world, judge, count) for world in (SAME[0], WORSE[0][0], WORSE[1][0])]
        shares = "".join(f"{100 * share:8.2f} %" for share, _ in told)
        after = ", ".join("-" if median is None else f"{median:,.0f}" for _, median in told[1:])
        print(f"{name:40}{shares}  equal, 1.5 and 2.5 times as bad; requests at the median {after}")


def positive(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.statistics", description=__doc__)
    parser.add_argument("shifts", type=positive, nargs="?", default=10_000)
    main(parser.parse_args().shifts)

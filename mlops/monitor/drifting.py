"""Which columns drifted from their baseline, all looked at together.

Each column gives a distance and how likely one as large is where nothing has changed; what is missing more or less
often than it was, and how columns go together, are a test each as well. Holm's correction (1979) makes of all one:
whatever depends on what, a run in which nothing has drifted tells of any drift at most as often as ``false_alarms``
says. A drift that is proven and yet smaller than ``least`` is not told. Rows are taken to be independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlops.monitor import joint
from mlops.monitor.data import Source
from mlops.monitor.distances import (
    REST,
    STATISTICS,
    Categories,
    Distance,
    Distribution,
    Statistic,
    measure,
    numbers,
)
from mlops.monitor.fault import Fault
from mlops.monitor.joint import Sums
from mlops.monitor.profile import Column, profile
from mlops.monitor.settings import section
from mlops.monitor.sketch import SIZE
from mlops.monitor.tails import of_two_shares

TOGETHER = "All features together"
_MOST_KEPT = 1000
LEAST: Mapping[Statistic, float] = {"ks": 0.02, "linf": 0.02, "chi2": 0.02, "psi": 0.01}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of one feature, or of all that say nothing else."""

    statistic: Statistic | None = None
    least: float | None = None
    looked_at: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """``fewest`` values of both, or a feature is not judged."""

    false_alarms: float = 0.05
    fewest: int = 100
    otherwise: Wanted = Wanted()
    features: Mapping[str, Wanted] = field(default_factory=dict)
    together: bool = True

    def of(self, name: str) -> Wanted:
        return self.features.get(name, self.otherwise)


def asked(told: Any) -> Asked:
    """Of a configuration. Raises :class:`Fault`."""
    given = section(told, "drift")
    rate, fewest = given.get("false_alarms", 0.05), given.get("fewest", 100)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1:
        raise Fault(f"drift.false_alarms is {rate!r}, a number between 0 and 1 is wanted")
    if isinstance(fewest, bool) or not isinstance(fewest, int) or fewest < 2:
        raise Fault(f"drift.fewest is {fewest!r}, an integer of 2 or more is wanted")
    otherwise = _wanted(given, "drift", Wanted())
    features = {
        str(name): Wanted(looked_at=False)
        if value is False
        else _wanted(section(value, f"drift.features.{name}"), f"drift.features.{name}", otherwise)
        for name, value in section(given.get("features"), "drift.features").items()
    }
    return Asked(float(rate), fewest, otherwise, features, given.get("together") is not False)


def _wanted(given: Mapping[str, Any], what: str, otherwise: Wanted) -> Wanted:
    statistic, least = given.get("statistic"), given.get("least")
    if statistic is not None and statistic not in STATISTICS:
        raise Fault(f"{what}.statistic is {statistic!r}; one of {', '.join(STATISTICS)} is wanted")
    if least is not None and (isinstance(least, bool) or not isinstance(least, int | float) or least < 0):
        raise Fault(f"{what}.least is {least!r}, a number is wanted")
    return Wanted(statistic or otherwise.statistic, otherwise.least if least is None else float(least))


@dataclass(frozen=True, slots=True)
class Known:
    """A column. ``as_numbers`` and ``as_categories`` are its distribution in one form or the other, where it has one;
    numbers of few different values have both."""

    present: int
    missing: int
    as_numbers: Distribution | None
    as_categories: Categories | None


@dataclass(frozen=True, slots=True)
class Baseline:
    columns: Mapping[str, Known]
    sums: Sums | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One test. ``adjusted`` is its probability among all; ``detectable`` the smallest distance that so many values can
    prove; ``silent`` says why nothing was compared."""

    feature: str
    test: str
    value: float = math.nan
    probability: float = math.nan
    adjusted: float = math.nan
    least: float = 0.0
    detectable: float = math.nan
    rows: int = 0
    baseline_rows: int = 0
    told: str = ""
    silent: str = ""
    drifted: bool = False

    def document(self) -> dict[str, Any]:
        if self.silent:
            return {"feature_name": self.feature, "test": self.test, "not_compared": self.silent}
        return {
            "feature_name": self.feature,
            "test": self.test,
            "distance": self.value,
            "threshold": self.least,
            "probability": self.probability,
            "probability_of_all": self.adjusted,
            "detectable": self.detectable,
            "rows": self.rows,
            "baseline_rows": self.baseline_rows,
            "drifted": self.drifted,
        }


def known(column: Column) -> Known:
    as_numbers: Distribution | None = None
    as_categories = None
    if column.inferred_type in ("Integral", "Fractional"):
        as_numbers = numbers(column.sketch.data())
        if column.few is not None:
            as_categories = Categories({repr(value): float(count) for value, count in column.few.items()})
    elif column.inferred_type == "String" and column.distinct.counts:
        as_categories = Categories({name: float(count) for name, count in column.distinct.counts.items()})
    return Known(column.present, column.missing, as_numbers, as_categories)


def baseline_of(data: Source, columns: Mapping[str, Column]) -> Baseline:
    """Of a data set whose ``columns`` are known: it is read once more. Raises :class:`Fault`."""
    scales = {}
    for name, column in [*columns.items()][: joint.MOST_COLUMNS]:
        if column.inferred_type in ("Integral", "Fractional"):
            scales[name] = joint.scale_of_numbers(*column.sketch.weighted())
        elif column.inferred_type == "String" and (counts := column.distinct.counts):
            most = max(counts.values())
            # Of what is there always, or hardly ever, nothing can be said.
            if len(counts) > 1 and most >= 0.01 * column.present:
                scales[name] = joint.scale_of_category(min(text for text, count in counts.items() if count == most))
    sums = Sums(scales)
    texts = {name for name, column in columns.items() if column.holds_text}
    for chunk in data.chunks(texts=texts):
        sums.add(chunk)
    return Baseline({name: known(column) for name, column in columns.items()}, sums)


def document_of(baseline: Baseline) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, found in baseline.columns.items():
        told: dict[str, Any] = {"present": found.present, "missing": found.missing}
        if found.as_categories is not None:
            told["categories"] = _kept(found.as_categories.counts)
        columns[name] = told
    return {
        "version": 0.0,
        "columns": columns,
        "together": None if baseline.sums is None else baseline.sums.document(),
    }


def _kept(counts: Mapping[str, float]) -> dict[str, float]:
    often = sorted(counts, key=lambda name: (-counts[name], name))
    kept = {name: counts[name] for name in often[:_MOST_KEPT]}
    rest = math.fsum(counts[name] for name in often[_MOST_KEPT:])
    return {**kept, REST: rest} if rest else kept


def read_baseline(statistics: Mapping[str, Any], beside: Mapping[str, Any] | None) -> Baseline:
    """Of Model Monitor's ``statistics.json``, whoever wrote it, and what :func:`document_of` made, where there is that.
    Raises :class:`Fault`."""
    try:
        more = section(section(beside, "drift_baseline.json").get("columns"), "columns of drift_baseline.json")
        columns = {
            str(item["name"]): _read_column(item, section(more.get(item["name"]), item["name"]))
            for item in statistics["features"]
        }
        together = section(beside, "drift_baseline.json").get("together")
        return Baseline(columns, None if together is None else joint.sums_of(together))
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise Fault(f"the baseline's statistics cannot be read: {fault!r}") from None


def _read_column(item: Mapping[str, Any], more: Mapping[str, Any]) -> Known:
    told = item.get("numerical_statistics") or item.get("string_statistics") or {}
    common = told.get("common") or {}
    as_numbers: Distribution | None = None
    categories = more.get("categories")
    if "numerical_statistics" in item:
        sketch = told["distribution"]["kll"]["sketch"]
        as_numbers = numbers(sketch["data"], float((sketch.get("parameters") or {}).get("k") or SIZE))
    elif categories is None:
        buckets = ((told.get("distribution") or {}).get("categorical") or {}).get("buckets") or ()
        categories = {str(bucket["value"]): bucket["count"] for bucket in buckets}
    found = Categories({str(name): float(count) for name, count in categories.items()}) if categories else None
    return Known(int(common.get("num_present", 0)), int(common.get("num_missing", 0)), as_numbers, found)


def look(data: Source, baseline: Baseline, wanted: Asked) -> tuple[Mapping[str, Column], list[Compared]]:
    """The columns of ``data``, read once, and what each test says, all looked at together. Raises :class:`Fault`."""
    latest: list[Sums] = []

    def beginning() -> Sums:
        before = baseline.sums
        latest[:] = [Sums(before.scales if before is not None and wanted.together else {})]
        return latest[0]

    columns = profile(data, beginning)
    return columns, compare({name: known(column) for name, column in columns.items()}, latest[0], baseline, wanted)


def compare(columns: Mapping[str, Known], sums: Sums, baseline: Baseline, wanted: Asked) -> list[Compared]:
    found: list[Compared] = []
    for name, before in baseline.columns.items():
        if name in columns and wanted.of(name).looked_at:
            found.append(_distribution(name, columns[name], before, wanted, len(baseline.columns) + 1))
            if columns[name].missing or before.missing:
                found.append(_missing(name, columns[name], before, wanted))
    if wanted.together and len(baseline.columns) > 1:
        found.append(_together(sums, baseline, wanted))
    return corrected(found, wanted.false_alarms)


def _distribution(name: str, now: Known, before: Known, wanted: Asked, tests: int) -> Compared:
    how = wanted.of(name)
    test = how.statistic or ("ks" if now.as_numbers is not None else "chi2")
    if min(now.present, before.present) < wanted.fewest:
        few, of = (now.present, "now") if now.present < wanted.fewest else (before.present, "in the baseline")
        return Compared(name, test, silent=f"{few} values {of}, and fewer than {wanted.fewest} say nothing")
    numeric = now.as_numbers is not None and before.as_numbers is not None
    few_values = now.as_categories is not None and before.as_categories is not None
    try:
        distance: Distance
        if few_values and how.statistic != "ks":
            distance = measure(now.as_categories, before.as_categories, how.statistic)  # type: ignore[arg-type]
        elif numeric:
            distance = measure(now.as_numbers, before.as_numbers, how.statistic)  # type: ignore[arg-type]
        else:
            kinds = {side.as_numbers is not None for side in (now, before)}
            why = (
                "it held numbers and holds texts, or the other way"
                if len(kinds) == 2
                else "there are too many categories for a distribution"
            )
            return Compared(name, test, silent=why)
    except ValueError as fault:
        return Compared(name, test, silent=str(fault))
    least = LEAST[distance.statistic] if how.least is None else how.least
    return Compared(
        name,
        distance.statistic,
        distance.value,
        distance.probability,
        least=least,
        detectable=distance.detectable(wanted.false_alarms / tests),
        rows=now.present,
        baseline_rows=before.present,
    )


def _missing(name: str, now: Known, before: Known, wanted: Asked) -> Compared:
    rows, old_rows = now.present + now.missing, before.present + before.missing
    if min(rows, old_rows) < wanted.fewest:
        return Compared(name, "missing", silent=f"fewer than {wanted.fewest} rows say nothing")
    share, old_share = now.missing / rows, before.missing / old_rows
    return Compared(
        name,
        "missing",
        abs(share - old_share),
        of_two_shares(now.missing, rows, before.missing, old_rows),
        least=LEAST["linf"] if wanted.of(name).least is None else float(wanted.of(name).least or 0),
        rows=rows,
        baseline_rows=old_rows,
        told=f"missing in {100 * share:.3g} % of the rows, {100 * old_share:.3g} % in the baseline",
    )


def _together(sums: Sums, baseline: Baseline, wanted: Asked) -> Compared:
    before = baseline.sums
    if before is None:
        why = "the baseline has no drift_baseline.json: another program made it"
        return Compared(TOGETHER, "together", silent=why)
    fewest = max(wanted.fewest, 5 * len(before.scales))
    if min(sums.rows, before.rows) < fewest or len(before.scales) < 2:
        return Compared(TOGETHER, "together", silent=f"fewer than {fewest} rows, or than two columns, say nothing")
    found = joint.compare(sums, before)
    by_means = found.of_means <= found.of_pairs
    told = (
        "the means of all features moved together"
        if by_means or found.pair is None
        else f"{found.pair[0]} and {found.pair[1]} go together otherwise than in the baseline"
    )
    return Compared(
        TOGETHER,
        "together",
        found.shift if by_means else found.change,
        found.probability,
        rows=sums.rows,
        baseline_rows=before.rows,
        told=told,
    )


def corrected(found: Sequence[Compared], rate: float) -> list[Compared]:
    """By Holm: each probability times how many are no smaller, and never less than that of a smaller one."""
    order = sorted((at for at, item in enumerate(found) if not item.silent), key=lambda at: found[at].probability)
    told, greatest = [*found], 0.0
    for rank, at in enumerate(order):
        greatest = max(greatest, min(1.0, found[at].probability * (len(order) - rank)))
        item = found[at]
        told[at] = replace(item, adjusted=greatest, drifted=greatest <= rate and item.value > item.least)
    return told


def violations(found: Sequence[Compared]) -> Iterator[dict[str, str]]:
    for item in found:
        if item.drifted:
            sizes = f"{item.rows} rows against {item.baseline_rows}"
            chance = f"by chance once in {min(1 / max(item.adjusted, 1e-12), 1e12):.3g} runs at most"
            what = f"{item.test}: {item.told}" if item.told else item.test
            yield {
                "feature_name": item.feature,
                "constraint_check_type": "baseline_drift_check",
                "description": f"Baseline drift distance: {item.value:.6g} exceeds threshold: {item.least:g} ({what}; "
                f"{sizes}; {chance})",
            }

"""``mlops verdict explain``: the samples of a shift, decided anew, here and elsewhere, by what was declared and by what
is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from command_line import Told, in_this_process
from hypothesis import given
from hypothesis import strategies as st

from mlops.account import connect
from mlops.cli.evidence_chart import HEIGHT, WIDTH, drawn
from mlops.deploy.endpoints import history, shift_records
from mlops.deploy.measures import measures
from mlops.deploy.shifting.comparing import Comparison
from mlops.deploy.shifting.deciding import Rule
from mlops.deploy.shifting.evidence import Line
from mlops.deploy.shifting.judging import ByMetrics
from mlops.deploy.shifting.samples import Looked, Samples, parsed, written
from mlops.ir.shift import Bake
from mlops.project.environments import read_project
from mlops.use_cases.verdict_picture import picture

from . import outcomes
from .test_comparing import Traffic, judge, looks, seen

Mlops = Callable[..., Told]
DECLARED = "[project]\n[env.local.promote.judge]\nerrors = { compare = { times = 5 } }\n"


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    (tmp_path / "mlops.toml").write_text(DECLARED)
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


def shifted(old: float, new: float) -> Samples:
    samples = replace(seen(), judge={"errors": {"compare": {"times": 1.2}}})
    list(looks(judge(Traffic(old, new), Comparison(times=1.2), samples)))
    return samples


def keep(folder: Path, samples: Samples) -> None:
    environment = read_project(folder).environment("local")
    shift_records.keep(connect(environment), environment, samples)


def test_the_same_is_decided_from_what_was_kept(tmp_path: Path, mlops: Mlops) -> None:
    keep(tmp_path, shifted(0.02, 0.06))
    told = mlops("verdict", "explain", "churn")
    assert "churn: version 2 of churn, variant green against blue" in told.out
    assert "from the samples: goes back in stage 2: errors: " in told.out
    assert told.out.rstrip().endswith(
        "worse by more than 1.2 times, with a doubt of at most 5 %; as it was decided then"
    )
    found = mlops("verdict", "explain", "churn", "--format", "json").json
    assert found["same"] and found["looks"][-1]["standing"] == found["looks"][-1]["replayed"]["standing"] == "red"


def test_the_samples_say_the_same_on_another_machine(
    tmp_path: Path, mlops: Mlops, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, shifted(0.02, 0.06))
    here = mlops("verdict", "explain", "churn", "--save", "shift.json", "--format", "json").json
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "shift.json").rename(elsewhere / "shift.json")
    monkeypatch.chdir(elsewhere)
    assert mlops("verdict", "explain", "--file", "shift.json", "--format", "json").json == here


def test_what_is_declared_now_would_have_decided_otherwise(tmp_path: Path, mlops: Mlops) -> None:
    """Three times as bad is no worse than five times; the next shift is another one."""
    keep(tmp_path, shifted(0.02, 0.06))
    told = mlops("verdict", "explain", "churn", "--declared", code=1)
    assert told.out.rstrip().endswith(
        "by what is declared now: nothing is red until the last look, in stage 2; not as it was decided then"
    )
    (tmp_path / "mlops.toml").write_text(DECLARED.replace("5", "1.25"))
    assert "as it was decided then" in mlops("verdict", "explain", "churn", "--declared").out


def test_an_ab_test_is_decided_anew(tmp_path: Path, mlops: Mlops) -> None:
    slices = {"plan": ["free", "paid"]}
    compare = {"wanted": "better", "undecided": "back", "slices": slices}
    declared = {"bought": {"measure": "outcome", "name": "bought", "within": outcomes.LATE, "compare": compare}}
    test = outcomes.Test(Comparison(wanted="better", undecided="back", slices=slices))
    samples = test.samples(declared)
    list(test.looks(outcomes.Fate(0.3, 0.5, sizes={"plan=free": 0.2, "plan=paid": 0.3}), samples, every=5))
    keep(tmp_path, samples)
    told = mlops("verdict", "explain", "churn", "--all")
    assert "better, and not known yet for plan=" in told.out and ": better, with a doubt of at most 2.5 %" in told.out
    assert "from the samples: nothing is red until the last look, in stage 1; as it was decided then" in told.out
    found = mlops("verdict", "explain", "churn", "--save", "shift.json", "--format", "json").json
    assert mlops("verdict", "explain", "--file", "shift.json", "--format", "json").json == found
    for what in ("worse", "better"):
        assert f"bought: evidence that it is {what}; 1 is enough, with a doubt of at most 2.5 %" in told.out


def test_shifts_before_the_last_are_kept(tmp_path: Path, mlops: Mlops) -> None:
    first = shifted(0.02, 0.06)
    keep(tmp_path, first)
    later = shifted(0.02, 0.02)
    later.looks = [replace(look, since=look.since + 9e5, now=look.now + 9e5) for look in later.looks]
    keep(tmp_path, replace(later, version=3))
    assert "version 2" in mlops("verdict", "explain", "churn", "--back", "1").out
    assert (
        "no shift of churn was kept before the last 2"
        in mlops("verdict", "explain", "churn", "--back", "2", code=2).err
    )
    assert "no shift of other was kept" in mlops("verdict", "explain", "other", code=2).err


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ({"stages": []}, "a look is of stage 1, and there are 0"),
        ({"looks": [{"stage": -1, "since": 0, "now": 1, "standing": "red", "why": ""}]}, "a look is of stage -1"),
        ({"looks": [{"stage": 1, "since": 0, "now": 1e400, "standing": "red", "why": ""}]}, "Infinity is no number"),
        ({"looks": [{"stage": 1, "since": 0, "now": 1e18, "standing": "red", "why": ""}]}, "a time that is none"),
        ({"looks": [{"stage": 1, "since": 0, "now": 1e9, "standing": "red", "why": ""}]}, "11,574 days apart"),
        ({"stages": [{"share": 200, "bake": 60}] * 9}, "a share or a time that is none"),
        (
            {"answers": {"errors": {name: {"6060": {"requests": 1}} for name in ("green", "blue")}}},
            "holds an answer that nothing can be decided by",
        ),
        ({"answers": {"errors": {"green": {"60": {"requests": math.nan}}}}}, "NaN is no number"),
    ],
)
def test_samples_that_cannot_be_are_told(tmp_path: Path, mlops: Mlops, spoilt: dict[str, Any], said: str) -> None:
    whole = json.loads(written(shifted(0.02, 0.06)))
    (tmp_path / "shift.json").write_text(json.dumps({**whole, **spoilt}))
    assert said in mlops("verdict", "explain", "--file", "shift.json", code=2).err


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "Expecting"), ("[]", "these are no samples of a shift"), ('{"format": 1}', "endpoint")],
)
def test_what_is_no_samples_is_told(tmp_path: Path, mlops: Mlops, content: str, said: str) -> None:
    (tmp_path / "shift.json").write_text(content)
    assert said in mlops("verdict", "explain", "--file", "shift.json", code=2).err
    assert "--file" in mlops("verdict", "explain", code=2).err


def test_a_measure_that_was_not_seen_is_told(tmp_path: Path, mlops: Mlops) -> None:
    keep(tmp_path, shifted(0.02, 0.06))
    (tmp_path / "mlops.toml").write_text('[env.local.promote.judge]\nlatency = { at_most = "1s" }\n')
    told = mlops("verdict", "explain", "churn", "--declared", code=1)
    assert "latency was not measured in that shift" in told.err and "measured were: errors" in told.err


def test_a_shift_of_which_no_period_was_over_is_decided_as_it_was(tmp_path: Path, mlops: Mlops) -> None:
    look = Looked(1, 600.0, 610.0, "unsure", "errors: 0 of 1 periods were good (none of 60 s is over)")
    keep(tmp_path, replace(seen(), judge={}, looks=[look]))
    assert "as it was decided then" in mlops("verdict", "explain", "churn").out
    assert "errors was not measured in that shift" in mlops("verdict", "explain", "churn", "--declared", code=1).err


def test_a_look_is_of_the_stages_until_it_also_where_the_clock_was_set_back() -> None:
    first, back, second = (
        Looked(1, 600.0, 900.0, "green", ""),
        Looked(1, 600.0, 700.0, "green", ""),
        Looked(2, 700.0, 800.0, "green", ""),
    )
    samples = replace(seen(), looks=[first, back, second])
    assert samples.windows(first) == [(600.0, 900.0)]
    assert samples.windows(back) == [(600.0, 700.0)]
    assert samples.windows(second) == [(600.0, 700.0), (700.0, 800.0)]


def test_what_is_seen_is_kept_before_a_stage_ends_and_seldomer_the_longer_it_lasts() -> None:
    kept: list[tuple[int, tuple[str, ...]]] = []
    samples = replace(seen(), by_people=("paused by ada",))
    rule = Rule("requests", measures()["requests"], measures()["requests"].settings(), at_least=1.0)
    judging = ByMetrics(Traffic(0.0, 0.0), [rule], samples, keep=lambda of: kept.append((len(of.looks), of.by_people)))
    for after in (1, 59, 61, 62, 10_000, 10_060, 10_499, 10_501):
        judging.look(Bake(1, 5.0, 600.0), 60_000.0, 60_000.0 + after)
    assert kept == [(number, ("paused by ada",)) for number in (1, 3, 5, 8)]


numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@given(
    st.dictionaries(st.integers(0, 10**10), st.dictionaries(st.text(max_size=5), numbers, max_size=3), max_size=5),
    st.dictionaries(st.floats(0, 1e10), st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.text()))),
)
def test_what_is_written_is_read_again(
    answers: dict[int, dict[str, float | None]], alarms: dict[float, dict[str, str | None]]
) -> None:
    samples = replace(seen(), answers={"errors": {"green": answers}}, alarms=alarms)
    assert parsed(written(samples)) == samples
    assert json.loads(written(samples))["format"] == 1


def test_the_evidence_is_drawn_over_time(tmp_path: Path, mlops: Mlops) -> None:
    """Until it is enough, as text and as a picture; both say the stages."""
    keep(tmp_path, shifted(0.02, 0.06))
    told = mlops("verdict", "explain", "churn", "--svg", "why.svg")
    rows = told.out.splitlines()
    title = next(number for number, row in enumerate(rows) if row.startswith("errors: evidence that it is worse by"))
    drawing = rows[title + 1 : title + 10]
    (limit,) = [row for row in drawing if "┼" in row]
    assert limit.lstrip().startswith("1.00 ┼") and "─" in limit
    # What is red ends above the limit, and begins below.
    assert any("•" in row for row in drawing[: drawing.index(limit) + 1])
    assert any("•" in row for row in drawing[drawing.index(limit) + 1 :])
    assert drawing[-1].lstrip().startswith("└|")
    assert len(re.findall(r"1970-01-01 (\S+)Z", rows[title + 10])) == 2
    assert told.out.rstrip().endswith("as it was decided then")
    root = ElementTree.fromstring((tmp_path / "why.svg").read_text(encoding="utf-8"))
    shapes = [item.get("class") for item in root]
    assert shapes.count("tone0") == 1 and shapes.count("rule") == 1
    words = " ".join(item.text or "" for item in root)
    assert "churn: version 2 of churn" in words and "evidence that it is worse" in words
    assert "1970-01-01 UTC" in words
    lines = mlops("verdict", "explain", "churn", "--format", "json").json["lines"]
    assert [line["name"] for line in lines] == ["errors"]
    assert max(value for _, value in lines[0]["points"]) >= 1 and lines[0]["limits"] == [1.0]
    assert "cannot be written" in mlops("verdict", "explain", "churn", "--svg", "none/why.svg", code=2).err


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([(0.0, 0.0), (0.0, 0.0)], id="one moment, one value"),
        pytest.param([(0.0, 1.0), (1.0, 1.0)], id="on the limit"),
        pytest.param([(0.0, -5.0), (1.0, 9.0), (2.0, 0.5)], id="far on both sides"),
        pytest.param([(float(at), at / 500) for at in range(1000)], id="more moments than columns"),
    ],
)
def test_whatever_is_drawn_stands_within_the_drawing(points: list[tuple[float, float]]) -> None:
    line = Line("errors", "measured", tuple(points), (1.0,), lambda value: f"{value:.2f}")
    is_flat = len({value for _, value in points}) == 1
    stages = (("5 %", -9.0, 0.5), ("a name that is much too long for what is left of the width of it" * 2, 0.5, 99.0))
    title, *rows = drawn(line, stages)
    if is_flat:
        assert not rows and title.startswith(f"errors: measured: {points[0][1]:.2f} from 1970-01-01 00:00:00Z to ")
    else:
        assert title == "errors: measured" and len(rows) == HEIGHT + 2
        assert all(len(row) <= WIDTH + 20 for row in rows) and any("•" in row for row in rows)
    shown = ElementTree.fromstring(picture("<& one", [line], stages))
    assert all(0 <= x <= 760 and 0 <= y <= 300 for x, y in points_of(shown))
    assert "nothing to draw" in picture("none", [], stages)


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        pytest.param((0.0, 0.02, 0.5), (0.01,), id="good just below, bad far above"),
        pytest.param((0.0, 0.98, 1.001), (1.0,), id="bad just above"),
        pytest.param((0.5, 0.501, 1.0, 99.0, -9.0), (0.5, 0.502), id="between two limits that are near"),
    ],
)
def test_what_is_not_at_a_limit_is_not_drawn_on_it(values: tuple[float, ...], limits: tuple[float, ...]) -> None:
    line = Line("errors", "measured", tuple((float(at), value) for at, value in enumerate(values)), limits, str)
    _, *rows = drawn(line, ())
    on = sum(row.count("•") for row in rows if "┼" in row)
    assert sum("┼" in row for row in rows) == len(limits)
    assert on == sum(value in limits for value in values) and sum(row.count("•") for row in rows) == len(values)
    if len(limits) > 1:
        return  # the picture has no room between these
    shown = ElementTree.fromstring(picture("one", [line], ()))
    lined = {float(str(item.get("d")).split()[1]) for item in shown if item.get("class") == "rule"}
    assert sum(y in lined for _, y in points_of(shown)) == on


def points_of(shown: ElementTree.Element) -> list[tuple[float, ...]]:
    """Of the one line."""
    (along,) = [item.get("d") for item in shown if item.get("class") == "tone0"]
    return [tuple(map(float, point.split())) for point in re.split("[ML]", str(along))[1:]]


def unsure(*standings: str, seconds: float = 600.0) -> Samples:
    """Looks of stage 1, the last at so many seconds."""
    each = seconds / len(standings)
    looked = [Looked(1, 600.0, 600.0 + each * (number + 1), standing, "w") for number, standing in enumerate(standings)]  # type: ignore[arg-type]
    return replace(seen(), judge={}, looks=[replace(look, answered=False) for look in looked])


@pytest.mark.parametrize(
    ("samples", "entry", "lines"),
    [
        pytest.param(
            unsure("green", "unsure", seconds=10_000),
            ("taken back", "stage 1 (5 %) has no verdict: w"),
            [
                "then: taken back: stage 1 (5 %) has no verdict: w",
                "from the samples: goes back in stage 1 without a verdict: w; as",
            ],
            id="no verdict",
        ),
        pytest.param(
            unsure("green", seconds=10),
            ("taken back", "it was aborted: second thoughts"),
            [
                "then: taken back: it was aborted",
                "no look led to that",
                "nothing is red until the last look, in stage 1; as",
            ],
            id="aborted",
        ),
        pytest.param(
            unsure("green", "red", seconds=10),
            None,
            ["then: goes back in stage 1: w", "from the samples: goes back in stage 1: w; as"],
            id="nobody knows the history",
        ),
    ],
)
def test_it_is_told_how_it_ended_and_whether_looks_lead_there(
    tmp_path: Path, mlops: Mlops, samples: Samples, entry: tuple[Any, str] | None, lines: list[str]
) -> None:
    keep(tmp_path, samples)
    if entry is not None:
        environment = read_project(tmp_path).environment("local")
        ended = history.Entry(entry[0], samples.group, samples.version, "", None, "me", entry[1])
        history.append(connect(environment), environment, samples.endpoint, ended)
    told = mlops("verdict", "explain", samples.endpoint).out
    assert [line for line in lines if line not in told] == []
    assert ("no look led" in told) is any("no look led" in line for line in lines)


def test_a_look_that_says_another_thing_and_decided_nothing_is_told(tmp_path: Path, mlops: Mlops) -> None:
    """A metric came late: no difference, unless it was the last look of its stage."""
    samples = shifted(0.02, 0.02)
    keep(tmp_path, samples)
    assert "decided nothing" not in mlops("verdict", "explain", "churn").out
    samples.looks[0] = replace(samples.looks[0], standing="unsure")
    keep(tmp_path, samples)
    told = mlops("verdict", "explain", "churn").out
    assert "looks of which another thing is said now decided nothing" in told
    assert told.rstrip().endswith("; as it was decided then")
    samples.looks[-1] = replace(samples.looks[-1], standing="unsure")
    keep(tmp_path, samples)
    told = mlops("verdict", "explain", "churn", code=1).out
    assert "decided nothing" not in told and told.rstrip().endswith("; not as it was decided then")


def test_a_look_that_is_red_by_what_came_late_a_moment_before_its_stage_went_back_is_the_same(
    tmp_path: Path, mlops: Mlops
) -> None:
    samples = shifted(0.02, 0.06)
    samples.looks.append(samples.looks[-1])
    samples.looks[-2] = replace(samples.looks[-2], standing="unsure")
    keep(tmp_path, samples)
    assert mlops("verdict", "explain", "churn").out.rstrip().endswith("; as it was decided then")
    samples.looks[-1] = replace(samples.looks[-1], standing="unsure")
    keep(tmp_path, samples)
    assert mlops("verdict", "explain", "churn", code=1).out.rstrip().endswith("; not as it was decided then")

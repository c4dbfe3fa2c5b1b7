"""A shift is judged by the environment that it was begun with, whoever has a hand in it later and whatever they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import Told, in_this_process

from mlops.account import connect
from mlops.deploy.endpoints import shift_records
from mlops.deploy.shifting import journal as journals
from mlops.ir import Refusal
from mlops.ir.shift import Serving
from mlops.project.environments import read_project
from mlops.use_cases.shift_environment import connect_to_shift

from .test_explaining import shifted

Mlops = Callable[..., Told]
TOML = """
[env.local.promote.judge]
errors = { compare = { times = 1.2 } }
[env.production]
account = "000000000000"
[env.production.promote.judge]
errors = { compare = { times = 5 } }
[env.apart]
account = "000000000000"
prefix = "apart"
"""


@pytest.fixture
def mlops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mlops:
    (tmp_path / "mlops.toml").write_text(TOML)
    monkeypatch.chdir(tmp_path)
    return in_this_process(capfd)


def begin(folder: Path, begun: str) -> None:
    environment = read_project(folder).environment("local")
    left = journals.Journal(
        "churn", "churn", 2, "weights", Serving("c", ()), (), 1, "", "ada", "", environment=begun, wish="pause"
    )
    journals.write(connect(environment), environment, left, None)


@pytest.mark.parametrize(
    ("begun", "given", "judged"),
    [
        ("production", None, "production"),
        ("production", "production", "production"),
        ("local", None, "local"),
        ("", None, "local"),  # an older version wrote none
        ("", "production", "production"),
        ("renamed", "production", "production"),
        ("apart", "production", "production"),  # another place of that name
    ],
)
def test_it_is_judged_by_the_one_it_was_begun_with(
    tmp_path: Path, mlops: Mlops, begun: str, given: str | None, judged: str
) -> None:
    begin(tmp_path, begun)
    assert connect_to_shift(given, "churn", "resume").environment.name == judged


@pytest.mark.parametrize(
    ("begun", "given", "said", "hint"),
    [
        ("production", "local", "judged by what that declares, not by local", "resume churn --env production`"),
        ("local", "production", "judged by what that declares, not by production", "`mlops endpoints resume churn`"),
        ("renamed", None, "mlops.toml has none of that name in this account", "resume churn --env NAME`"),
    ],
)
def test_another_one_is_refused(
    tmp_path: Path, mlops: Mlops, begun: str, given: str | None, said: str, hint: str
) -> None:
    begin(tmp_path, begun)
    with pytest.raises(Refusal, match=said) as error:
        connect_to_shift(given, "churn", "resume")
    assert error.value.hint is not None and hint in error.value.hint


def test_what_people_are_told_to_type_names_it(tmp_path: Path, mlops: Mlops) -> None:
    begin(tmp_path, "production")
    assert "`mlops endpoints resume churn --env production` goes on" in mlops("endpoints", "pause", "churn").out
    assert "`mlops endpoints pause churn --env production`" in mlops(
        "endpoints", "pause", "churn", "--env", "local", code=1
    ).err  # fmt: skip


def test_what_is_declared_now_is_what_that_one_declares(tmp_path: Path, mlops: Mlops) -> None:
    """Three times as bad is worse than local's 1.2 times, and no worse than production's five."""
    environment = read_project(tmp_path).environment("local")
    samples = replace(shifted(0.02, 0.06), environment="production", by_people=("promoted now by ada: we are sure",))
    shift_records.keep(connect(environment), environment, samples)
    told = mlops("verdict", "explain", "churn", "--declared", "--save", "shift.json", code=1)
    assert "by what is declared now: nothing is red" in told.out
    assert "promoted now by ada: we are sure" in told.out
    told = mlops("verdict", "explain", "churn", "--declared", "--env", "local", code=1)
    assert "`mlops verdict explain churn --declared --env production`" in told.err
    # On another machine it may have another name.
    assert "nothing is red" in mlops("verdict", "explain", "--file", "shift.json", "--declared", code=1).out
    elsewhere = mlops("verdict", "explain", "--file", "shift.json", "--declared", "--env", "local")
    assert "goes back in stage 2" in elsewhere.out

"""``[env.NAME.promote]``: what it means, and every mistake in it with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.deploy.shifting.settings import PromotionSettings, read
from mlops.ir import ConfigurationError
from mlops.ir.shift import Stage
from mlops.project.environments import read_project


def settings(folder: Path, text: str, name: str = "local") -> PromotionSettings:
    (folder / "mlops.toml").write_text(text)
    return read(read_project(folder).environment(name), folder)


def test_a_canary_takes_six_lines(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """[env.local.promote]
strategy = { canary = { share = 5, bake = "15m" } }
alarms = ["churn-errors"]
[env.local.promote.judge]
errors = { at_most = "1%" }
latency = { at_most = "250ms", percentile = 95 }
""",
    )
    assert found.course(3).stages == (Stage(5.0, 900.0), Stage(100.0, 0.0))
    assert [(rule.name, rule.limit) for rule in found.rules] == [
        ("errors", "at most 1 %"),
        ("latency", "at most 250 ms"),
    ]
    assert found.rules[1].settings.percentile == 95 and found.alarms == ("churn-errors",)


def test_nothing_declared_is_all_at_once_and_errors_are_looked_at(tmp_path: Path) -> None:
    found = settings(tmp_path, "")
    assert found.strategy.name == "all-at-once" and found.variants == ("blue", "green")
    assert [(rule.name, rule.at_most) for rule in found.rules] == [("errors", 0.01)]


def test_an_environment_takes_over_what_it_inherits(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
[env.defaults]
region = "eu-west-1"
role = "arn:aws:iam::111122223333:role/r"
bucket = "acme-ml"
[env.defaults.promote]
strategy = "linear"
alarms = ["a"]
[env.prod.promote]
alarms = ["b"]
""",
        "prod",
    )
    assert (found.strategy.name, found.alarms, found.lag) == ("linear", ("b",), 90.0)


@pytest.mark.parametrize(
    ("lines", "at", "said"),
    [
        ('strategy = "canarry"', 2, "there is no strategy 'canarry'; there are: ab, all-at-once, blue-green"),
        ("strategy = { canary = { shares = 5 } }", 2, "'shares' is not a key of [env.local.promote.strategy.canary]"),
        ("strategy = { canary = { share = 100 } }", 2, "canary: share = 100: a canary has more than 0"),
        ('strategy = { canary = { bake = "soon" } }', 2, "'soon' is no duration"),
        ('strategy = { canary = { share = "5" } }', 2, "strategy.canary.share = '5'"),
        ("strategy = { canary = {}, linear = {} }", 2, "strategy: give one"),
        ("strategy = { stepped = { shares = [] } }", 2, "stepped: shares = []: give one at least"),
        ("strategy = { canary = { bake = 1e308 } }", 2, "1e+308 is no duration: it is longer than a hundred years"),
        ('strategy = { linear = { bake = "10000000h" } }', 2, "10000000h is no duration"),
        (f'patience = "{400 * "9"}s"', 2, "it is longer than a hundred years"),
        ("lag = 99999999999999999999", 2, "is no duration: it is longer than a hundred years"),
        ('endpoint = ""', 2, "endpoint = '': that is no name"),
        ('endpoint = "{group}_staging"', 2, "endpoint = 'g_staging': that is no name"),
        ('component = "é"', 2, "component = 'é': that is no name"),
        ('registry = ""', 2, "give the name of an environment"),
        ('variants = ["a b", "c"]', 2, "variants"),
        ('judge.errors = { at_most = "1%", count = 0 }', 2, "count"),
        ('judge.errors = { at_most = "1%", failures = -1 }', 2, "failures"),
        ('judge.errors = { at_most = "1%", unsure = -1 }', 2, "unsure"),
        ('judge.errors = { at_most = "1%", errors = -1 }', 2, "errors"),
        ('judge.errors = { at_most = "2%", at_least = "3%" }', 2, "errors: at_least is above at_most"),
        ('judge.errors = { at_most = "2%", fails_above = "1%" }', 2, "errors: at_most is above fails_above"),
        ("judge.cpu = { at_least = 20, fails_below = 30 }", 2, "cpu: fails_below is above at_least"),
        ("judge.requests = { at_most = nan }", 2, "requests: nan is no limit"),
        ('hooks.before = { command = ["\\u0000"] }', 2, "hooks.before: command: a word cannot hold the character NUL"),
        ("gates.approvals = { count = 'x' }", 2, "gates.approvals: count = 'x': give a whole number"),
        ("strategi = 1", 2, "'strategi' is not a key of [env.local.promote]; did you mean 'strategy'?"),
        ('engine = "magic"', 2, "engine = 'magic'"),
        ('variants = ["a"]', 2, "variants: two names are needed"),
        ('alarms = ["churn-5xx", ""]', 2, "alarms: '' is no name of an alarm"),
        ('alarms = ["a\\u0000b"]', 2, "is no name of an alarm"),
        ("notify.file = ''", 2, "notify.file = '': give the name of a file"),
        ('notify.file = "."', 2, "notify.file = '.': that is a folder; give a file in it"),
        ('notify.file = "a\\u0000b"', 2, "a file's name cannot hold the character NUL"),
        ("notify.command = []", 2, "notify.command: give a list of words"),
        ('patience = "long"', 2, "patience: 'long' is no duration"),
        ("judge.errors = {}", 2, "errors has no limit: give at_most, at_least or compare = {}"),
        (
            "judge.latency = { compare = {} }",
            2,
            "latency: latency cannot be compared; errors, outcome, slow, wrong can",
        ),
        ("judge.errors = { compare = { times = 0 } }", 2, "errors.compare: times = 0: more than 0"),
        ("judge.errors = { compare = { false_alarms = 0.9 } }", 2, "false_alarms = 0.9: more than 0, and at most 50 %"),
        (
            "judge.errors = { compare = { by = 1 } }",
            2,
            "by is of a mean, and errors is a share of requests: give times",
        ),
        ("judge.errors = { compare = { slices = { plan = ['a'] } } }", 2, "slices are of what became of requests"),
        ("judge.outcome = { name = 'x', compare = { times = 2 } }", 2, "times is of a share of requests, and outcome"),
        ("judge.outcome = { name = 'x', compare = { by = 1 } }", 2, "by = 1: values lie between 0 and 1"),
        ("judge.outcome = { name = 'x', compare = { by = -1 } }", 2, "by = -1: 0 or more"),
        ("judge.outcome = { name = 'x', low = 2, at_least = 1 }", 2, "low = 2 and high = 1: the first has to be"),
        ("judge.outcome = { name = 'x', without = 2, at_least = 1 }", 2, "2 is outside of its bounds, 0 to 1"),
        ("judge.outcome = { name = 'x', within = 'late', at_least = 1 }", 2, "'late' is no duration"),
        ("judge.outcome = { at_least = 1 }", 2, "lacks 'name'"),
        ("judge.outcome = { name = 'a/b', at_least = 1 }", 2, "'a/b' is no name of an outcome"),
        (
            "judge.outcome = { name = 'x', within = 5, at_least = 1 }",
            2,
            "a captured request is written within 6 seconds",
        ),
        ("judge.wrong = { label = '', at_most = 1 }", 2, "'' is no name of an outcome"),
        ("judge.wrong = { within = '0s', at_most = 1 }", 2, "within = 0: a captured request is written within 6"),
        ("judge.wrong = { threshold = nan, at_most = 1 }", 2, "threshold = nan: a score from which on"),
        ("judge.wrong = { compare = { times = inf } }", 2, "times = inf: more than 0"),
        ("judge.wrong = { compare = { slices = { plan = ['a', 'a'] } } }", 2, "slices.plan: give its values as texts"),
        ("judge.wrong = { compare = { slices = { plan = ['ä'] } } }", 2, "slices.plan: give its values as texts"),
        ("judge.latency = { percentile = 101, at_most = 1 }", 2, "percentile = 101: from 0 to 100"),
        ("shadow = { for = 0 }", 2, "for = 0: nothing would be looked at"),
        ("shadow = { for = 60, payloads = true, slices = 'a=b' }", 2, "slices = 'a=b': the name of an attribute"),
        ("judge.wrong = { compare = { slices = { plan = [] } } }", 2, "slices.plan: give its values as texts"),
        ("judge.wrong = { compare = { slices = { plan = ['a,b'] } } }", 2, "slices.plan: give its values as texts"),
        ("judge.wrong = { compare = { enough = 0 } }", 2, "enough"),
        ("judge.wrong = { compare = { wanted = 'better' } }", 2, "wrong: by all-at-once the two versions never serve"),
        ("strategy = 'ab'", 2, "ab: nothing decides it; give a measure of `judge`"),
        ('judge.errors = { compare = { undecided = "maybe" } }', 2, "undecided = 'maybe'"),
        ("judge.errors = { compare = { time = 2 } }", 2, "'time' is not a key of"),
        ("judge.errors = { at_most = 5 }", 2, "errors: 5.0 is no share"),
        ("judge.errors = { at_most = 0.1, percentile = 9 }", 2, "'percentile' is not a key of"),
        ("judge.errorz = { at_most = 0.1 }", 2, "there is no measure 'errorz'; there are: cpu, errors, latency"),
        ('judge.latency = { at_most = "fast" }', 2, "latency: 'fast' is no duration"),
        ('judge.cash = { measure = "metric", at_least = 1 }', 2, "lacks 'namespace'"),
        ('judge.errors = { at_most = 0.1, interval = "0s" }', 2, "interval = '0s': a second at least"),
        ('judge.errors = { at_most = 0.1, missing = "maybe" }', 2, "missing = 'maybe'"),
    ],
)
def test_a_mistake_has_its_line(tmp_path: Path, lines: str, at: int, said: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        settings(tmp_path, f"[env.local.promote]\n{lines}\n")
    assert f"mlops.toml:{at}: " in told.value.message and said in told.value.message


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as told:
        settings(
            tmp_path,
            """[env.local.promote]
strategy = "canarry"
patience = "long"
[env.local.promote.judge]
errors = {}
cpu = { at_most = "much" }
""",
        )
    assert [line.rpartition("mlops.toml:")[2].partition(":")[0] for line in told.value.message.splitlines()] == [
        "2",
        "5",
        "6",
        "3",
    ]


def test_a_measure_with_a_mistake_may_be_what_decides(tmp_path: Path) -> None:
    lines = "strategy = 'ab'\njudge.wrong = { compare = { wanted = 'better', enough = 0 } }"
    with pytest.raises(ConfigurationError) as told:
        settings(tmp_path, f"[env.local.promote]\n{lines}\n")
    assert "enough" in told.value.message and "nothing decides it" not in told.value.message


def test_an_ab_test_goes_back_where_nothing_is_decided(tmp_path: Path) -> None:
    """What wants to be better has to be; what is to be no worse may go on."""
    found = settings(
        tmp_path,
        """[env.local.promote]
strategy = { ab = { share = 20, lasts = "14d" } }
[env.local.promote.judge.bought]
measure = "outcome"
name = "conversion"
without = 0
within = "1d"
compare = { wanted = "better", slices = { plan = ["free", "paid"] } }
[env.local.promote.judge.wrong]
compare = { times = 1.1 }
""",
    )
    assert found.course(1).stages == (Stage(20.0, 14 * 86400.0, True), Stage(100.0, 0.0))
    bought, wrong = found.rules
    assert bought.compare is not None and wrong.compare is not None
    assert (bought.compare.undecided, wrong.compare.undecided) == ("back", "go-on")
    assert (bought.late, wrong.late) == (86400.0, 3600.0)
    assert (bought.compare.doubt, bought.compare.slice_doubt) == (0.025, 0.0125)

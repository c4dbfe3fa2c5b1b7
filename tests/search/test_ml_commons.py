"""ML Commons finds what is found here, within a hundredth of what is left over, in a real OpenSearch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops.ir import AccountError, UsageError
from mlops.observe.forecast.ml_commons import MlCommons
from mlops.observe.forecast.model import Settings, fit
from mlops.observe.forecast.series import Numbers, Series
from mlops.observe.search.asking import Ask, asking
from tests.observe.forecast.series_of import HOUR, planted
from tests.observe.search.place import At

pytestmark = pytest.mark.proof("search")


@pytest.fixture
def ask(opensearch: str) -> Ask:
    return asking(At(opensearch), "us-east-1", lambda: None)


@pytest.mark.parametrize(
    ("planting", "periods"),
    [
        ((2, 672, ((24, 3), (168, 2))), (86400.0, 604800.0)),
        ((3, 336, ((24, 30),)), (86400.0,)),
        ((4, 200, ()), ()),
        ((5, 100, ((12, 2),)), (43200.0,)),
    ],
)
def test_it_finds_what_is_found_here(ask: Ask, planting: Any, periods: tuple[float, ...]) -> None:
    series = planted(*planting)
    here, there = fit(series, Settings(periods)), fit(series, Settings(periods), MlCommons(ask))
    apart = [abs(one.expected - other.expected) for one, other in zip(here.ahead(48), there.ahead(48), strict=True)]
    assert max(apart) <= 0.01 * here.line.spread


def test_it_leaves_no_model_behind(ask: Ask) -> None:
    fit(planted(6, 100, ()), Settings(()), MlCommons(ask))
    found = ask("POST", "/_plugins/_ml/models/_search", {"query": {"match_all": {}}, "size": 0})
    assert found["hits"]["total"]["value"] == 0


def test_what_it_would_ignore_or_never_end_is_refused(ask: Ask) -> None:
    with pytest.raises(UsageError, match="would ignore the ridge"):
        fit(planted(6, 100, ()), Settings((), ridge=1.0), MlCommons(ask))
    with pytest.raises(UsageError, match="too many for ML Commons"):
        fit(planted(6, 1001, ()), Settings(()), MlCommons(ask))


def test_what_it_answers_is_told(ask: Ask) -> None:
    with pytest.raises(AccountError, match=r"POST /_plugins/_ml/_train/NOTHING: OpenSearch answered 400"):
        ask("POST", "/_plugins/_ml/_train/NOTHING", {"parameters": {}})


def scores(ask: Ask, values: Numbers, shingle: int) -> Numbers:
    """Of its random cut forest, for each value from the shingle's last on."""
    windows = np.lib.stride_tricks.sliding_window_view(values, shingle)
    names = [f"x{number}" for number in range(shingle)]
    rows = [{"values": [{"column_type": "DOUBLE", "value": float(it)} for it in row]} for row in windows]
    table = {"column_metas": [{"name": name, "column_type": "DOUBLE"} for name in names], "rows": rows}
    parameters = {"number_of_trees": 50, "sample_size": 256, "training_data_size": len(windows)}
    path = "/_plugins/_ml/_train_predict/BATCH_RCF"
    found = ask("POST", path, {"parameters": parameters, "input_data": table})["prediction_result"]
    at = [column["name"] for column in found["column_metas"]].index("score")
    return np.array([float(row["values"][at]["value"]) for row in found["rows"]])


def test_a_forest_finds_what_the_linear_model_finds_once_that_has_taken_the_season_away(ask: Ask) -> None:
    """Which is why there is none here: it takes the season for odd, most of all by several values at once."""
    first: dict[tuple[str, int], int] = dict.fromkeys((("season", 1), ("season", 8), ("rest", 1), ("rest", 8)), 0)
    seeds = range(5)
    for seed in seeds:
        values = planted(seed).values.copy()
        at = 40 + 3 * seed
        values[at] += 9.0 if seed % 2 else -9.0
        model = fit(Series(0.0, HOUR, values), Settings((86400.0, 604800.0)))
        assert [it.position for it in model.anomalies()] == [at]
        columns = model.design.columns(model.series.known)
        for what, shingle in first:
            given = values if what == "season" else values - columns @ model.line.coefficients
            odd = int(np.argmax(scores(ask, given, shingle))) + shingle - 1
            first[what, shingle] += at <= odd < at + shingle
    assert (first["rest", 1], first["rest", 8]) == (len(seeds), len(seeds))
    assert first["season", 8] < len(seeds)

"""ML Commons finds what is found here, within a hundredth of what is left over, in a real OpenSearch."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.ir import AccountError, UsageError
from mlops.observe.forecast.ml_commons import MlCommons
from mlops.observe.forecast.model import Settings, fit
from mlops.observe.search.asking import Ask, asking
from tests.observe.forecast.series_of import planted
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

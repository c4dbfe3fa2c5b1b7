"""Four series of the world that a package ships, and its least squares, as judges of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlops.observe.forecast import seasons
from mlops.observe.forecast.evaluation import evaluated
from mlops.observe.forecast.model import Settings, fit
from mlops.observe.forecast.series import Series

pytestmark = pytest.mark.proof("monitor")

MONTH = 86400.0 * 365.25 / 12


def real(name: str) -> Series:
    datasets: Any = pytest.importorskip("statsmodels.datasets")
    if name == "co2":
        weekly = datasets.co2.load_pandas().data["co2"]
        return Series(0.0, MONTH, weekly.resample("MS").mean().to_numpy()[:480])
    if name == "elnino":
        table = datasets.elnino.load_pandas().data
        return Series(0.0, MONTH, table.iloc[:, 1:].to_numpy().ravel())
    if name == "sunspots":
        return Series(0.0, 12 * MONTH, datasets.sunspots.load_pandas().data["SUNACTIVITY"].to_numpy())
    return Series(0.0, 12 * MONTH, datasets.nile.load_pandas().data["volume"].to_numpy())


@pytest.mark.parametrize(
    ("name", "period", "better"),
    [("co2", 12, True), ("elnino", 12, True), ("sunspots", 11, False), ("nile", None, True)],
)
def test_real_series_show_their_season_and_whether_the_model_is_better(
    name: str, period: int | None, better: bool
) -> None:
    series = real(name)
    found = seasons.found(series)
    assert (round(found[0]) if found else None) == period, found
    model = fit(series)
    said = evaluated(series, Settings(), model.periods, 12)
    assert said is not None
    assert said.is_better is better


@pytest.mark.parametrize("name", ["co2", "elnino", "sunspots", "nile"])
def test_coefficients_and_errors_are_those_of_statsmodels(name: str) -> None:
    statsmodels: Any = pytest.importorskip("statsmodels.api")
    model = fit(real(name), Settings((), trend=True))
    positions = model.series.known
    values = model.series.values[positions.astype(int)]
    lag = int(4 * (len(values) / 100) ** (2 / 9))
    judge = statsmodels.OLS(values, model.design.columns(positions)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": True}
    )
    assert np.allclose([it.value for it in model.coefficients], judge.params)
    assert np.allclose([it.error for it in model.coefficients], judge.bse, rtol=1e-6)

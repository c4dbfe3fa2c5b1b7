"""What XGBoost's server answers is what its container's source says."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from xgboost_models import place
from xgboost_requests import ASKED, Asked

from mlops.run.serving.handlers import RequestFault

pytestmark = pytest.mark.proof("algorithms")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[Any]]]:
    folder = tmp_path_factory.mktemp("models")
    names = sorted({asked.model for asked in ASKED})
    return {name: (folder / name, place(folder / name, name)) for name in names}


def predicted(boosters: list[Any], asked: Asked) -> Any:
    import numpy
    import xgboost

    first_only = asked.environment.get("SAGEMAKER_INFERENCE_ENSEMBLE") == "false"
    rows = xgboost.DMatrix(numpy.array(asked.rows))
    found = [booster.predict(rows) for booster in (boosters[:1] if first_only else boosters)]
    return found[0] if len(found) == 1 else numpy.mean(found, axis=0)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_answers(asked: Asked, models: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops.run.algorithms.xgboost import service

    folder, boosters = models[asked.model]
    for name, value in asked.environment.items():
        monkeypatch.setenv(name, value)
    try:
        answer = service(folder).answer(asked.body, asked.kind or "", asked.accept or "", {})
        found = (200, answer.body, answer.content_type)
    except RequestFault as fault:
        found = (fault.status, str(fault).encode(), fault.content_type)
    wanted = asked.answer if isinstance(asked.answer, str) else asked.answer(predicted(boosters, asked))
    wanted = wanted.encode() if isinstance(wanted, str) else wanted
    if asked.begins:
        assert found[1].startswith(wanted)
        found = (found[0], wanted, found[2])
    assert found == (asked.status, wanted, asked.answered)


def test_a_script_may_import_the_containers_own_decoders() -> None:
    from mlops.run.algorithms.xgboost import container_modules

    try:
        container_modules.provide()
        encoder = importlib.import_module("sagemaker_xgboost_container.encoder")
        assert encoder.libsvm_to_dmatrix(b"0 1:0.5 3:0.25\n1 2:1").num_col() == 4
        assert encoder.csv_to_dmatrix("1,2\n3,4").num_row() == 2
        assert encoder.decode(b"1,2", "text/csv; charset=utf-8").num_col() == 2
    finally:
        for name in ("sagemaker_xgboost_container", "sagemaker_xgboost_container.encoder"):
            sys.modules.pop(name, None)


def test_there_are_forty() -> None:
    assert len(ASKED) >= 40
    assert len({asked.name for asked in ASKED}) == len(ASKED)

"""Bias and attributions: forms, groups, and against a baseline. The values of all metrics are Clarify's own library's,
which the judge `monitor` asks."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops.monitor.attributions import clustered, kernel_shap, partial_dependence
from mlops.monitor.clarify import analysed, violated
from mlops.monitor.fault import Fault
from mlops.monitor.predictor import Predictor
from mlops.monitor.table import found_in

ROWS = "y,sex,age,said\n" + "".join(
    f"{number % 2},{'mf'[number % 3 == 0]},{20 + number},{int(number % 5 > 1)}\n" for number in range(60)
)
BIAS = {
    "label": "y",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
    "methods": {"pre_training_bias": {"methods": "all"}},
}


def analysis(folder: Path, text: str = ROWS, **config: Any) -> dict[str, Any]:
    (folder / "data.csv").write_text(text)
    return analysed(BIAS | config, folder, {})[0]


def test_bias_in_data_has_clarifys_form(tmp_path: Path) -> None:
    told = analysis(tmp_path)
    assert {**told, "pre_training_bias_metrics": {}} == {"version": "1.0", "pre_training_bias_metrics": {}}
    section = told["pre_training_bias_metrics"]
    assert (section["label"], section["label_value_or_threshold"]) == ("y", "1")
    [facet] = section["facets"]["sex"]
    assert facet["value_or_threshold"] == "f"
    assert [metric["name"] for metric in facet["metrics"]] == ["CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"]
    unknown, imbalance = facet["metrics"][:2]
    assert unknown["value"] is None and unknown["error"] == "Group variable is empty or not provided"
    assert imbalance == {"name": "CI", "description": "Class Imbalance (CI)", "value": pytest.approx(1 / 3)}


GROUPS: list[tuple[Any, list[str]]] = [
    ({"name_or_index": 1, "value_or_threshold": ["m"]}, ["m"]),
    ({"name_or_index": "sex"}, ["f", "m"]),
    ({"name_or_index": "age", "value_or_threshold": [40]}, ["(40, 79]"]),
    ({"name_or_index": "age", "value_or_threshold": [39.5]}, ["(39.5, 79.0]"]),
    ({"name_or_index": "age", "value_or_threshold": 40}, ["(40, 79]"]),
    ({"name_or_index": "said", "value_or_threshold": ["1"]}, ["1"]),
]


def test_groups_are_values_or_above_a_threshold(tmp_path: Path) -> None:
    for facet, values in GROUPS:
        methods = {"pre_training_bias": {"methods": ["CI"]}}
        [found] = analysis(tmp_path, facet=[facet], methods=methods)["pre_training_bias_metrics"]["facets"].values()
        assert [item["value_or_threshold"] for item in found] == values
        assert all("error" not in item["metrics"][0] for item in found)


def test_the_same_from_json_lines_and_with_headers(tmp_path: Path) -> None:
    wanted = analysis(tmp_path)
    head, *lines = ROWS.splitlines()
    rows = [line.split(",") for line in lines]
    assert analysis(tmp_path, "\n".join(lines), headers=head.split(",")) == wanted
    assert analysis(tmp_path, ROWS, headers=head.split(",")) == wanted
    text = "\n".join(json.dumps({"in": {"f": [sex, int(age), int(said)]}, "y": int(y)}) for y, sex, age, said in rows)
    there = {"dataset_type": "application/jsonlines", "features": "in.f", "headers": ["sex", "age", "said", "y"]}
    assert analysis(tmp_path, text, **there) == wanted


def test_columns_without_names_are_counted(tmp_path: Path) -> None:
    facet = [{"name_or_index": 2, "value_or_threshold": [40]}]
    text = "".join(f"{number % 2},{number % 5 > 1:d},{20 + number}\n" for number in range(60))
    told = analysis(tmp_path, text, label=0, facet=facet)["pre_training_bias_metrics"]
    assert (told["label"], [*told["facets"]]) == ("column_0", ["column_2"])
    assert told["facets"]["column_2"][0]["value_or_threshold"] == "(40, 79]"


def answering(*answers: str, kind: str = "text/csv", **config: Any) -> Predictor:
    body = "\n".join(answers).encode()
    return Predictor(lambda *_: (body, kind), config, "text/csv", kind, config.get("threshold"))


LABELS: list[tuple[Predictor, bool, list[Any]]] = [
    (answering("0.2", "0.7"), False, [0, 1]),
    (answering("0.2", "0.7", threshold=0.8), False, [0, 0]),
    (answering("12.5", "17"), True, [12.5, 17.0]),
    (answering("12.5", "17", threshold=15), True, [0, 1]),
    (answering("yes", "no"), False, ["yes", "no"]),
    (answering("0.9,a", "0.1,b", label=1), False, ["a", "b"]),
    (answering("0.9,a", "0.1,b", probability=0), False, [1, 0]),
    (answering("0.4,a", "0.3,b", label=0, threshold=0.35), False, [1, 0]),
    (answering("0.4,a", "0.6,b", label=0), False, [0, 1]),
    (answering("12.5,a", "17,b", label=0), True, [12.5, 17.0]),
    (answering("2.0,a", "1.0,b", label=0), False, [2.0, 1.0]),
    (answering("0.9,0.1", "0.2,0.8", label_headers=["a", "b"]), False, ["a", "b"]),
    (answering('{"l": "a"}', '{"l": "b"}', kind="application/jsonlines", label="l"), False, ["a", "b"]),
    (answering('{"l": "a\u2028"}', '{"l": "b"}', kind="application/jsonlines", label="l"), False, ["a\u2028", "b"]),
    (answering('{"p": [{"s": 0.9}, {"s": 0.2}]}', kind="application/json", probability="p[*].s"), False, [1, 0]),
    (answering("[0.9, 0.2]", kind="application/json; charset=utf-8"), False, [1, 0]),
]


def test_what_a_models_answers_mean() -> None:
    for asked, continuous, wanted in LABELS:
        assert asked.labels([[1], [2]], continuous=continuous).tolist() == wanted
    for asked, reason in (
        (answering("1"), "was sent 2 rows and gave 1 answers"),
        (answering("0.9,0.1", "0.2,0.8"), "several numbers for each row"),
        (answering("{", kind="application/json"), "cannot be read"),
        (answering("a", "b", probability=3), "cannot be read"),
    ):
        with pytest.raises(Fault, match=reason):
            asked.labels([[1], [2]], continuous=False)


ASKS = {"predictor": {"endpoint_name": "churn"}}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"label": "z"}, "label is 'z', and the data have the columns y, sex, age, said"),
    ({"facet": []}, "wants `facet`"),
    ({"facet": {"name_or_index": "sex"}}, "facet is {'name_or_index': 'sex'}, a list is wanted"),
    ({"facet": ["sex"]}, "a facet is 'sex', an object is wanted"),
    ({"methods": {"pre_training_bias": "all"}}, "the method of an analysis of bias is 'all', an object is wanted"),
    ({"methods": ["shap"]}, r"methods is \['shap'\], an object is wanted"),
    ({"methods": {"shap": {"num_clusters": "2"}}, **ASKS}, "shap.num_clusters is '2', an integer is wanted"),
    ({"methods": {"shap": {"seed": -1}}, **ASKS}, "shap.seed is -1, an integer is wanted"),
    ({"methods": {"pdp": {"features": "age"}}, **ASKS}, "pdp.features is 'age', a list is wanted"),
    ({"methods": {"pdp": [1]}, **ASKS}, r"pdp is \[1\], an object is wanted"),
    ({"headers": "y,sex"}, "headers is 'y,sex', a list is wanted"),
    ({"excluded_columns": "age"}, "excluded_columns is 'age', a list is wanted"),
    ({"label_values_or_threshold": None}, "wants `label_values_or_threshold`"),
    ({"methods": {"pre_training_bias": {"methods": ["CJ"]}}}, "no bias metric CJ"),
    ({"methods": {"post_training_bias": {}}}, "its configuration has no predictor"),
    ({"dataset_type": "application/x-image"}, "dataset_type is application/x-image"),
    ({"facet_dataset_uri": "s3://b/f"}, "facet_dataset_uri cannot be used here"),
    ({"methods": {"post_training_bias": {}}, "predicted_label": "said", "label_values_or_threshold": [2]}, "positive"),
]


def test_an_analysis_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    for config, reason in WRONG:
        with pytest.raises(Fault, match=reason):
            analysis(tmp_path, **config)


def bias(**values: float | str) -> dict[str, Any]:
    metrics = [{"name": name, "value": value} for name, value in values.items()]
    entry = {"value_or_threshold": "(40, 90]", "metrics": metrics}
    return {"post_training_bias_metrics": {"facets": {"age": [entry]}}}


def shap(**values: float) -> dict[str, Any]:
    return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": values}}}}


AGAINST: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (bias(DPPL=0.1), bias(DPPL=0.2), []),
    (bias(DPPL=-0.3), bias(DPPL=0.2), ["DPPL"]),
    (bias(DPPL=0.2 * (1 + 1e-12)), bias(DPPL=0.2), []),
    (bias(DI=0.7), bias(DI=0.8), ["DI"]),
    (bias(DI=0.9), bias(DI=0.8), []),
    (bias(TE="Infinity"), bias(TE=3), ["TE"]),
    (bias(TE=3), bias(TE="Infinity"), []),
    (bias(DPPL=9), bias(AD=0), []),
    (shap(a=3, b=2, c=1), shap(a=6, b=4, c=2), []),
    (shap(a=1, b=2, c=3), shap(a=9, b=1, c=0), ["shap"]),
]


def test_worse_than_the_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    for now, before, expected in AGAINST:
        assert [item["metric_name"] for item in violated(now, before)] == expected, (now, before)
    [item] = violated(bias(DPPL=-0.3), bias(DPPL=0.2))
    assert item == {
        "facet": "age",
        "facet_value": "(40, 90]",
        "metric_name": "DPPL",
        "constraint_check_type": "bias_drift_check",
        "description": "Value -0.3 does not meet the constraint requirement",
    }
    assert [*violated(bias(), {"post_training_bias_metrics": {"facets": {"sex": [{"value_or_threshold": "f"}]}}})] == []
    assert "sex f is in the baseline, and is not measured now" in capsys.readouterr().out
    with pytest.raises(Fault, match="no analysis of Clarify's"):
        [*violated(bias(), {"features": []})]


def test_attributions_of_a_linear_model_are_its_terms() -> None:
    weights = np.array([2.0, -1.0, 0.5])
    rows = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 4.0]], dtype=object)
    background = np.array([[0.0, 1.0, 1.0], [2.0, 1.0, 1.0]], dtype=object)

    def predict(asked: Any) -> Any:
        return np.array(asked, dtype=float)[:, :, None].transpose(0, 2, 1) @ weights[:, None] @ np.ones((1, 1))

    def linear(asked: Any) -> Any:
        return predict(asked).reshape(-1, 1)

    for samples in (None, 40):
        values, expected = kernel_shap(linear, rows, background, samples, 0)
        assert values[:, :, 0] == pytest.approx((rows.astype(float) - background.astype(float).mean(axis=0)) * weights)
        assert math.isclose(expected[0], 1.0 * 2 - 1 + 0.5)


def test_a_category_that_is_missing_is_asked_as_missing() -> None:
    """Not by the text None."""
    rows = np.array([["a"], [None], [None], ["b"]], dtype=object)
    assert clustered(rows, 1, 0).tolist() == [[None]]
    kind, grid, shares, _ = partial_dependence(lambda asked: np.ones((len(asked), 1)), rows, 0, 5)
    assert (kind, grid, shares) == ("categorical", [None, "a", "b"], [0.5, 0.25, 0.25])


def test_places_in_json() -> None:
    document = {"a": [{"b": 1}, {"b": 2}], "c": "x"}
    for expression, wanted in (("c", "x"), ("a[1].b", 2), ("$.a[0].b", 1), ("a[9].b", None), ("a[*].b", [1, 2])):
        assert found_in(document, expression) == wanted

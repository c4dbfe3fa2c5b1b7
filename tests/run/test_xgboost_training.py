"""XGBoost trains from each kind of channel as its container does, and the library reads what it leaves."""

from __future__ import annotations

import json
import pickle
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from xgboost_requests import frame

from mlops.run.algorithms.job import AlgorithmFault, TrainingJob, UserFault

pytestmark = pytest.mark.proof("algorithms")

LINE = re.compile(r"\[(\d+)\]\t(.*)")


def table(rows: int = 120, seed: int = 7) -> Any:
    import numpy

    features = numpy.random.default_rng(seed).random((rows, 2)).round(3)
    return numpy.column_stack([(features @ [3.0, -1.0] + 1).round(3), features])


def csv_of(found: Any) -> str:
    return "".join(",".join(f"{cell:.6f}" for cell in row) + "\n" for row in found)


class Training:
    """Folders of one job."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.channels: dict[str, dict[str, str]] = {}
        for name in ("model", "input/data", "input/config", "output/data"):
            (base / name).mkdir(parents=True, exist_ok=True)

    def put(self, channel: str, name: str, content: str | bytes, kind: str = "text/csv", **more: str) -> Training:
        file = self.base / "input" / "data" / channel / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        self.channels[channel] = {
            "ContentType": kind,
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            **more,
        }
        return self

    def checkpointed(self) -> Training:
        config = self.base / "input" / "config" / "checkpointconfig.json"
        config.write_text(json.dumps({"LocalPath": str(self.base / "checkpoints")}), encoding="utf-8")
        return self

    def run(self, given: Mapping[str, str], version: str = "1.7-1") -> None:
        from mlops.run.algorithms.xgboost import train

        values = {"num_round": "3", "objective": "reg:squarederror", **given}
        train(TrainingJob(self.base, version, values, self.channels, ("algo-1",), "algo-1"))

    def model(self, name: str = "xgboost-model") -> Any:
        import xgboost

        booster = xgboost.Booster()
        booster.load_model(self.base / "model" / name)
        return booster


@pytest.fixture
def training(tmp_path: Path) -> Training:
    return Training(tmp_path)


def printed(text: str) -> list[tuple[int, dict[str, float]]]:
    found = (LINE.fullmatch(line) for line in text.splitlines())
    return [
        (int(match[1]), {name: float(value) for name, value in (item.split(":") for item in match[2].split("\t"))})
        for match in found
        if match
    ]


def test_csv_with_validation(training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    training.put("train", "a.csv", csv_of(table())).put("validation", "b.csv", csv_of(table(40, 3)))
    training.run({"eval_metric": "rmse,mse,r2"})
    rounds = printed(capsys.readouterr().out)
    assert [number for number, _ in rounds] == [0, 1, 2]
    assert list(rounds[0][1]) == [
        f"{name}-{metric}" for name in ("train", "validation") for metric in ("rmse", "mse", "r2")
    ]
    last = rounds[-1][1]
    assert last["validation-mse"] == pytest.approx(last["validation-rmse"] ** 2, abs=1e-4)
    assert training.model().num_boosted_rounds() == 3


HEADER = "sex,length,a name with blanks that is longer than fifty,rings\n"


@pytest.mark.parametrize(
    ("first", "version", "told"),
    [
        (HEADER, "1.7-1", "WARNING: the first line of a.csv is a header, 'sex,length,a name"),
        ('"sex","length",,x\n', "1.7-1", "WARNING: the first line of a.csv is a header"),
        ("1.5,F,2,3\n", "1.7-1", None),
        ("1.5,,2,3\n", "1.7-1", None),
        ("1e-10,2,-3.5,nan\n", "1", None),
    ],
    ids=["a header", "in quotes", "a word in a row", "nothing in a cell", "numbers to the first release"],
)
def test_a_header_is_a_row_and_that_is_told(
    training: Training, first: str, version: str, told: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Later containers take it (aws/sagemaker-xgboost-container#129)."""
    rows = "".join(f"{number},{number % 7},{number % 5},{number % 3}\n" for number in range(20))
    training.put("train", "a.csv", first + rows).run({}, version)
    printed_ = capsys.readouterr()
    assert "Train matrix has 21 rows and 3 columns" in printed_.out
    assert (told in printed_.err) if told is not None else "WARNING: the first line" not in printed_.err


def test_the_first_release_refuses_a_header_in_its_own_words(training: Training) -> None:
    """As it was seen in aws-samples/amazon-sagemaker-immersion-day#81."""
    row = "False,54,3,999,0,1,0,False,False,False,False,False,False\n"
    with pytest.raises(UserFault) as refused:
        training.put("train", "train.csv", row + "1,2,3\n").run({}, "latest")
    assert str(refused.value) == (
        "Non-numeric value 'F' found in the header line 'False,54,3,999,0,1,0,False,False,False,False,False...' of "
        "file 'train.csv'. CSV format require no header line in it. If header line is already removed, XGBoost does "
        "not accept non-numeric value in the data."
    )


@pytest.mark.parametrize("objective", ["binary:logistic", "binary:hinge", "multi:softprob", "multi:softmax"])
def test_metrics_are_those_of_scikit_learn(
    training: Training, objective: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy
    import xgboost
    from sklearn import metrics

    data = table()
    data[:, 0] = numpy.digitize(data[:, 0], [1.5, 2.5]) if objective.startswith("multi") else data[:, 0] > 2
    training.put("train", "a.csv", csv_of(data))
    names = ["accuracy", "balanced_accuracy", "f1", "precision_macro", "recall_macro", "precision_micro"]
    names += [] if objective.startswith("multi") else ["f1_binary", "precision", "recall"]
    more = {"num_class": "3"} if objective.startswith("multi") else {}
    training.run({"objective": objective, "eval_metric": ",".join(names), **more})
    last = printed(capsys.readouterr().out)[-1][1]
    predicted = training.model().predict(xgboost.DMatrix(data[:, 1:]))
    found = predicted.argmax(axis=1) if predicted.ndim > 1 else predicted
    found = found if objective == "multi:softmax" or predicted.ndim > 1 else found > 0.5
    judges = {
        "accuracy": metrics.accuracy_score,
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "f1": lambda truth, said: metrics.f1_score(truth, said, average="macro"),
        "f1_binary": metrics.f1_score,
        "precision": metrics.precision_score,
        "precision_macro": lambda truth, said: metrics.precision_score(truth, said, average="macro"),
        "precision_micro": lambda truth, said: metrics.precision_score(truth, said, average="micro"),
        "recall": metrics.recall_score,
        "recall_macro": lambda truth, said: metrics.recall_score(truth, said, average="macro"),
    }
    wanted = {f"train-{name}": judges[name](data[:, 0], found) for name in names}
    assert {name: last[name] for name in wanted} == pytest.approx(wanted, abs=1e-4)


def test_formats_find_the_same(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    data = table()
    frames = b"".join(
        frame(_member(1, b"values", row[1:].astype("<f4")) + _member(2, b"values", row[:1].astype("<f4")))
        for row in data
    )
    columns = pyarrow.table({f"c{number}": data[:, number] for number in range(3)})
    pyarrow.parquet.write_table(columns, tmp_path / "a.parquet")
    written = {
        "text/csv": csv_of(data),
        "text/libsvm": "".join(f"{row[0]:.6f} 0:{row[1]:.6f} 1:{row[2]:.6f}\n" for row in data),
        "application/x-parquet": (tmp_path / "a.parquet").read_bytes(),
        "application/x-recordio-protobuf": frames,
    }
    dumps = {}
    for number, (kind, content) in enumerate(written.items()):
        training = Training(tmp_path / str(number)).put("train", "data", content, kind)
        training.run({"max_depth": "1", "num_round": "1"})
        dumps[kind] = re.sub(r"=[-.\d]+", "", "".join(training.model().get_dump()))
    assert len(set(dumps.values())) == 1, dumps


def _member(number: int, name: bytes, values: Any) -> bytes:
    def wrap(at: int, body: bytes) -> bytes:
        return struct.pack("BB", at << 3 | 2, len(body)) + body

    return wrap(number, wrap(1, name) + wrap(2, wrap(2, wrap(1, values.tobytes()))))


def test_files_in_folders_and_weights(training: Training) -> None:
    import xgboost

    data = table()
    training.put(
        "train", "deep/er/a.csv", "".join(f"{row[0]:.6f},2.0,{row[1]:.6f},{row[2]:.6f}\n" for row in data[:60])
    )
    training.put("train", "b.csv", "".join(f"{row[0]:.6f},1.0,{row[1]:.6f},\n" for row in data[60:]))
    training.run({"csv_weights": "1"})
    assert training.model().num_features() == 2
    assert training.model().predict(xgboost.DMatrix(data[:1, 1:])).shape == (1,)


def test_the_newest_five_checkpoints_and_the_way_back(training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    training.put("train", "a.csv", csv_of(table())).checkpointed()
    training.run({"num_round": "7"})
    found = sorted(path.name for path in (training.base / "checkpoints").iterdir())
    assert found == [f"xgboost-checkpoint.{number}" for number in range(2, 7)]
    whole = training.model().get_dump()
    for number in (5, 6):
        (training.base / "checkpoints" / f"xgboost-checkpoint.{number}").unlink()
    capsys.readouterr()
    training.run({"num_round": "7"})
    said = capsys.readouterr().out
    assert "Resuming from iteration 5" in said and len(printed(said)) == 2
    assert training.model().get_dump() == whole


def test_early_stopping_keeps_the_best(training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy

    noise = table(40, 3)
    noise[:, 0] = numpy.random.default_rng(1).random(40) * 4
    training.put("train", "a.csv", csv_of(table())).put("validation", "b.csv", csv_of(noise))
    training.run({"num_round": "60", "eta": "0.8", "eval_metric": "rmse", "early_stopping_rounds": "3"})
    rounds = printed(capsys.readouterr().out)
    scores = [values["validation-rmse"] for _, values in rounds]
    assert len(rounds) < 60
    assert training.model().num_boosted_rounds() == scores.index(min(scores)) + 1


@pytest.mark.parametrize("objective", ["reg:squarederror", "binary:logistic"])
def test_folds(training: Training, objective: str, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy

    data = table(60)
    if objective.startswith("binary"):
        data[:, 0] = data[:, 0] > 2
    training.put("train", "a.csv", csv_of(data[:40])).put("validation", "b.csv", csv_of(data[40:]))
    training.run({"objective": objective, "_kfold": "3", "_num_cv_round": "2"})
    said = capsys.readouterr().out
    assert "Run 2-round of 3-fold cross validation with 60 rows" in said
    assert len([number for number, _ in printed(said) if number == 3]) == 3  # two rounds, and both together
    assert sorted(path.name for path in (training.base / "model").iterdir()) == [
        f"xgboost-model-{number}" for number in range(6)
    ]
    predictions = numpy.loadtxt(training.base / "output" / "data" / "predictions.csv", delimiter=",")
    assert predictions.shape == (60, 3 if objective.startswith("binary") else 2)


@pytest.mark.parametrize(
    ("version", "pickled"), [("1.0-1-cpu-py3", True), ("0.90-2", True), ("1", True), ("1.3-1", False), ("3.0-5", False)]
)
def test_the_model_is_written_as_that_version_writes_it(training: Training, version: str, pickled: bool) -> None:
    training.put("train", "a.csv", csv_of(table()))
    training.run({}, version)
    raw = (training.base / "model" / "xgboost-model").read_bytes()
    if pickled:
        assert pickle.loads(raw).num_boosted_rounds() == 3
    else:
        assert training.model().num_boosted_rounds() == 3


def test_what_only_a_gpu_has(training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    training.put("train", "a.csv", csv_of(table()))
    training.run({"tree_method": "gpu_hist", "predictor": "gpu_predictor", "use_dask_gpu_training": "true"})
    assert "there is no GPU here: tree_method is hist instead of gpu_hist" in capsys.readouterr().out


GOOD = csv_of([[1.0, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("files", "given", "told"),
    [
        ({"train/a.csv": ""}, {}, "No data in training channel path "),  # train.py:280
        ({"train/a.csv": GOOD, "validation/b.csv": ""}, {}, "No data in validation channel path "),  # train.py:273-275
        # data_utils.py:618
        ({"train/.a.csv": GOOD}, {}, "Hidden file found in the data path! Remove that before training."),
        ({"train/a.csv": "\n5\n"}, {}, "Could not determine delimiter on line \n:\n"),  # data_utils.py:142-148
        (
            {"train/a.csv": "1,2\n2,3\n0,3\n1,5\n"},
            {"objective": "binary:logistic"},
            "for logistic",  # train.py:461-467; which of two checks comes first is the library's
        ),
        (
            {"train/a.csv": "0,1\n1,2\n"},
            {"objective": "multi:softmax", "num_class": "2", "eval_metric": "merror", "booster": "gblinear",
             "updater": "shotgun", "lambda": "0", "_kfold": "9"},
            "XGB train call failed with exception:\n n_splits=9 cannot be greater than the number of members",
        ),
    ],
)  # fmt: skip
def test_faults(training: Training, files: dict[str, str], given: dict[str, str], told: str) -> None:
    for name, content in files.items():
        channel, _, file = name.partition("/")
        training.put(channel, file, content)
    with pytest.raises((UserFault, AlgorithmFault)) as fault:
        training.run(given)
    assert told in str(fault.value)


def test_pipe_mode_is_refused_as_there(training: Training) -> None:
    """data_utils.py:328-331."""
    training.put("train", "a.csv", GOOD, TrainingInputMode="Pipe")
    with pytest.raises(UserFault, match="Pipe mode for CSV is no longer supported"):
        training.run({})


def test_csv_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    """Which has a reader of its own up to 3.0, deprecated."""
    import numpy
    import xgboost

    from mlops.run.algorithms.xgboost.data import matrix

    (tmp_path / "a.csv").write_text("label,x,y\n1,,3\n2,4.5kg,5\n3,6\n", encoding="utf-8")
    try:
        theirs = xgboost.DMatrix(f"{tmp_path}?format=csv&label_column=0&delimiter=,")
    except xgboost.core.XGBoostError:
        pytest.skip("this version of the library reads no text")
    ours = matrix([tmp_path], "csv", weights=False)
    assert ours.get_label().tolist() == theirs.get_label().tolist()
    rows = [item.get_data().toarray() for item in (ours, theirs)]
    assert numpy.array_equal(*rows)

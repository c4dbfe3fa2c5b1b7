"""Requests to XGBoost in algorithm mode and what its container's source answers, with the lines that say so.

Lines are of aws/sagemaker-xgboost-container at cb8df91, below ``src/sagemaker_xgboost_container/``; ``encoders:`` is
``_encoders.py`` of aws/sagemaker-containers at 526dda9. An answer is a text, or a function of what the library itself
predicts for the rows.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Answer: TypeAlias = str | Callable[[Any], str | bytes]

CSV, LIBSVM, JSON, LINES = "text/csv", "text/libsvm", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
HTML, CSV_ANSWER = "text/html; charset=utf-8", "text/csv; charset=utf-8"
ACCEPTED = "['application/json', 'application/jsonlines', 'application/x-recordio-protobuf', 'text/csv']"
KINDS = (
    "csv, libsvm, parquet, recordio-protobuf, text/csv, text/libsvm, text/x-libsvm, application/x-parquet, "
    "application/x-recordio-protobuf"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """``rows`` are what the body holds, for the library to predict. Without ``kind`` and ``accept`` there are no such
    headers. ``begins``: behind the answer are words of Python's libraries, which differ by version."""

    name: str
    source: str
    body: bytes
    status: int
    answer: Answer
    answered: str = CSV_ANSWER
    kind: str | None = CSV
    accept: str | None = None
    model: str = "regression"
    rows: tuple[tuple[float, ...], ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    begins: bool = False


def lines(predictions: Any) -> str:
    return "".join(f"{value}\n" for value in predictions.tolist())


def scores(predictions: Any) -> str:
    return json.dumps({"predictions": [{"score": value} for value in predictions.tolist()]})


def listed(predictions: Any) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in predictions.tolist())


def batch(predictions: Any) -> str:
    return "".join(f"{value}\n" for value in predictions.tolist())


def array(predictions: Any) -> bytes:
    import numpy

    stream = io.BytesIO()
    numpy.save(stream, predictions.astype(float))
    return stream.getvalue()


def frame(body: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4)


def record(values: bytes) -> bytes:
    """With float32 features."""

    def member(number: int, body: bytes) -> bytes:
        return bytes([number << 3 | 2, len(body)]) + body

    return frame(member(1, member(1, b"values") + member(2, member(2, member(1, values)))))


def selecting(keys: str) -> dict[str, str]:
    return {"SAGEMAKER_INFERENCE_OUTPUT": keys}


def score_lines(predictions: Any) -> str:
    return "\n".join(str(value) for value in predictions.tolist())


def probable(predictions: Any) -> str:
    rows = [{"predicted_label": int(value > 0.5), "probability": value} for value in predictions.tolist()]
    return json.dumps({"predictions": rows})


def both(predictions: Any) -> str:
    return "\n".join(f'{int(value > 0.5)},"{[1.0 - value, value]}",{value},"[0, 1]"' for value in predictions.tolist())


def json_lines(predictions: Any) -> str:
    rows = ({"predicted_label": int(row.argmax()), "probabilities": row.tolist()} for row in predictions)
    return "".join(json.dumps(row) + "\n" for row in rows)


def winners(predictions: Any) -> str:
    rows = [
        {"labels": [0, 1, 2], "probability": float(max(row)), "raw_score": float(max(row)), "raw_scores": row.tolist()}
        for row in predictions
    ]
    return json.dumps({"predictions": rows})


def margins(predictions: Any) -> str:
    rows = [
        {"predicted_label": int(value > 0), "raw_score": value, "raw_scores": [1.0 - value, value]}
        for value in predictions.tolist()
    ]
    return json.dumps({"predictions": rows})


def nothing_selected(predictions: Any) -> str:
    return "\n".join(f"{value},nan" for value in predictions.tolist())


ROW = ((0.2, 0.7),)
ROWS = ((0.2, 0.7), (0.9, 0.1), (0.5, 0.5))
TEXT = b"0.2,0.7\n0.9,0.1\n0.5,0.5"
SPARSE = b"0 0:0.2 1:0.7\n0 0:0.9 1:0.1\n0 0:0.5 1:0.5"
PACKED = b"".join(record(struct.pack("<2f", *row)) for row in ROWS)
NOT_A_NUMBER = (
    "Loading csv data failed with Exception, please ensure data is in csv format:\n <class 'ValueError'>\n "
    "could not convert string to float: "
)

ASKED = (
    # What is taken, and in which form it is answered.
    Asked("csv", "algorithm_mode/serve.py:173-174, 247; encoders:129-151", TEXT, 200, lines, rows=ROWS),
    Asked("one row", "encoder.py:38-39; encoders:142-143", b"0.2,0.7", 200, lines, rows=ROW),
    Asked("spaces and line breaks around", "algorithm_mode/serve_utils.py:127", b"\n0.2,0.7\n\n", 200, lines, rows=ROW),
    Asked("csv with a charset", "data_utils.py:98-109", TEXT, 200, lines, kind="text/csv; charset=utf-8", rows=ROWS),
    Asked("csv by its short name", "data_utils.py:100", TEXT, 200, lines, kind="csv", rows=ROWS),
    Asked("a type in capitals", "data_utils.py:98", TEXT, 200, lines, kind="TEXT/CSV", rows=ROWS),
    Asked("another delimiter", "encoder.py:47", b"0.2;0.7\n0.9;0.1\n0.5;0.5", 200, lines, rows=ROWS),
    Asked("a cell that is missing", "encoder.py:31-32", b",0.7", 200, lines, rows=((float("nan"), 0.7),)),
    Asked("label_size=1", "data_utils.py:103", TEXT, 200, lines, kind="text/csv; label_size=1", rows=ROWS),
    Asked("libsvm", "algorithm_mode/serve_utils.py:134-137", SPARSE, 200, lines, kind=LIBSVM, rows=ROWS),
    Asked("x-libsvm", "data_utils.py:110", SPARSE, 200, lines, kind="text/x-libsvm", rows=ROWS),
    Asked("no type is libsvm", "data_utils.py:92-93", SPARSE, 200, lines, kind=None, rows=ROWS),
    Asked("libsvm from 1", "algorithm_mode/serve_utils.py:111-113", b"1:0.2 2:0.7", 200, lines, kind=LIBSVM, rows=ROW),
    Asked("recordio", "recordio_protobuf.py:72-143", PACKED, 200, lines, kind=RECORDIO, rows=ROWS),
    Asked(
        "accept json",
        "algorithm_mode/serve.py:244-245; serve_utils.py:536-548",
        TEXT,
        200,
        scores,
        JSON,
        accept=JSON,
        rows=ROWS,
    ),
    Asked(
        "accept in capitals",
        "algorithm_mode/serve.py:175-179",
        TEXT,
        200,
        scores,
        JSON,
        accept="APPLICATION/JSON",
        rows=ROWS,
    ),
    Asked(
        "accept with parameters",
        "algorithm_mode/serve.py:172",
        TEXT,
        200,
        lines,
        accept="text/csv; header=absent",
        rows=ROWS,
    ),
    Asked("accept anything", "algorithm_mode/serve.py:173", TEXT, 200, lines, accept="*/*", rows=ROWS),
    Asked(
        "a default for accept",
        "algorithm_mode/serve.py:174",
        TEXT,
        200,
        scores,
        JSON,
        rows=ROWS,
        environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": JSON},
    ),
    Asked(
        "an array by default",
        "algorithm_mode/serve.py:174, 247; encoders:32-46",
        TEXT,
        200,
        array,
        "application/x-npy",
        rows=ROWS,
        environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/x-npy"},
    ),
    Asked(
        "in a batch",
        "algorithm_mode/serve.py:241-242",
        TEXT,
        200,
        batch,
        rows=ROWS,
        environment={"SAGEMAKER_BATCH": "true"},
    ),
    Asked("classes as csv", "encoders:142-151", TEXT, 200, listed, model="softprob", rows=ROWS),
    Asked(
        "two models are averaged", "algorithm_mode/serve_utils.py:252-260", TEXT, 200, lines, model="pair", rows=ROWS
    ),
    Asked(
        "the first of two",
        "algorithm_mode/serve_utils.py:173, 551-552",
        TEXT,
        200,
        lines,
        model="pair",
        rows=ROWS,
        environment={"SAGEMAKER_INFERENCE_ENSEMBLE": "false"},
    ),
    # What is selected of it.
    Asked(
        "a score, selected",
        "algorithm_mode/serve_utils.py:444-445, 528-532",
        TEXT,
        200,
        score_lines,
        rows=ROWS,
        environment=selecting("predicted_score"),
    ),
    Asked(
        "a label and its probability",
        "algorithm_mode/serve_utils.py:432-437, 522-523",
        TEXT,
        200,
        probable,
        JSON,
        accept=JSON,
        model="logistic",
        rows=ROWS,
        environment=selecting("predicted_label, probability"),
    ),
    Asked(
        "lists in cells",
        "algorithm_mode/serve_utils.py:470-480",
        TEXT,
        200,
        both,
        model="logistic",
        rows=ROWS,
        environment=selecting("predicted_label,probabilities,raw_score,labels"),
    ),
    Asked(
        "lines of json",
        "algorithm_mode/serve_utils.py:524-525; encoder.py:110-125",
        TEXT,
        200,
        json_lines,
        LINES,
        accept=LINES,
        model="softprob",
        rows=ROWS,
        environment=selecting("probabilities,predicted_label"),
    ),
    Asked(
        "the class that wins",
        "algorithm_mode/serve_utils.py:282-296, 328-329, 366-367",
        TEXT,
        200,
        winners,
        JSON,
        accept=JSON,
        model="softprob",
        rows=ROWS,
        environment=selecting("labels,probability,raw_score,raw_scores"),
    ),
    Asked(
        "of margins",
        "algorithm_mode/serve_utils.py:310-311, 368-369, 390-393",
        TEXT,
        200,
        margins,
        JSON,
        accept=JSON,
        model="logitraw",
        rows=ROWS,
        environment=selecting("predicted_label,raw_score,raw_scores"),
    ),
    Asked(
        "what the objective does not have",
        "algorithm_mode/serve_utils.py:420-427, 446-448",
        TEXT,
        200,
        nothing_selected,
        rows=ROWS,
        environment=selecting("predicted_score,probability"),
    ),
    Asked(
        "of an objective that is none of them",
        "algorithm_mode/serve_utils.py:416-417; serve.py:200-202",
        TEXT,
        500,
        "Objective `count:poisson` unsupported for selectable inference predictions.",
        HTML,
        model="poisson",
        environment=selecting("predicted_score"),
    ),
    # What is refused.
    Asked("nothing", "algorithm_mode/serve.py:209-211", b"", 204, "", HTML),
    Asked(
        "a form",
        "algorithm_mode/serve.py:209 (flask leaves a form's data empty)",
        b"0.2,0.7",
        204,
        "",
        HTML,
        kind="application/x-www-form-urlencoded",
    ),
    Asked(
        "json",
        "data_utils.py:60-62, 116-117; serve.py:215-217",
        b"[[0.2, 0.7]]",
        415,
        f"application/json is not an accepted ContentType: {KINDS}.",
        HTML,
        kind=JSON,
    ),
    Asked(
        "no known type",
        "data_utils.py:116-117",
        b"\0",
        415,
        f"image/png is not an accepted ContentType: {KINDS}.",
        HTML,
        kind="image/png",
    ),
    Asked(
        "parquet",
        "algorithm_mode/serve_utils.py:152-153",
        b"PAR1",
        415,
        "Content-type application/x-parquet is not supported.",
        HTML,
        kind="application/x-parquet",
    ),
    Asked(
        "label_size=2",
        "data_utils.py:103-108",
        TEXT,
        415,
        "text/csv; label_size=2 is not an accepted csv ContentType. Optional parameter label_size must be equal to 1",
        HTML,
        kind="text/csv; label_size=2",
    ),
    Asked(
        "a word for a number", "algorithm_mode/serve_utils.py:129-133", b"0.2,a", 415, NOT_A_NUMBER, HTML, begins=True
    ),
    Asked("one column", "encoder.py:47-48", b"0.2", 200, lines, rows=((0.2, float("nan")),)),
    Asked(
        "bytes that are no text",
        "algorithm_mode/serve_utils.py:127-133",
        b"\xff,1",
        415,
        "Loading csv data failed with Exception, please ensure data is in csv format:\n <class 'UnicodeDecodeError'>\n "
        "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        HTML,
    ),
    Asked(
        "libsvm of words",
        "algorithm_mode/serve_utils.py:138-142",
        b"0 a:0.2",
        415,
        "Loading libsvm data failed with Exception, please ensure data is in libsvm format:\n <class 'ValueError'>\n "
        "invalid literal for int() with base 10: 'a'",
        HTML,
        kind=LIBSVM,
    ),
    Asked(
        "recordio of something else",
        "recordio_protobuf.py:36-37; serve_utils.py:146-151",
        b"nothing of that",
        415,
        "Loading recordio-protobuf data failed with Exception, please ensure data is in recordio-protobuf format: "
        "<class 'ValueError'> Invalid RecordIO magic at offset 0",
        HTML,
        kind=RECORDIO,
    ),
    Asked(
        "recordio that was cut off",
        "recordio_protobuf.py:40-41",
        PACKED[:20],
        415,
        "Loading recordio-protobuf data failed with Exception, please ensure data is in recordio-protobuf format: "
        "<class 'ValueError'> Truncated record at offset 8",
        HTML,
        kind=RECORDIO,
    ),
    Asked(
        "no records",
        "recordio_protobuf.py:131-132",
        b"\0\0",
        415,
        "Loading recordio-protobuf data failed with Exception, please ensure data is in recordio-protobuf format: "
        "<class 'ValueError'> No records found in RecordIO-Protobuf data",
        HTML,
        kind=RECORDIO,
    ),
    Asked(
        "other features than a pickled model's",
        "algorithm_mode/serve_utils.py:203-223; serve.py:227-229",
        b"1,2,3,4",
        400,
        "Unable to evaluate payload provided: Feature size of csv inference data 4 is not consistent with feature size "
        "of trained model 2.",
        HTML,
        model="pickled",
    ),
    Asked(
        "one feature less than a pickled model's",
        "algorithm_mode/serve_utils.py:219",
        b"0 0:0.5",
        200,
        lines,
        kind=LIBSVM,
        model="pickled",
        rows=((0.5, float("nan")),),
    ),
    Asked(
        "more libsvm features than a pickled model's",
        "algorithm_mode/serve_utils.py:212-217",
        b"0 0:1 5:2",
        400,
        "Unable to evaluate payload provided: Feature size of libsvm inference data 6 is larger than feature size of "
        "trained model 2.",
        HTML,
        kind=LIBSVM,
        model="pickled",
    ),
    Asked(
        "an accept that is none",
        "algorithm_mode/serve.py:175-178, 233-235",
        TEXT,
        406,
        f"Accept type image/png is not supported. Please use supported accept types: {ACCEPTED}.",
        HTML,
        accept="image/png",
    ),
    Asked(
        "two accepts",
        "algorithm_mode/serve.py:172-178",
        TEXT,
        406,
        f"Accept type text/csv, application/json is not supported. Please use supported accept types: {ACCEPTED}.",
        HTML,
        accept="text/csv, application/json",
    ),
    Asked(
        "the body is judged before accept",
        "algorithm_mode/serve.py:213-235",
        b"0.2,a",
        415,
        NOT_A_NUMBER,
        HTML,
        begins=True,
        accept="image/png",
    ),
)

"""The model that an analysis asks: what it is sent, and what its answers mean.

On this machine its servers are reached by their ports, one after the other as in an inference pipeline; elsewhere
it is an endpoint, which boto3 invokes.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from mlops.monitor.cells import Array, aligned
from mlops.monitor.fault import Fault
from mlops.monitor.table import CSV, JSON_LINES, PARQUET, found_in, typed

PORTS = "MLOPS_MODEL_PORTS"
"""The variable with the ports of the model's servers, comma-separated."""

_JSON = "application/json"
_THRESHOLD = 0.5
_ROWS = 500
"""At a time; a payload of an endpoint has 6 MB at most."""
_STARTING_SECONDS, _ANSWER_SECONDS = 240.0, 60.0

Ask: TypeAlias = Callable[[bytes, str, str], tuple[bytes, str]]
"""Body, its content type and what is accepted; the answer and its content type."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """``config`` is the analysis configuration's ``predictor``."""

    ask: Ask
    config: Mapping[str, Any]
    content_type: str
    accept: str
    threshold: float | None

    def scores(self, rows: Sequence[Sequence[Any]]) -> Array:
        """A line for each row: its probabilities, or all numbers of the answer. Raises :class:`Fault`."""
        probability = self.config.get("probability")
        found = [_as_list(item) for item in self._answers(rows, probability)]
        if len(set(map(len, found))) > 1:
            raise Fault("the model's answers have different lengths")
        scores = np.array([aligned(item) for item in found], dtype=float)
        if np.isnan(scores).any():
            raise Fault(
                f"the model's answers are no numbers: {found[0]!r:.200}; predictor.probability says where they are"
            )
        return scores

    def labels(self, rows: Sequence[Sequence[Any]], *, continuous: bool) -> Array:
        """A label for each row. A single number for each is a probability, which makes a class, unless the labels are
        ``continuous`` and no threshold is given. Raises :class:`Fault`."""
        label, probability = self.config.get("label"), self.config.get("probability")
        headers = self.config.get("label_headers")
        if label is not None:
            found = self._answers(rows, label)
            if probability is None or not any(isinstance(item, list) for item in found):
                return self._classes(typed([_only(item) for item in found]), continuous=continuous)
            best = self.scores(rows).argmax(axis=1)
            return typed([item[at] for item, at in zip(found, best, strict=True)])
        answered = [_as_list(item) for item in self._answers(rows, probability)]
        if {*map(len, answered)} == {1}:
            column = typed([item[0] for item in answered])
            return self._above(column, continuous=continuous) if column.dtype.kind in "if" else column
        if not isinstance(headers, list):
            raise Fault(
                "the model answers several numbers for each row: predictor.label or label_headers says what they are"
            )
        return typed([headers[at] for at in self.scores(rows).argmax(axis=1)])

    def _classes(self, column: Array, *, continuous: bool) -> Array:
        """What stands at predictor.label: a label, or the probability of one class (official SDK 2.257,
        ModelPredictedLabelConfig). Fractions are no labels of a class."""
        is_probability = column.dtype.kind == "f" and bool((column % 1 != 0).any())
        return self._above(column, continuous=continuous) if is_probability else column

    def _above(self, column: Array, *, continuous: bool) -> Array:
        if continuous and self.threshold is None:
            return column
        return (column > (_THRESHOLD if self.threshold is None else self.threshold)).astype(np.int64)

    def _answers(self, rows: Sequence[Sequence[Any]], where: Any) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            body, kind = self.ask(self._body(part), self.content_type, self.accept)
            answers = [*_parsed(body, kind.partition(";")[0].strip() or self.accept, where)]
            if len(answers) != len(part):
                raise Fault(f"the model was sent {len(part)} rows and gave {len(answers)} answers")
            found += answers
        return found

    def _body(self, rows: Sequence[Sequence[Any]]) -> bytes:
        if self.content_type == CSV:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(
                ["" if item is None else item for item in row] for row in rows
            )
            return text.getvalue().encode()
        template = self.config.get("content_template")
        if not isinstance(template, str) or "$features" not in template:
            raise Fault("predictor.content_template is to hold $features, where the model takes JSON Lines")
        return "\n".join(template.replace("$features", json.dumps(list(row))) for row in rows).encode()


def predictor(config: Mapping[str, Any], environment: Mapping[str, str]) -> Predictor:
    """Of an analysis configuration. Raises :class:`Fault`."""
    settings = config.get("predictor")
    if not isinstance(settings, dict):
        raise Fault("the analysis asks a model, and its configuration has no predictor")
    dataset = config.get("dataset_type") or CSV
    content_type = settings.get("content_type") or (None if dataset == PARQUET else dataset)
    if content_type not in (CSV, JSON_LINES):
        raise Fault(f"predictor.content_type is {content_type!r}; {CSV} or {JSON_LINES} is wanted")
    accept = settings.get("accept_type") or content_type
    if accept not in (CSV, JSON_LINES, _JSON):
        raise Fault(f"predictor.accept_type is {accept!r}; {CSV}, {JSON_LINES} or {_JSON} is wanted")
    threshold = config.get("probability_threshold")
    if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, int | float)):
        raise Fault(f"probability_threshold is {threshold!r}, a number is wanted")
    ports = [int(port) for port in environment.get(PORTS, "").split(",") if port]
    ask = _servers(ports) if ports else _endpoint(settings)
    return Predictor(ask, settings, content_type, accept, threshold)


def _parsed(body: bytes, kind: str, where: Any) -> Iterator[Any]:
    """An answer for each row: what lies there, where ``where`` says so, else all of it."""
    try:
        text = body.decode("utf-8")
        if kind == CSV:
            for row in csv.reader(io.StringIO(text)):
                if row:
                    yield row[int(where)] if where is not None else row
        elif kind == JSON_LINES:
            for line in text.split("\n"):  # U+2028 in a text ends no line
                if line.strip():
                    document = json.loads(line)
                    yield found_in(document, str(where)) if where is not None else document
        else:
            document = json.loads(text)
            if isinstance(where, int):
                document = [_as_list(item)[where] for item in document]
            elif where is not None:
                document = found_in(document, str(where))
            yield from _as_list(document)
    except (ValueError, IndexError, RecursionError) as fault:
        raise Fault(f"the model's answer ({kind}) cannot be read: {fault}: {body[:200]!r}") from None


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _only(value: Any) -> Any:
    values = _as_list(value)
    if len(values) != 1:
        raise Fault("predictor.label finds several labels for a row: predictor.probability says which one counts")
    return values[0]


def _servers(ports: Sequence[int]) -> Ask:
    """They may still be starting."""
    deadline = time.monotonic() + _STARTING_SECONDS
    for port in ports:
        while not _is_ready(port):
            if time.monotonic() > deadline:
                raise Fault(f"the model did not answer /ping within {_STARTING_SECONDS:g} seconds")
            time.sleep(0.05)

    def ask(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        kind = content_type
        for position, port in enumerate(ports):
            headers = {"Content-Type": kind, **({"Accept": accept} if position == len(ports) - 1 else {})}
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
            try:
                connection.request("POST", "/invocations", body, headers)
                answered = connection.getresponse()
                body, kind = answered.read(), answered.getheader("Content-Type") or ""
            except (OSError, http.client.HTTPException) as fault:
                raise Fault(f"the model did not answer: {fault!r}") from None
            finally:
                connection.close()
            if answered.status >= 300:
                lines = body.decode("utf-8", errors="replace").strip().splitlines() or [""]
                raise Fault(f"the model answered {answered.status}: {lines[-1]:.300}")
        return body, kind

    return ask


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _endpoint(settings: Mapping[str, Any]) -> Ask:
    name = settings.get("endpoint_name")
    if not isinstance(name, str):
        raise Fault("predictor has no endpoint_name, and nobody serves the model")
    import boto3

    client = cache(lambda: boto3.client("sagemaker-runtime"))

    def ask(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        try:
            reply = client().invoke_endpoint(EndpointName=name, ContentType=content_type, Accept=accept, Body=body)
        except Exception as fault:
            raise Fault(f"the endpoint {name} did not answer: {fault}") from None
        return reply["Body"].read(), reply.get("ContentType") or accept

    return ask

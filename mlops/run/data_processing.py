"""DataProcessing of a Transform step: what of a record the model gets, and what of record and answer is kept.

A row of CSV counts as a JSON array of texts, so numbers keep their spelling. :mod:`mlops.ir.record_filter` reads the
filters, :mod:`mlops.ir.data_processing` says what can be filtered.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlops.ir.data_processing import CSV, FILTERS, Asked, breaches
from mlops.ir.dataclass import dataclass
from mlops.ir.record_filter import NothingThere, Token, parse, select
from mlops.run.outcome import StepFailed


@dataclass(frozen=True, slots=True)
class DataProcessing:
    """``lines``: an answer holds one line for each record that was sent."""

    input_filter: tuple[Token, ...]
    join: bool
    output_filter: tuple[Token, ...]
    csv: bool
    lines: bool

    def sent(self, record: bytes) -> bytes:
        """What the model gets of it. Raises :class:`StepFailed`."""
        if not self.input_filter:
            return record
        return self._written(_selected(self._parsed(record, "a record"), self.input_filter, "InputFilter"))

    def kept(self, records: Sequence[bytes], answer: bytes) -> bytes:
        """``records`` as they were before the filter. Raises :class:`StepFailed`."""
        if not self.lines:
            return self._kept(records[0], answer)
        answers = [line for line in answer.splitlines() if line.strip()]
        if len(answers) != len(records):
            raise StepFailed(
                f"the model gave {len(answers)} line(s) for {len(records)} record(s); they cannot be joined"
            )
        return b"".join(self._kept(*pair) + b"\n" for pair in zip(records, answers, strict=True))

    def _kept(self, record: bytes, answer: bytes) -> bytes:
        value = self._parsed(answer, "an answer")
        if self.join:
            value = self._joined(self._parsed(record, "a record"), value)
        return self._written(_selected(value, self.output_filter, "OutputFilter"))

    def _joined(self, record: Any, answer: Any) -> Any:
        if self.csv:
            return [*record, *answer]
        if isinstance(record, dict):
            return {**record, "SageMakerOutput": answer}
        return {"SageMakerInput": record, "SageMakerOutput": answer}

    def _parsed(self, text: bytes, what: str) -> Any:
        try:
            decoded = text.decode("utf-8")
            if not self.csv:
                return json.loads(decoded)
            rows = list(csv.reader(io.StringIO(decoded.strip("\r\n")), strict=True))
        except (ValueError, csv.Error) as fault:
            raise StepFailed(f"DataProcessing cannot read {what}: {fault}") from fault
        if len(rows) != 1:
            raise StepFailed(f"DataProcessing cannot read {what}: {len(rows)} rows of CSV where one is needed")
        return rows[0]

    def _written(self, value: Any) -> bytes:
        if not self.csv:
            return json.dumps(value).encode()
        stream = io.StringIO()
        csv.writer(stream, lineterminator="").writerow(value if isinstance(value, list) else [value])
        return stream.getvalue().encode()


def data_processing(request: Mapping[str, Any]) -> DataProcessing | None:
    """Of a CreateTransformJob request; None where it asks for nothing. Raises :class:`StepFailed`."""
    wanted, given = request.get("DataProcessing") or {}, request.get("TransformInput") or {}
    answer = request.get("TransformOutput") or {}
    asked = Asked(
        filters={name: wanted.get(name) for name in FILTERS},
        join=wanted.get("JoinSource"),
        content=given.get("ContentType"),
        accept=answer.get("Accept"),
        split=given.get("SplitType"),
        assemble=answer.get("AssembleWith"),
    )
    if asked.join not in (None, "None", "Input"):
        raise StepFailed(f"DataProcessing.JoinSource is {asked.join!r}; it is None or Input")
    for breach in breaches(asked):
        raise StepFailed(f"{'.'.join(breach.member)}: {breach.message}")
    if not asked.is_active:
        return None
    before, after = (parse(asked.filters[name] or "$") for name in FILTERS)
    is_csv = (asked.content or "").partition(";")[0].strip().lower() == CSV
    return DataProcessing(before, asked.joins, after, is_csv, asked.split == "Line")


def _selected(value: Any, path: tuple[Token, ...], what: str) -> Any:
    try:
        return select(value, path)
    except NothingThere as fault:
        raise StepFailed(f"DataProcessing.{what}: {fault}") from fault

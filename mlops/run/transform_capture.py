"""DataCaptureConfig of a Transform: manifests of what was read and answered, and an inference id for each record.

As the guide has it (Capture data from batch transform job): what is captured are lists of the objects that there are
already, by the hour in which the job began.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlops.ir.dataclass import dataclass
from mlops.run.outcome import StepFailed

ID, TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
_CSV = "text/csv"


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class TransformCapture:
    """``csv``: of what the answers are, if not of JSON."""

    destination: str
    identifies: bool
    csv: bool
    began: datetime
    new_id: Callable[[], str] = _new_id

    def identified(self, answer: bytes) -> bytes:
        """With an id and the time of the job's begin for each record. Raises :class:`StepFailed`."""
        if not self.identifies:
            return answer
        began = f"{self.began.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if self.csv:
            rows = [row for row in answer.splitlines() if row.strip()]
            return b"".join(row + f",{self.new_id()},{began}\n".encode() for row in rows)
        return b"\n".join(json.dumps(self._object(value, began)).encode() for value in _values(answer)) + b"\n"

    def manifests(self, read: Sequence[str], answered: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """The URI and the content of each."""
        name = self.new_id()
        hour = f"{self.began.astimezone(UTC):%Y/%m/%d/%H}"
        for folder, uris in (("input", read), ("output", answered)):
            prefix = _common_folder(uris)
            manifest = [{"prefix": prefix}, *(uri[len(prefix) :] for uri in uris)]
            yield f"{self.destination}/{folder}/{hour}/{name}.json", json.dumps(manifest).encode()

    def _object(self, value: Any, began: str) -> Any:
        if isinstance(value, list):
            return [self._object(item, began) for item in value]
        if not isinstance(value, dict):
            raise StepFailed(
                f"DataCaptureConfig.GenerateInferenceId: an answer is {json.dumps(value)[:60]}, and only objects of "
                "JSON and rows of CSV can have an id"
            )
        return {**value, ID: self.new_id(), TIME: began}


def transform_capture(request: Mapping[str, Any], began: datetime) -> TransformCapture | None:
    """Of a CreateTransformJob request; None where nothing is to be captured."""
    given = request.get("DataCaptureConfig")
    if not given:
        return None
    source, answer = request.get("TransformInput") or {}, request.get("TransformOutput") or {}
    kind = (answer.get("Accept") or source.get("ContentType") or _CSV).partition(";")[0].strip().lower()
    is_csv = "json" not in kind
    return TransformCapture(
        given["DestinationS3Uri"].rstrip("/"), given.get("GenerateInferenceId") is True, is_csv, began
    )


def _values(answer: bytes) -> list[Any]:
    try:
        return [json.loads(answer)]
    except ValueError:
        pass  # a value on each line
    try:
        return [json.loads(line) for line in answer.splitlines() if line.strip()]
    except ValueError as fault:
        raise StepFailed(f"DataCaptureConfig.GenerateInferenceId: an answer is no JSON: {fault}") from fault


def _common_folder(uris: Sequence[str]) -> str:
    """
    >>> _common_folder(["s3://b/in/a.csv", "s3://b/in/more/b.csv"]), _common_folder(["s3://b/in/a.csv"])
    ('s3://b/in/', 's3://b/in/')
    """
    first, last = min(uris), max(uris)
    end = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[: first.rfind("/", 0, end) + 1]

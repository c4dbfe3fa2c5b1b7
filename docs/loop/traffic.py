"""Patients who are asked about, one after the other, while everything else happens; what was answered is known here."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

from data import Patient, measured

PAUSE_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Asked:
    """``right`` is None where there was no answer. ``variant`` is who answered."""

    at: float
    name: str
    right: bool | None
    label: int
    variant: str


class Traffic:
    """Runs while it is entered. ``unit`` is that of the scanner that measures from now on, ``patients`` are who
    come."""

    def __init__(self, url: str, patients: Sequence[Patient]) -> None:
        self._at = urlsplit(url)
        self.patients = patients
        self.unit = 1.0
        self.asked: list[Asked] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def wait_for(self, count: int) -> list[Asked]:
        """So many more requests."""
        began = len(self.asked)
        while len(self.asked) < began + count:
            time.sleep(0.1)
        return self.asked[began:]

    def _ask(self) -> None:
        connection: http.client.HTTPConnection | None = None
        number = 0
        while not self._over.is_set():
            patients = self.patients
            patient = patients[number % len(patients)]
            number += 1
            name, at = f"patient-{number}", time.time()
            head = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Inference-Id": name}
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self._at.netloc, timeout=30)
                connection.request("POST", self._at.path, measured(patient, self.unit).line, head)
                reply = connection.getresponse()
                body = reply.read()
                right = (float(body) > 0.5) == (patient.label == 1) if reply.status == 200 else None
                variant = reply.headers.get("x-Amzn-Invoked-Production-Variant", "")
            except (OSError, ValueError, http.client.HTTPException):
                right, variant, connection = None, "", None
            self.asked.append(Asked(at, name, right, patient.label, variant))
            self._over.wait(PAUSE_SECONDS)

"""What the local account says no with; clients see a botocore ``ClientError`` with the same code."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """``code`` is the service's error code; ``details`` are further members of the error, e.g. OriginalStatusCode."""

    def __init__(self, code: str, message: str, status: int = 400, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details

    @property
    def fault(self) -> str:
        """Whose it is, in the words of the query protocol."""
        return "Sender" if self.status < 500 else "Receiver"


def not_found(what: str) -> Refusal:
    """The shape that SageMaker's pipelines and registry use; models and endpoints say ValidationException."""
    return Refusal("ResourceNotFound", f"{what} does not exist.")


def invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)


def conflict(message: str) -> Refusal:
    return Refusal("ConflictException", message)

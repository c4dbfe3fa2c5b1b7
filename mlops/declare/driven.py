"""What a program gets that drives a pipeline: a plan, what an upsert did, an execution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self


class Planned(Protocol):
    """What an upsert would do; as text it is what ``mlops plan`` shows."""

    @property
    def changes(self) -> bool: ...

    @property
    def actions(self) -> tuple[str, ...]:
        """In words, in their order."""

    @property
    def refused(self) -> tuple[str, ...]:
        """Why an upsert would be refused, in words."""


class Upserted(Protocol):
    """``arn`` is the pipeline's, ``action`` one of created, updated and unchanged."""

    @property
    def name(self) -> str: ...

    @property
    def arn(self) -> str: ...

    @property
    def action(self) -> str: ...


class Started(Protocol):
    """An execution; every question is asked of its account."""

    @property
    def id(self) -> str: ...

    @property
    def arn(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def failure(self) -> str | None: ...

    @property
    def steps(self) -> Mapping[str, Any]:
        """By name those that were reached, with ``status``, ``failure``, ``seconds``."""

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """By step, S3 URIs of what a job wrote, and the values that a Lambda or Callback gave, by name."""

    def wait(self, timeout: float | None = None) -> Self:
        """Until it has succeeded. Raises Refusal where it ends otherwise, and UsageError after ``timeout`` seconds."""

    def logs(self, step: str | None = None) -> str:
        """What the steps printed, or only ``step``."""

    def retry(self, *, yes: bool = False) -> Self:
        """Go on where it failed or was stopped."""

    def stop(self, *, yes: bool = False) -> Self:
        """No step starts any more."""

"""What can go wrong outside a pipeline's text. Findings are values; these are raised.

Every one carries a sentence for the user and the exit code that the command line gives for it.
"""

from __future__ import annotations

from typing import ClassVar


class MlopsError(Exception):
    """A fault that is not ours, told in one sentence; ``hint`` says how to go on. What looks like a secret in what it
    quotes is hidden."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        from mlops.ir.hiding import hide_text  # takes its time to load, and most commands have no error

        self.message = hide_text(message)
        self.hint = hint and hide_text(hint)
        super().__init__(self.message)


class Refusal(MlopsError):
    """A gate, a check or an execution said no."""

    exit_code = 1


class UsageError(MlopsError):
    """The command was called wrongly."""

    exit_code = 2


class ConfigurationError(MlopsError):
    """``mlops.toml``, ``mlops.lock`` or the machine is not set up for what was asked."""

    exit_code = 2


class AccountError(MlopsError):
    """The account refused a call or could not be reached."""

    exit_code = 3

"""What is wrong with what the program was given."""

from __future__ import annotations


class Fault(Exception):
    """Told in one sentence, as the reason why the job failed."""

"""Which of the jobs it is, and how it ends.

As those of the containers it stands in for, a job that finds violations ends well and says so in its message.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlops.monitor.fault import Fault

_OPT_ML = "/opt/ml"


def main(words: Sequence[str]) -> int:
    # JSON may hold halves of characters, which no encoding has.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        violations = _jobs(words)[words[0]](os.environ)
    except Fault as fault:
        print(f"failed: {fault}", file=sys.stderr)
        _message(str(fault))
        return 1
    except ImportError as missing:
        reason = f"{missing.name} is not installed in the Python that runs the check"
        print(f"failed: {reason}", file=sys.stderr)
        _message(reason)
        return 1
    if violations is None:
        _message("Completed: Job completed successfully with no violations.")
    else:
        _message(f"CompletedWithViolations: Job completed successfully with {violations} violations.")
    return 0


def _jobs(words: Sequence[str]) -> Mapping[str, Callable[[Mapping[str, str]], int | None]]:
    """Each answers how many violations it found, None where there were none."""

    def quality(environment: Mapping[str, str]) -> int | None:
        from mlops.monitor.quality import run

        return run(environment)

    def clarify(environment: Mapping[str, str]) -> int | None:
        from mlops.monitor.clarify import run

        return run(environment, opt_ml())

    def monitor(environment: Mapping[str, str]) -> int | None:
        from mlops.monitor import asking, by_itself

        if environment.get(by_itself.UNTIL):
            return by_itself.run(environment, opt_ml(), [*words[1:]])
        return asking.run(environment, opt_ml())

    return {"quality": quality, "clarify": clarify, "monitor": monitor}


def opt_ml() -> Path:
    """Where the container's /opt/ml is."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", _OPT_ML))


def _message(text: str) -> None:
    """What DescribeProcessingJob tells as ExitMessage."""
    folder = opt_ml() / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "message").write_text(text, encoding="utf-8", errors="backslashreplace")

"""``requirements.txt`` beside a script: a run installs nothing, but what is missing is told before the script fails."""

from __future__ import annotations

import shlex

from mlops.knowledge.requirements import MISSING, unjudged, unmet
from mlops.run.outcome import StepFailed
from mlops.run.work import Work


def check_requirements(text: str, work: Work) -> None:
    """Raises :class:`StepFailed` where this Python lacks a distribution; another version than wanted is noted in the
    log."""
    if not text:
        return
    found = unmet(text)
    # A pin may be right for the image and impossible for this Python: here other versions stand in for all packages.
    missing = {line: there for line, there in found.items() if there == MISSING}
    for line, there in found.items():
        if line not in missing:
            work.note(f"requirements.txt asks for {line}, which the container installs; here it is {there}")
    if missing:
        wanted = shlex.join(missing)
        listed = ", ".join(f"{line} ({there})" for line, there in missing.items())
        raise StepFailed(
            f"requirements.txt asks for {listed}; the container would install it, here nothing is installed: "
            f"python -m pip install {wanted} into the environment that runs mlops, or `mlops local images build` an "
            "environment for this image"
        )
    for line in unjudged(text):
        work.note(f"requirements.txt: {line!r} was not looked at")
    if not found:
        work.note("requirements.txt is met by this environment; nothing was installed")

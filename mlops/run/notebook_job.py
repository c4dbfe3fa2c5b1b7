"""A notebook job: the notebook's cells by this Python, in place of the scheduler that SageMaker's images have."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from mlops.run.transfer import safe
from mlops.run.work import Work

_PROGRAM = Path(__file__).with_name("notebook_program.py")
_INSIDE = "code/notebook_program.py"
_OWN_FOLDERS = {"JUPYTER_RUNTIME_DIR": "/tmp/jupyter", "IPYTHONDIR": "/tmp/ipython"}  # noqa: S108 - the step's own


def command(work: Work, environment: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Words, and variables beside the request's own. Raises StepFailed for a script that lies elsewhere."""
    # Where we are installed may be out of the box's sight.
    (work.opt_ml / _INSIDE).write_bytes(_PROGRAM.read_bytes())
    words = [sys.executable, "-P", f"/opt/ml/{_INSIDE}"]
    script = environment.get("SM_INIT_SCRIPT")
    if script:
        folder = PurePosixPath(environment.get("SM_EXECUTION_INPUT_PATH") or "/opt/ml/input/data")
        place = folder / safe(script, "SM_INIT_SCRIPT")
        words = ["/bin/bash", "-c", f". {shlex.quote(str(place))} && exec {shlex.join(words)}"]
    return words, dict(_OWN_FOLDERS)

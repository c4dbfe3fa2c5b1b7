"""What a cold emit loads: nothing that speaks to AWS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.emit.stacked import ENVIRONMENT, ROOT, project


@pytest.mark.proof("templates")
@pytest.mark.parametrize("target", ["cloudformation", "iam-policy", "terraform"])
def test_a_template_is_emitted_without_boto3(target: str, tmp_path: Path) -> None:
    script = (
        "import sys; from mlops.cli import main\n"
        "main(sys.argv[1:])\n"
        "print([name for name in ('boto3', 'botocore', 'networkx', 'yaml') if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "emit", target, "served.py", "--env", ENVIRONMENT],
        cwd=project(tmp_path), env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "[]"

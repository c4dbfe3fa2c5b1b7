"""The table of known faults says what is so: every row's definition gets its code, and the page is not stale."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fault_catalogue import FAULTS, GROUPS, Fault, document
from sample_step_types import TYPES

from mlops.check import check
from mlops.check.explain import find_story
from mlops.ir import Finding, Severity
from mlops.ir.reader import read

ROOT = Path(__file__).resolve().parents[2]


def told(fault: Fault) -> list[Finding]:
    found = document(fault)
    definition, findings = read(found if isinstance(found, str) else json.dumps(found))
    if definition is None:
        return list(findings)
    return list(check(definition, findings=findings, types=TYPES).findings)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.changes is not None], ids=lambda fault: fault.id)
def test_a_row_is_told_by_its_code(fault: Fault) -> None:
    assert fault.code in [item.code for item in told(fault) if item.severity is not Severity.INFO]


def test_rows_are_whole() -> None:
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert fault.id[0] in GROUPS
        assert (fault.changes is None) == bool(fault.reason), fault.id
        if fault.code is not None:
            assert find_story(fault.code)


def test_the_page_is_what_the_catalogue_gives() -> None:
    assert (
        subprocess.run([sys.executable, str(ROOT / "docs" / "write_faults.py"), "--check"], check=False).returncode == 0
    )

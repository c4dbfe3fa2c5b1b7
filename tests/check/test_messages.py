"""Every message is one that a person can act on: no echo of internals, short, and it ends with a way on.

The corpus is what the language says of its misuses, and what all rules say of their rows: test_rules.py has
both said and judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from actionable import faults, judged

from mlops.check.plugged import all_rules
from mlops.check.sources import open_targets
from mlops.declare.mistakes import MISTAKES
from mlops.ir import Finding, Severity
from tests.declare import test_check_steps, test_jobs, test_misuse, test_service_steps
from tests.declare.test_one_cause import HEADER


def of_the_language(folder: Path) -> Iterator[Finding]:
    """Each misuse in a file of its own part: one that raises ends only that."""
    for script in ("prepare.py", "train.py", "check.py"):
        (folder / script).write_text("{}")
    (folder / "mlops.toml").touch()
    for base, rows in (
        (test_misuse.SOUND, test_misuse.CASES),
        (test_jobs.BASE, test_jobs.SLIPS),
        (test_check_steps.BASE, test_check_steps.MISUSES),
        (test_service_steps.BASE, test_service_steps.MISUSES),
    ):
        quiet = [row[1] for row in rows if row[2] != "D102"]
        for number, snippets in enumerate([quiet, *([row[1]] for row in rows if row[2] == "D102")]):
            blocks = []
            for index, snippet in enumerate(snippets):
                line = f"with {snippet}:\n    Fail('F', 'no')" if snippet.startswith("when(") else snippet
                lines = f"{base.strip()}\n{line}".splitlines()
                blocks.append(f'with Pipeline("p{index}") as p:\n' + "".join(f"    {line}\n" for line in lines))
            file = folder / f"pipeline{number}.py"
            file.write_text(HEADER + "".join(blocks))
            yield from open_targets([str(file)], "local").findings


@pytest.mark.parametrize(
    ("message", "help", "fault"),
    [
        ("it is <mlops.declare.x.Outputs object at 0x7fdd2a>", "x", "echoes internals"),
        ("s should be input should be a subclass of str", "x", "echoes internals"),
        ("there is no such thing", None, "says no way on"),
        ("x" * 400, "x", "is long"),
        ("there is no argument imge", "did you mean image?", None),
        ("VolumeSizeInGB: 0 is below the minimum 1", None, None),
        ("mlops.toml says nothing", "add it to mlops.lock", None),
    ],
)
def test_what_is_judged(message: str, help: str | None, fault: str | None) -> None:
    assert faults(Finding("X000", "x", Severity.ERROR, message, help=help)) == ([fault] if fault else [])


def test_what_the_language_says(tmp_path: Path) -> None:
    assert judged(of_the_language(tmp_path)) == []


def test_stories_are_short_and_show_a_right_one() -> None:
    texts = {rule.code: rule.text for rule in all_rules()} | {code: item.text for code, item in MISTAKES.items()}
    assert {code for code, text in texts.items() if "Good:" not in text} == set()

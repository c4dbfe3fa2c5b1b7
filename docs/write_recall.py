"""Write ``recall.md`` from ``tests/check/recall.py`` and what is decided there; ``--check`` fails where it is stale."""

from __future__ import annotations

import sys
import tomllib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE / "recall.md"

HEAD = """\
# What is derived, and who tells it

Faults that a machine derives from the service's shapes and from the data of algorithms, planted one by one into sound
definitions; and the sentences of the service model that demand something of a member, with the code that tells a
breach. Made by `docs/write_recall.py` from `tests/check/recall.py` and `recall_decided.toml`, which
`tests/check/test_recall.py` holds against the checker; do not edit.
"""


def page() -> str:
    sys.path[:0] = [str(HERE.parent / "tests" / "check")]
    from recall import SOUND_ALL_THE_SAME, WARNED, everything

    text = (HERE.parent / "tests" / "check" / "recall_decided.toml").read_text(encoding="utf-8")
    ways = Counter(fault.way for fault in everything())
    lines = [HEAD, "## Derived faults", "", "| Way | Derived |", "|---|---|"]
    lines += [f"| {way} | {count} |" for way, count in sorted(ways.items())]
    lines += [
        "",
        f"All {sum(ways.values())} are told as errors but these:",
        "",
        "| Way | Where | Why it is sound, or a warning |",
        "|---|---|---|",
    ]
    lines += [f"| {way} | {what} | {why} |" for (way, what), why in sorted({**SOUND_ALL_THE_SAME, **WARNED}.items())]
    lines += ["", "## Sentences", "", "| Member | Sentence | Told as |", "|---|---|---|"]
    for member, said in tomllib.loads(text).items():
        for begins, decision in said.items():
            lines.append(f"| {member} | {begins.replace('|', '/')} | {decision} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from generated import written

    sys.exit(written(PAGE, page(), "write_recall.py"))

"""The tutorial, typed as it stands: its files, its commands, and what it says that they print."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mlops.account.local import LocalAccount
from tests.docs.typed_page import Begun, File, Interrupted, Terminal, Typed, is_shown, pieces

PAGE = Path(__file__).parent.parent.parent / "docs" / "tutorial.md"
PIECES = list(pieces(PAGE.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a 1", "b"], "a 22.5\nb\n", True),
        (["a 1", "b"], "a 1\nc\n", False),
        (["a", "…", "b"], "a\nb\n", True),
        (["a", "…", "b"], "a\nx\ny\nb\n", True),
        (["a", "…"], "b\na\n", False),
        (["run 8d48npyh5geo of … is over"], "run dca7dponuf51 of churn is over\n", True),
        (["run 8d48npyh5geo is over"], "run of tumours is over\n", False),
    ],
)
def test_what_is_printed_is_held_against_what_is_shown(shown: list[str], printed: str, same: bool) -> None:
    assert is_shown(shown, printed) is same


def test_it_goes_from_nothing_to_a_canary() -> None:
    typed = [piece.command for piece in PIECES if isinstance(piece, Typed)]
    assert typed[0].startswith("mlops init ") and typed[-1].startswith("mlops endpoints delete ")
    assert sum(line.startswith("mlops promote ") for line in typed) == 4
    assert {type(piece) for piece in PIECES} == {File, Typed, Begun, Interrupted}


@pytest.mark.proof("newcomer")
def test_the_page_is_what_happens(tmp_path: Path) -> None:
    around = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PYTHONPATH", "MLOPS_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{around['PATH']}"
    try:
        with Terminal(tmp_path, {**around, "PATH": path, "HOME": str(tmp_path)}) as terminal:
            follow(terminal)
    finally:
        # What serves would go on when the test is over.
        for state in tmp_path.glob("*/.mlops"):
            sagemaker = LocalAccount(state, "us-east-1").client("sagemaker")
            for endpoint in sagemaker.list_endpoints()["Endpoints"]:
                sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


def follow(terminal: Terminal) -> None:
    for piece, after in zip(PIECES, [*PIECES[1:], None], strict=True):
        match piece:
            case File(name, text):
                (terminal.folder / name).write_text(text, encoding="utf-8")
            case Typed(command, shown):
                printed, code = terminal.type(command)
                told = f"$ {command}\n{printed}"
                asks = isinstance(after, Typed) and after.command == "echo $?"
                assert asks or code == 0, f"{told}it ended with {code}"
                assert not shown or is_shown(shown, printed), f"{told}and the page shows\n" + "\n".join(shown)
                assert "Traceback" not in printed, told
            case Begun(command):
                terminal.begin(command)
            case Interrupted(shown):
                printed = terminal.interrupt()
                assert is_shown(shown, printed), f"{printed}and the page shows\n" + "\n".join(shown)

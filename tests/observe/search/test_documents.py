"""What an event is in an index."""

from __future__ import annotations

import ast
import math
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlops.ir.captured_fields import captured
from mlops.ir.event_fields import DETAIL, HEAD, IDS, LEFT_OUT
from mlops.ir.events import Event
from mlops.ir.hiding import KeyHiding
from mlops.ir.log_fields import LINES
from mlops.observe.search.documents import Origin, document

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 11, 29, 10, 30, tzinfo=UTC)
ORIGIN = Origin("production", "123456789012", "eu-west-1")
SECRET = "ghp_".ljust(40, "0")


def test_it_has_fields_that_are_declared_and_no_others() -> None:
    ids = {"endpoint": "churn", "variant": SECRET, "customer": "ada"}
    detail = {
        "failure": f"no {SECRET} there", "weights": {"A": 1.0}, "payload": "1,2", "seconds": "many",
        "version": 3, "status": ["a", "b"], "attempt": True,
        "records": 2**63, "attempts": math.inf,
    }  # fmt: skip
    told = document(Event("endpoint.failed", AT, f"arn:{SECRET}", ids, detail, 7), ORIGIN)
    assert told.unknown == ("ids.customer", "detail.payload")
    assert told.body["ids"] == {"endpoint": "churn", "variant": "(hidden)"}
    assert "(hidden)" in told.body["detail"]["failure"]
    assert {**told.body["detail"], "failure": ""} == {"failure": "", "version": "3", "status": ["a", "b"]}
    assert (told.body["@timestamp"], told.body["hour"]) == ("2026-11-29T10:30:00.000Z", 10)
    assert (told.body["noun"], told.body["happened"], told.body["sequence"]) == ("endpoint", "failed", 7)
    assert told.body.keys() - {"ids", "detail"} <= HEAD.keys()
    assert "ghp_" not in str(told.body)


ENDLESS = {
    "names everywhere": "a:" * 200_000,
    "one word": "x" * 10_000_000,
    "beyond the plane": "\U0001f600" * 100_000,
    "keys that begin": "-----BEGIN PRIVATE KEY-----" * 2_000,
}


@pytest.mark.parametrize("which", ENDLESS)
def test_what_has_no_end_is_looked_through_as_far_as_it_is_told(which: str) -> None:
    text = ENDLESS[which]
    assert len(KeyHiding().line(text)) <= 8_000
    told = document(Event("endpoint.failed", AT, text, {"endpoint": text}, {}), ORIGIN)
    assert len(told.body["about"]) <= 8_000 >= len(told.body["ids"]["endpoint"])
    assert len(document(Event("a.b", AT, "", {}, {"what": ["a"] * 1_000}), ORIGIN).body["detail"]["what"]) == 100


def test_its_id_follows_from_what_it_says() -> None:
    one = Event("step.ended", AT, "Train", {"execution": "a"}, {"seconds": 1.0}, 7)
    others = [
        Event("step.ended", AT, "Train", {"execution": "b"}, {}, 7),
        Event("step.ended", AT, "Other", {"execution": "a"}, {}, 7),
        Event("step.ended", AT, "Train", {"execution": "a"}, {}, 8),
    ]
    assert document(one, ORIGIN).id == document(one, ORIGIN).id
    assert document(one, ORIGIN).id != document(one, Origin("staging", "123456789012", "eu-west-1")).id
    assert len({document(event, ORIGIN).id for event in (one, *others)}) == 4


def test_all_that_is_told_has_a_field_or_is_left_out() -> None:
    """Of every detail that stands where it is told."""
    known = {*DETAIL, *LEFT_OUT, *IDS}
    lacking: set[str] = set()
    for place in ("account", "deploy", "ir", "use_cases"):
        for file in (ROOT / "mlops" / place).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            # To read all others as programs would take seconds.
            if not re.search(r"\bEvent\(|\btell\(|\bsay\(|_told\(", text):
                continue
            for call in ast.walk(ast.parse(text)):
                if isinstance(call, ast.Call) and _name(call.func) in ("tell", "_tell", "_told", "Event", "say"):
                    told = [key for item in call.args if isinstance(item, ast.Dict) for key in item.keys]
                    names = [key.value for key in told if isinstance(key, ast.Constant)]
                    lacking |= {f"{file.name}: {name}" for name in names if name not in known}
    assert lacking == set(), "name them in mlops/ir/event_fields.py, and in the table of docs/search.md"


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def test_the_page_has_all_fields() -> None:
    page = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
    heads = captured({}).fields
    tables = (
        ("the event", HEAD),
        ("`ids.`", IDS),
        ("`detail.`", DETAIL),
        ("a line", LINES.fields),
        ("a request", heads),
    )
    for where, table in tables:
        for kind in dict.fromkeys(table.values()):
            names = ", ".join(f"`{name}`" for name in table if table[name] == kind)
            assert f"| {where} | {names} | {kind} |" in page, (where, kind)

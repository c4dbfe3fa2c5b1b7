"""Paths of JsonGet: rows for ``test_rules.py``. One value is wanted, and an indefinite path of JSONPath has many."""

from __future__ import annotations

from rule_cases import ROWS, WARNING, Case

PATH = f"{ROWS}/Path"
MANY = (
    "metrics[*].value",
    "$..value",
    "metrics[?(@.name=='f1')].value",
    "metrics[0:2]",
    "metrics[0,1]",
    "a.*",
    "$.a..b",
)
ONE = ("$", "rows", "$.rows", "metrics[0].value", "$['a']['b c'][-1]", 'a["b"]', "metrics.f1-score", "a.b.c.d")

CASES = [
    Case(f"{bad} beside {good}", "R323", {PATH: bad}, PATH, {PATH: good}, WARNING)
    for bad, good in zip(MANY, ONE, strict=False)
]

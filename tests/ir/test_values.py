"""Expressions: what a path means, and that its text can be made again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.ir.values import Key, RefPath, parse_expression, same

names = st.from_regex(r"[A-Za-z0-9_\-]{1,8}", fullmatch=True)
segments = st.one_of(names, st.integers(0, 99), names.map(Key))


def expression_text(path: RefPath) -> str:
    """The inverse of :func:`parse_expression`."""
    parts = [f"{path.root}.{path.name}"]
    for segment in path.segments:
        if isinstance(segment, Key):
            parts.append(f"['{segment.text}']")
        elif isinstance(segment, int):
            parts.append(f"[{segment}]")
        else:
            parts.append(f".{segment}")
    return "".join(parts)


@given(st.builds(RefPath, names, names, st.lists(segments, max_size=5).map(tuple)))
def test_a_path_survives_its_text(path: RefPath) -> None:
    assert parse_expression(expression_text(path)) == path


@pytest.mark.parametrize(
    "text", ["", "Steps", "Steps.", ".A", "Steps.A.", "Steps.A..B", "Steps.A[", "Steps.A[x]", "Steps.A]"]
)
def test_nonsense_is_none(text: str) -> None:
    assert parse_expression(text) is None


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [(1, 1, True), (1, 1.0, False), (True, 1, False), ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), (None, False, False)],
)
def test_same_is_json_equality(left: object, right: object, equal: bool) -> None:
    assert same(left, right) is equal  # type: ignore[arg-type]

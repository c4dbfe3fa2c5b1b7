"""Pages of a log are what the whole of it would be cut into, wherever they begin and however lines end."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops.account.local.services.logs.reading import Page, backward, each_line, forward
from mlops.run import output


def lines_of(text: bytes, ended: bool) -> list[tuple[str, int]]:
    """Each with its place, the slow way."""
    found, at = [], 0
    for end in re.finditer(rb"\r\n|\r|\n", text):
        if end[0] == b"\r" and end.end() == len(text) and not ended:
            break
        found.append((text[at : end.start()].decode(errors="replace"), at))
        at = end.end()
    if ended and at < len(text):
        found.append((text[at:].decode(errors="replace"), at))
    return found


TEXT = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", "é".encode(), b"\xff"]), max_size=14).map(b"".join)


@example(text=b"\n\r", ended=False, limit=1)
@given(text=TEXT, ended=st.booleans(), limit=st.integers(1, 4))
def test_pages_follow_each_other(
    text: bytes, ended: bool, limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "walked.txt"
    file.write_bytes(text)
    known = lines_of(text, ended)
    assert list(each_line(file, ended=ended)) == [line for line, _ in known]
    there: list[str] = []
    page = forward(file, 0, limit, ended=ended)
    while page.lines:
        assert page.begin == known[len(there)][1]
        there += page.lines
        page = forward(file, page.end, limit, ended=ended)
    assert there == [line for line, _ in known]
    assert page.begin == page.end == forward(file, page.end, limit, ended=ended).end
    back: list[str] = []
    page = backward(file, None, limit, ended=ended)
    while page.lines:
        assert forward(file, page.begin, len(page.lines), ended=ended) == page
        back = [*page.lines, *back]
        page = backward(file, page.begin, limit, ended=ended)
    assert back == there


@pytest.mark.parametrize(
    ("written", "ended", "told"),
    [
        (b"one\ntw", False, ["one"]),
        (b"one\ntw", True, ["one", "tw"]),
        (b"10%\r20%\r30%\n", False, ["10%", "20%", "30%"]),
        (b"one\r", False, []),
        (b"one\r\ntwo\r\n", False, ["one", "two"]),
        (b"", True, []),
    ],
)
def test_a_line_is_told_when_it_has_its_end(written: bytes, ended: bool, told: list[str], tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(written)
    assert list(forward(file, 0, 10, ended=ended).lines) == told
    assert list(backward(file, None, 10, ended=ended).lines) == told


def test_there_is_nothing_before_it_is_written(tmp_path: Path) -> None:
    assert (
        forward(tmp_path / "no.txt", 5, 10, ended=False) == Page() == backward(tmp_path / "no.txt", None, 1, ended=True)
    )


def test_a_place_is_kept_when_the_middle_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "HEAD_BYTES", 200)
    monkeypatch.setattr(output, "END_BYTES", 300)
    file = tmp_path / "log.txt"
    log = os.open(file, os.O_RDWR | os.O_CREAT)
    whole = b"".join(f"line {number}\n".encode() for number in range(500))
    os.write(log, whole)
    places = dict(lines_of(whole, ended=False))
    os.close(log)
    output.bound(file)
    assert file.stat().st_size < 700
    for line in ("line 3", "line 499", "line 480"):
        assert forward(file, places[line], 1, ended=True).lines == (line,)
        assert forward(file, places[line], 1, ended=True).begin == places[line]
    gone = forward(file, places["line 250"], 2, ended=True)
    assert "bytes of output are left out here" in gone.lines[0] and gone.lines[1] == lines_behind(file)
    first = backward(file, places["line 480"], 500, ended=True)
    assert first.lines[0] == "line 0" and first.lines[-1] == "line 479"


def lines_behind(file: Path) -> str:
    """The first one behind what was taken out."""
    return file.read_bytes().partition(b"left out here\n")[2].partition(b"\n")[0].decode()

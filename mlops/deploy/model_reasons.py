"""Why a model failed, in one line, of what its container said: that may be pages of a log, with secrets in them. Those
are hidden before a line is cut, or a half of one would stay."""

from __future__ import annotations

import re

from mlops.ir.hiding import hide_text

_INSTALLED = re.compile(r"/(site|dist)-packages/|/lib/python3|/mlops/run/|^<")
"""Files that the author of a model did not write."""
_FRAME = re.compile(r'^ *File "([^"]*)", line (\d+), in (\S+)', re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"
_EXIT = re.compile(r"exit code \d+(?: \([^)]*\))?")
_REASON = 300
"""Letters of what a container said that are shown."""


def model_reason(said: str) -> str:
    """In one line. Of a traceback its last line, and the last place in it that is the author's.

    >>> served = 'File "/lib/python3.11/site-packages/mlops/run/serving/server.py", line 70, in do_POST'
    >>> own = 'File "/opt/ml/model/code/inference.py", line 7, in predict_fn'
    >>> model_reason("\\n".join([_TRACEBACK, served, own, "ValueError: not aligned"]))
    'ValueError: not aligned (inference.py, line 7, in predict_fn)'
    >>> model_reason("<html><body>Internal Server Error</body></html>")
    'a page in HTML'
    """
    lines = _lines(said)
    if not lines:
        return ""
    if lines[0].lower().startswith(("<!doctype", "<html")):
        return "a page in HTML"
    return _raised(said) if _TRACEBACK in said else hide_text(lines[0])[:_REASON]


def start_reason(said: str) -> str:
    """The same of a FailureReason, which quotes the end of a log behind a sentence of the account. What quotes no
    traceback stays; one whose beginning the log's end does not hold is known by its places.

    >>> own = '  File "/opt/ml/model/code/inference.py", line 7, in model_fn'
    >>> start_reason("\\n".join([f"c1 serves: it ended, exit code 1: {_TRACEBACK}", own, "    x()", "KeyError: 'x'"]))
    "c1 serves: it ended, exit code 1: KeyError: 'x' (inference.py, line 7, in model_fn)"
    >>> start_reason("\\n".join(["it ended, exit code 137 (killed): load()", own, "    load()", "KeyError: 'x'"]))
    "it ended, exit code 137 (killed): KeyError: 'x' (inference.py, line 7, in model_fn)"
    >>> start_reason("The model server did not answer /ping")
    'The model server did not answer /ping'
    """
    if _TRACEBACK not in said and not ("\n" in said and _FRAME.search(said)):
        return hide_text(said)
    first = said.partition("\n")[0]
    ended = _EXIT.search(first)
    sentence = first[: ended.end()] if ended is not None else first.partition(_TRACEBACK)[0]
    before = hide_text(" ".join(sentence.split()).removesuffix(":"))
    return f"{before}: {_raised(said)}" if before else _raised(said)


def _raised(said: str) -> str:
    """A server may say more after it; what is raised is the first line behind the places that is not indented.

    >>> own = '  File "/opt/ml/model/code/inference.py", line 7, in model_fn'
    >>> _raised("\\n".join([_TRACEBACK, own, "    load()", "KeyError: 'x'", "worker exiting"]))
    "KeyError: 'x' (inference.py, line 7, in model_fn)"
    """
    places = list(_FRAME.finditer(said))
    own = [found for found in places if not _INSTALLED.search(found[1])]
    place = f" ({own[-1][1].rpartition('/')[2]}, line {own[-1][2]}, in {own[-1][3]})" if own else ""
    behind = said[places[-1].end() :].splitlines()[1:] if places else ()
    raised = next((line for line in behind if line.strip() and not line[0].isspace()), _lines(said)[-1])
    return hide_text(" ".join(raised.split()))[:_REASON] + place


def _lines(said: str) -> list[str]:
    return [" ".join(line.split()) for line in said.splitlines() if line.strip()]

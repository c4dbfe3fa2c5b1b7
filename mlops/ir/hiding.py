"""Secrets taken out of what is shown, told or kept beside the definition: whatever :mod:`~mlops.ir.secrecy` recognises.

A view hides where it is made, so that whoever prints it cannot forget to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from mlops.ir.secrecy import IN_URL, VENDORS, is_filled_in, is_secret, is_secret_name, looks_secret

HIDDEN = "(hidden)"

_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_END_OF_KEY = re.compile(r"\A(?:[A-Za-z0-9+/=]{1,256}\n)+-----END [A-Z ]*PRIVATE KEY-----")
_OF_KEY = re.compile(r"\s*[A-Za-z0-9+/=]{0,256}\s*|[A-Za-z-]{1,40}: [\w,-]{1,256}")
"""A line of one, or of its headers."""
_LAST_OF_KEY = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_NAMED = re.compile(
    r"""
      (?<![A-Za-z0-9_.])(?P<name>[A-Za-z_][A-Za-z0-9_\-.]{0,255}+)
      (?P<between>
          \\?["']?\s*(?:=>|[:=])\s*[\[({]?\\?["']?             # API_KEY=..., "token": "...", "token": ["..."]
        | ["']\s*,\s*(?:["']?(?P<member>\w+)["']?\s*[:=]\s*)?["']   # "--password", "..."; ("DbPassword", default="...")
      )
      (?=[^\s"'`,;&\\)\]}])
    """,
    re.VERBOSE,
)
"""The value is not part of the match: it may be the name of the next one."""
_VALUE = re.compile(r"""[^\s"'`,;&\\)\]}]+""")
_FLAG = re.compile(r"(?<![\w\-])--?(?P<name>[A-Za-z][\w\-]*)\s+(?=(?P<value>[^\s\"'`,;)\]}]+))")
_WORD = re.compile(r"[^\s\"'`,;()\[\]{}<>]{16,}")
_END_OF_SENTENCE = ".:!?"


def hide(document: Any) -> Any:
    """A JSON value without its secrets. The name beside a default or a value says what that is, a flag on a command
    line what the next word is.

    >>> hide({"Environment": {"API_KEY": "0123456789abcdef", "DAYS": "7"}})
    {'Environment': {'API_KEY': '(hidden)', 'DAYS': '7'}}
    """
    match document:
        case Mapping():
            return {
                key: HIDDEN if isinstance(item, str) and _is_told(document, str(key), item) else hide(item)
                for key, item in document.items()
            }
        case list() | tuple():
            words = [hide(item) for item in document]
            for index, (word, following) in enumerate(pairwise(document)):
                flag = word.lstrip("-") if isinstance(word, str) and word.startswith("-") else None
                if flag and isinstance(following, str) and is_secret(flag, following):
                    words[index + 1] = HIDDEN
            return words
        case str():
            flag, equals, value = document.partition("=")
            if is_secret("", document) or (equals and flag.startswith("-") and is_secret(flag.lstrip("-"), value)):
                return HIDDEN
            return hide_text(document)
    return document


def hide_value(name: str, value: Any) -> Any:
    """A JSON value that stands under ``name``.

    >>> hide_value("DbPassword", "hunter2-hunter2"), hide_value("Days", "7")
    ('(hidden)', '7')
    """
    return HIDDEN if isinstance(value, str) and is_secret(name, value) else hide(value)


@lru_cache(maxsize=1024)
def hide_text(text: str) -> str:
    """A sentence, a reason, a line of a program: what looks like a secret in it is hidden, the rest stays.

    >>> hide_text("DB_PASSWORD=hunter2-hunter2 was refused by https://ann:hunter2-hunter2@host/")
    'DB_PASSWORD=(hidden) was refused by https://(hidden)@host/'
    >>> hide_text('args=["--password", "hunter2-hunter2"]'), hide_text("the token: expected a name")
    ('args=["--password", "(hidden)"]', 'the token: expected a name')
    """
    if len(text) < _SHORTEST:
        return text
    told = VENDORS.sub(HIDDEN, _KEY.sub(HIDDEN, text)) if VENDORS.search(text) else text
    told = IN_URL.sub(f"://{HIDDEN}@", told)
    flagged = (found.span("value") for found in _FLAG.finditer(told) if is_secret(found["name"], found["value"]))
    told = _without(told, (*_named(told), *flagged))
    told = _WORD.sub(lambda found: _hide_word(found[0]), told)
    return HIDDEN if looks_secret(told) else told


def hide_lines(lines: Iterable[str]) -> str:
    """What a program printed, or the end of that: a key has several lines, of which the first may be cut off.

    >>> key = ["-----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA", "-----END RSA PRIVATE KEY-----"]
    >>> hide_lines(["before", *key, "after"]), hide_lines([*key[1:], "after"])
    ('before\\n(hidden)\\nafter', '(hidden)\\nafter')
    """
    text = _END_OF_KEY.sub(HIDDEN, _KEY.sub(HIDDEN, "\n".join(lines)))
    return "\n".join(map(hide_text, text.split("\n")))


def beginning(text: str, most: int) -> str:
    """The first ``most`` characters of what may be of any length, without its secrets. What is looked through is
    bounded too, and ends where a word does: the first half of a secret is recognised by nobody.

    >>> beginning("DB_PASSWORD=hunter2-hunter2 is out", 24)
    'DB_PASSWORD=(hidden) is'
    """
    looked = text[: 2 * most]
    if len(looked) < len(text) and (end := looked.rfind(" ")) > most:
        looked = looked[:end]
    return hide_text(looked)[:most].rstrip()


class KeyHiding:
    """Lines that come one by one: those of a key stand in several. ``most`` characters are told of each.

    >>> hidden = KeyHiding()
    >>> key = ["a -----BEGIN RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA", "-----END RSA PRIVATE KEY-----", "after"]
    >>> [hidden.line(line) for line in key]
    ['a (hidden)', '(hidden)', '(hidden)', 'after']
    """

    def __init__(self, most: int = 8_000) -> None:
        self._inside = False
        self._most = most

    def line(self, text: str) -> str:
        if self._inside:
            if _LAST_OF_KEY.search(text):
                self._inside = False
                return HIDDEN
            if _OF_KEY.fullmatch(text):
                return HIDDEN
        last = text.rfind("-----BEGIN ")
        self._inside = last >= 0 and _KEY.search(text, last) is not None and _LAST_OF_KEY.search(text, last) is None
        return beginning(_KEY.sub(HIDDEN, text), self._most)


_SHORTEST = 8
"""No secret is known that is shorter."""


def _named(text: str) -> Iterator[tuple[int, int]]:
    """Where values of secret names stand. Of names in one word, as in ``a:token:b``, all values end with the word: it
    is looked through once for all of them."""
    end = hidden = 0
    for found in _NAMED.finditer(text):
        begin = found.end()
        if begin < hidden:
            continue
        if begin >= end and (value := _VALUE.match(text, begin)):
            end = value.end()
        # Of ("DbPassword", default="...") the one says what it is, of ("ann", password="...") the other.
        is_named = is_secret_name(found["name"]) or is_secret_name(found["member"] or "")
        if is_named and _is_meant(text, found["between"], begin, end):
            hidden = end
            yield begin, end


def _is_meant(text: str, between: str, begin: int, end: int) -> bool:
    """``token: expected`` is a sentence."""
    is_sentence = between[-1].isspace() and text[begin:end].isalpha()
    return not is_sentence and is_filled_in(text, begin, end)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """One word for those that overlap."""
    parts, place = list[str](), 0
    for begin, end in sorted(spans):
        if begin >= place:
            parts += (text[place:begin], HIDDEN)
        place = max(place, end)
    return "".join((*parts, text[place:]))


def _hide_word(word: str) -> str:
    bare = word.rstrip(_END_OF_SENTENCE)
    return HIDDEN + word[len(bare) :] if looks_secret(bare) else word


def _is_told(parent: Mapping[Any, Any], key: str, text: str) -> bool:
    name = parent.get("Name", parent.get("Key"))
    named = isinstance(name, str) and key in ("DefaultValue", "Value") and is_secret(name, text)
    return named or is_secret(key, text)

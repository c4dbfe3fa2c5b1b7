"""Which tags an object may have. They are kept as PutObject has them: a query string, which no other answer tells.

Source: S3 User Guide, "Categorizing your storage using tags".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode

from mlops.account.local.refusal import Refusal

_MOST, _SIGNS = 10, "_.:/=+-@"
_LONGEST = {"Key": 128, "Value": 256}


def as_set(query: str) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in parse_qsl(query, keep_blank_values=True)]


def as_query(tags: Iterable[Mapping[str, str]]) -> str:
    """Raises Refusal for what no object has."""
    given = list(tags)
    names = {tag["Key"] for tag in given}
    if len(given) > _MOST:
        raise Refusal("BadRequest", f"Object tags cannot be greater than {_MOST}", 400)
    if len(names) < len(given):
        raise _invalid("Cannot provide multiple Tags with the same key")
    if any(name.startswith("aws:") for name in names):
        raise _invalid("System tags cannot be added/updated by requester")
    for tag in given:
        for member, longest in _LONGEST.items():
            text = tag[member]
            if len(text) > longest or not all(_may_stand(letter) for letter in text):
                raise _invalid(f"The Tag{member} you have provided is invalid")
    return urlencode([(tag["Key"], tag["Value"]) for tag in given])


def _may_stand(letter: str) -> bool:
    return letter.isalnum() or letter.isspace() or letter in _SIGNS


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidTag", message, 400)

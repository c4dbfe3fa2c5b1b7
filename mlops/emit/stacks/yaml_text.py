"""JSON values as YAML, the same value the same bytes: block style, functions of CloudFormation by their tags, texts of
several lines as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./*@+=-]*(?:::?[A-Za-z0-9_./*@+=-]+)*(?: [A-Za-z0-9_./*@+=;()-]+)*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""That YAML 1.1 reads as something else."""
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x85\u2028\u2029\ufeff]")


def yaml_text(value: Mapping[str, Any]) -> str:
    """
    >>> print(yaml_text({"Name": "churn", "Size": 3, "On": "yes", "Arn": {"Fn::GetAtt": ["Role", "Arn"]}}), end="")
    Name: churn
    Size: 3
    "On": "yes"
    Arn: !GetAtt Role.Arn
    """
    return "\n".join(_block(value, 0)) + "\n"


def _block(value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    if isinstance(value, Mapping):
        for member, item in value.items():
            yield from _after(f"{indent}{_scalar(member)}:", item, depth)
    else:
        for item in value:
            if isinstance(item, Mapping) and item and _tagged(item) is None:
                first, *rest = _block(item, depth + 1)
                yield f"{indent}- {first.lstrip(' ')}"
                yield from rest
            else:
                yield from _after(f"{indent}-", item, depth)


def _after(start: str, value: Any, depth: int) -> Iterator[str]:
    """What stands behind a key or a dash."""
    tagged = _tagged(value)
    if tagged is not None:
        tag, inside = tagged
        yield from _after(f"{start} {tag}", inside, depth)
    elif isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        if not value:
            yield f"{start} {'{}' if isinstance(value, Mapping) else '[]'}"
            return
        yield start
        yield from _block(value, depth + 1)
    elif isinstance(value, str) and _is_literal(value):
        yield f"{start} {'|' if value.endswith(chr(10)) else '|-'}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{'  ' * (depth + 1)}{line}" if line else ""
    else:
        yield f"{start} {_scalar(value)}"


def _tagged(value: Any) -> tuple[str, Any] | None:
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    match value:
        case {"Ref": str(name)}:
            return "!Ref", name
        case {"Condition": str(name)}:
            return "!Condition", name
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return "!GetAtt", f"{name}.{attribute}"
    ((function, inside),) = value.items()
    # A tag cannot stand behind another one.
    return (f"!{function[4:]}", inside) if function.startswith("Fn::") and _tagged(inside) is None else None


def _is_literal(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and not text.endswith("\n\n")
        and bool(lines[0].strip())
        and not lines[0].startswith((" ", "\t"))
        and not any(line and not line.strip() for line in lines)
        and _UNPRINTABLE.search(text) is None
    )


def _scalar(value: Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.endswith(":"):
        return value
    return _UNPRINTABLE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

"""Values of a template as Terraform's JSON syntax has them: every text there is a template of HCL, so what it would
read is escaped, and CloudFormation's functions are expressions."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass

_SUBSTITUTED = re.compile(r"\$\{([^!}][^}]*)\}|\$\{!([^}]*)\}")
_NO_VALUE = "AWS::NoValue"
_DYNAMIC = "{{resolve:"
_UNKNOWN = {"\x08": "\\u0008", "\x0c": "\\u000c"}
"""To HCL, as ``\\b`` and ``\\f``."""


@dataclass(frozen=True, slots=True)
class Expressions:
    """``ref`` and ``attribute`` give the expression for what a Ref or a Fn::GetAtt names, ``condition`` and ``mapping``
    for what is called so, ``secret`` the one for a text that stands under a member and is not for everybody, None for
    others."""

    ref: Callable[[str], str]
    attribute: Callable[[str, str], str]
    condition: Callable[[str], str]
    mapping: Callable[[str], str]
    secret: Callable[[str, str], str | None]

    def member(self, name: str, value: Any) -> Any:
        """A JSON value that stands under ``name``."""
        hidden = self.secret(name, value) if isinstance(value, str) else None
        return self.told(value) if hidden is None else f"${{{hidden}}}"

    def told(self, value: Any) -> Any:
        """A JSON value of the JSON syntax. Keys of objects are templates there, too."""
        match value:
            case str():
                return escaped(_plain(value))
            case Mapping() if is_function(value):
                return self._template(value)
            case Mapping():
                return {escaped(key): self.member(key, item) for key, item in value.items()}
            case list() | tuple():
                return [self.told(item) for item in value]
        return value

    def _template(self, value: Mapping[str, Any]) -> str:
        match value:
            case {"Fn::Sub": str(text)}:
                return self._substituted(text, escaped)
        return f"${{{self.expression(value)}}}"

    def _substituted(self, text: str, literally: Callable[[str], str]) -> str:
        """The inside of a template: texts, as they are written there, and expressions."""
        found, start = "", 0
        for match in _SUBSTITUTED.finditer(text):
            found += literally(text[start : match.start()])
            name, kept = match[1], match[2]
            found += literally(f"${{{kept}}}") if name is None else f"${{{self._named(name)}}}"
            start = match.end()
        return found + literally(text[start:])

    def _named(self, name: str) -> str:
        resource, dot, attribute = name.partition(".")
        return self.attribute(resource, attribute) if dot else self.ref(name)

    def expression(self, value: Any) -> str:
        """The same as it stands in an expression of HCL."""
        match value:
            case {"Ref": str(name)} if len(value) == 1:
                return "null" if name == _NO_VALUE else self.ref(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self.attribute(name, attribute)
            case {"Fn::If": [str(name), then, otherwise]}:
                return f"{self.condition(name)} ? {self.expression(then)} : {self.expression(otherwise)}"
            case {"Fn::Sub": str(text)}:
                return f'"{self._substituted(text, inside_quotes)}"'
            case {"Fn::Join": [str(between), list(parts)]}:
                return f"join({self.expression(between)}, {self.expression(parts)})"
            case {"Fn::Base64": inside}:
                return f"base64encode({self.expression(inside)})"
            case {"Fn::FindInMap": [str(name), first, second]}:
                return f"{self.mapping(name)}[{self.expression(first)}][{self.expression(second)}]"
            case Mapping() if is_function(value):
                raise UsageError(f"{next(iter(value))} of a template has no form in Terraform")
            case Mapping():
                inside = ", ".join(f"{self.expression(key)} = {self.expression(item)}" for key, item in value.items())
                return f"{{ {inside} }}" if inside else "{}"
            case list() | tuple():
                return f"[{', '.join(map(self.expression, value))}]"
            case str():
                return f'"{inside_quotes(value)}"'
        return json.dumps(value)


def is_function(value: Any) -> bool:
    """
    >>> is_function({"Ref": "Role"}), is_function({"Ref": "a", "b": 1})
    (True, False)
    """
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    (name,) = value
    return name in ("Ref", "Condition") or (isinstance(name, str) and name.startswith("Fn::"))


def escaped(text: str) -> str:
    """As a template that is the text. Raises UsageError for what Terraform would make another text of.

    >>> escaped("${aws:username} has 100%")
    '$${aws:username} has 100%'
    """
    if not unicodedata.is_normalized("NFC", text):
        raise UsageError(
            f"{_shown(text)} is written with combining characters, and Terraform would send another text",
            hint="write it in Unicode's normal form C, as unicodedata.normalize('NFC', …) gives it",
        )
    return text.replace("${", "$${").replace("%{", "%%{")


def _plain(text: str) -> str:
    if _DYNAMIC in text:
        raise UsageError(
            f"{_shown(text)} is for CloudFormation to resolve, and Terraform would send it as it is",
            hint="emit cloudformation, or let the service read the secret by its ARN",
        )
    return text


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


def inside_quotes(text: str) -> str:
    r"""HCL knows fewer escapes than JSON.

    >>> inside_quotes('say "no"\n\x08')
    'say \\"no\\"\\n\\u0008'
    """
    parts = re.split(f"([{''.join(_UNKNOWN)}])", escaped(_plain(text)))
    return "".join(_UNKNOWN.get(part) or json.dumps(part, ensure_ascii=False)[1:-1] for part in parts)

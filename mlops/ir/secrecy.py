"""What looks like a secret: by the name that it stands under, or by its own form."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(^|[_\-.])(password|passwd|secret(_access)?(_key)?|api[_\-]?key|access[_\-]?key(_id)?|private[_\-]?key|token)$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bhf_[A-Za-z0-9]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk-[A-Za-z0-9_-]{20,}"
)
_CAMEL = re.compile(r"[a-z0-9](Password|Passwd|Secret|SecretKey|ApiKey|AccessKey|PrivateKey|Token)$")
_URL = re.compile(r"[a-z][a-z0-9+.\-]*://[^/\s:@]+:[^/\s:@]+@")
_KNOWN = frozenset({"REMOTE_FUNCTION_SECRET_KEY"})
"""The official SDK's @step functions write it; it only signs the function's own payload."""
_HARMLESS = re.compile(
    r"|\*+|none|null|changeme|<.*>|\$\{.*\}|arn:aws.*|mlops-secret:.*|/.*|(true|false)|\d{1,6}", re.IGNORECASE
)


def is_secret(name: str, text: str) -> bool:
    """Whether a text under this member, parameter, variable or flag is one that nobody should see.

    >>> is_secret("API_KEY", "0123456789abcdef"), is_secret("key", "0123456789abcdef")
    (True, False)
    """
    # The search for a URL is slow on long texts without one.
    return is_secret_name(name, text) or bool(_VALUE.search(text)) or ("://" in text and bool(_URL.search(text)))


def is_sensitive(name: str, text: str) -> bool:
    """The same, and names in camel case too: hiding too much costs less than a false alarm.

    >>> is_sensitive("DbPassword", "correct-horse"), is_sensitive("MaxTokens", "correct-horse")
    (True, False)
    """
    camel = bool(_CAMEL.search(name)) and len(text) >= 8 and _HARMLESS.fullmatch(text) is None
    return camel or is_secret(name, text)


def is_secret_name(name: str, text: str) -> bool:
    """The same by the name alone; ``text`` may be too short, or a place and no secret."""
    return name not in _KNOWN and bool(_NAME.search(name)) and len(text) >= 8 and _HARMLESS.fullmatch(text) is None

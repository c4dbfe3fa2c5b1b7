"""Texts that look like secrets: by the form of a vendor's tokens, by the name beside them, by their entropy."""

from __future__ import annotations

import importlib.util
import math
import re
import sys
from collections import Counter
from functools import cache, lru_cache

VENDORS = re.compile(
    r"""
      \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b                      # AWS access key ids
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,}                             # Slack
    | hooks\.slack\.com/services/T[A-Za-z0-9_]{6,}/B[A-Za-z0-9_]{6,}/[A-Za-z0-9_]{16,}
    | \bgh[pousr]_[A-Za-z0-9]{30,} | \bgithub_pat_[A-Za-z0-9_]{22,}
    | \bglpat-[A-Za-z0-9_\-]{20,}
    | \bhf_[A-Za-z0-9]{20,}                                        # Hugging Face
    | \bsk-(?:ant-|proj-)?[A-Za-z0-9_\-]{20,}                      # OpenAI, Anthropic
    | \b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}                       # Stripe
    | \bAIza[A-Za-z0-9_\-]{35}\b                                   # Google
    | \bdapi[0-9a-f]{32}\b                                         # Databricks
    | \bnpm_[A-Za-z0-9]{36}\b | \bpypi-AgEI[A-Za-z0-9_\-]{50,}
    | \bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}               # SendGrid
    | (?<![A-Za-z0-9_\-])(?>[A-Za-z0-9_\-]*?\beyJ)                # JSON web tokens: of each word one beginning is tried
      [A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}
    | \bAccountKey=[A-Za-z0-9+/]{40,}={0,2}                        # Azure storage
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    """,
    re.VERBOSE,
)
# The scheme is behind the search: to look for its beginning first takes quadratic time on a long word.
IN_URL = re.compile(r"://[^/\s:@]{1,1024}:[^/\s:@]{1,1024}@")
_ASSIGNED = re.compile(
    r"(?:^|[\s;&?,])[A-Za-z_\-]*(?:password|passwd|pwd|secret|api[_-]?key|token)=(?P<value>[^\s;&,'\"]{8,})",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:^|[_\-.])(?:password|passwd|pwd|passphrase|secret(?:_access)?(?:_key)?|api[_\-]?key|access[_\-]?key(?:_id)?"
    r"|private[_\-]?key|signing[_\-]?key|auth[_\-]?key|token|credentials?)$",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_HARMLESS = re.compile(
    r"|\*+|x+|none|null|\(hidden\)|changeme|change-me|<.*+(?<=>)|\$\{.*+(?<=\})|\{\{.*+(?<=\}\})|arn:aws.*|mlops-secret:.*|[a-z0-9]+://.*|/.*|true|false|[\d.]+",
    re.IGNORECASE | re.DOTALL,
)
_AWS_SECRET = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9/+]{40}")
_BITS = 4.3
"""Forty random letters have about 4.8 bits each, forty of a sentence about 3.6."""

_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_\-.=+~]+")

LONGEST = 65536
_REMEMBERED = 4096
"""Texts: a rule, a plan and a record ask of the same ones."""
_KNOWN = frozenset({"REMOTE_FUNCTION_SECRET_KEY"})
"""The official SDK's @step functions write it; it only signs the function's own payload."""


def is_secret(name: str, text: str) -> bool:
    """Whether a text under this member, parameter, variable or flag is one that nobody should see.

    >>> is_secret("API_KEY", "0123456789abcdef"), is_secret("key", "0123456789abcdef")
    (True, False)
    """
    return (name not in _KNOWN and is_secret_name(name) and is_filled_in(text)) or looks_secret(text)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """
    >>> [is_secret_name(name) for name in ("DbPassword", "API_KEY", "max_tokens", "KmsKeyId")]
    [True, True, False, False]
    """
    return len(name) <= 256 and _NAME.search(_HUMP.sub("_", name)) is not None


def is_filled_in(text: str, begin: int = 0, end: int = sys.maxsize) -> bool:
    """Long enough for a secret, and no placeholder, reference to a secret, number or path. Of a part without a copy."""
    return min(end, len(text)) - begin >= 8 and _HARMLESS.fullmatch(text, begin, end) is None


@lru_cache(_REMEMBERED)
def looks_secret(text: str) -> bool:
    """Whether the text itself tells, whatever its name.

    >>> looks_secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), looks_secret("s3://acme/models/2026/churn.tar.gz")
    (True, False)
    """
    if len(text) < 16 or len(text) > LONGEST:
        return False
    if VENDORS.search(text) or IN_URL.search(text) or any(is_filled_in(m["value"]) for m in _ASSIGNED.finditer(text)):
        return True
    if _AWS_SECRET.fullmatch(text) and _entropy(text) > _BITS:
        return True
    return " " not in text and len(text) <= 512 and _detected(text)


def _entropy(text: str) -> float:
    """Bits per letter."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


_NOISY = frozenset({"Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword", "Public IP (ipv4)"})
"""Digests and identifiers are high in entropy too; names are looked at here."""


@cache
def _has_detector() -> bool:
    return importlib.util.find_spec("detect_secrets") is not None


@cache
def _detected(text: str) -> bool:
    """The vendor patterns of detect-secrets, where it is installed (``mlops[secrets]``). Loading it takes 0.4 s, so
    only a text that could be a token is shown to it."""
    if not _has_detector() or not _could_be_token(text):
        return False
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    with default_settings():
        return any(found.type not in _NOISY for found in scan_line(text))


def _could_be_token(text: str) -> bool:
    if len(text) < 20 or not _TOKEN.fullmatch(text):
        return False
    return _entropy(text) > 4.0

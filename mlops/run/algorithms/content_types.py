"""A Content-Type or Accept header taken apart."""

from __future__ import annotations


def parsed(header: str) -> tuple[str, dict[str, str]]:
    """The type, and its parameters by names in lower case.

    >>> parsed("text/csv; label_size=1;charset=utf8")
    ('text/csv', {'label_size': '1', 'charset': 'utf8'})
    """
    kind, *rest = header.split(";")
    parameters = {}
    for item in rest:
        name, found, value = item.partition("=")
        if found:
            parameters[name.strip().lower()] = value.strip().strip('"')
    return kind.strip(), parameters

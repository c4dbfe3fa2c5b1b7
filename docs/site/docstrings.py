"""What the reference makes of the sources: docstrings as Markdown, where roles of reStructuredText become code and
examples blocks of it, and the signatures of records, whose decorator is one of ours."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")
_EXAMPLE = re.compile(r"^( *)>>> .*\n(?:\1\S.*(?:\n|$))*", re.MULTILINE)


class AsMarkdown(griffe.Extension):
    """Of each object that is loaded."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        if "__init__" not in cls.members and any(str(item.value) == "record" for item in cls.decorators):
            cls.set_member("__init__", _constructor(cls))


def _constructor(cls: griffe.Class) -> griffe.Function:
    fields = [item for item in cls.attributes.values() if "instance-attribute" in item.labels]
    taken = [
        griffe.Parameter(name, kind=griffe.ParameterKind.positional_or_keyword, annotation=annotation, default=default)
        for name, annotation, default in [("self", None, None), *((it.name, it.annotation, it.value) for it in fields)]
    ]
    return griffe.Function("__init__", parameters=griffe.Parameters(*taken), parent=cls)


def as_markdown(text: str) -> str:
    """
    >>> print(as_markdown("Of a :class:`~mlops.ir.Step`:\\n\\n>>> 1 + 1\\n2"))
    Of a `Step`:
    <BLANKLINE>
    ```pycon
    >>> 1 + 1
    2
    ```
    """
    text = _ROLE.sub(r"`\1`", text)
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", f"{text}\n").rstrip()

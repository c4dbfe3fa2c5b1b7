"""Secrets that everybody who may describe the pipeline can read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject, get
from mlops.ir import Placed, Severity, Value, Where
from mlops.ir.secrecy import is_secret, is_secret_name

_FLAG = re.compile(r"--?(?P<name>[A-Za-z0-9_\-]+)(=(?P<value>.+))?")


def _texts(subject: Subject) -> Iterator[tuple[str, str, Placed | None, Where | None]]:
    for at, text, placed in subject.texts:
        yield at, text, placed, None
    for declared in subject.parameters.values():
        if isinstance(declared.parameter.default, str):
            # A parameter's own name says what its default is.
            yield f"{declared.at}/DefaultValue", declared.parameter.default, None, declared.parameter.where


_HELP = "keep it in Secrets Manager and read it in the step"


def _commands(placed: Placed) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for member in ("AppSpecification", "AlgorithmSpecification"):
        words = get(placed.step.arguments, member, "ContainerArguments")
        if isinstance(words, tuple):
            yield f"{placed.pointer}/Arguments/{member}/ContainerArguments", words


@rule("X840", "secret", Severity.WARNING, source="AWS docs: environment and parameters are visible in DescribePipeline")
def secret(subject: Subject) -> Iterator[Fault]:
    """A password, token or key stands in the definition, where DescribePipeline shows it. The value is not printed.

    Bad:  "Environment": {"AWS_SECRET_ACCESS_KEY": "..."}
    Good: read it from Secrets Manager in the step
    """
    names = {declared.at: declared.parameter.name for declared in subject.parameters.values()}
    for at, text, placed, where in _texts(subject):
        if len(text) > 65536:
            continue
        name = names.get(at.removesuffix("/DefaultValue"), at.rpartition("/")[2])
        if is_secret(name, text):
            yield Fault(at, f"{name!r} looks like a secret", _HELP, placed, where)
    for placed in subject.placed:
        for start, words in _commands(placed):
            for index, word in enumerate(words):
                match = _FLAG.fullmatch(word) if isinstance(word, str) and len(word) < 4096 else None
                if match is None:
                    continue
                value = match["value"] or (words[index + 1] if index + 1 < len(words) else None)
                if isinstance(value, str) and is_secret_name(match["name"], value):
                    yield Fault(f"{start}/{index}", f"{match['name']!r} looks like a secret", _HELP, placed)

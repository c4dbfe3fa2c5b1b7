"""Secrets that everybody who may describe the pipeline can read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import fold
from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Join, Placed, Severity, Value, Where
from mlops.ir.members import get
from mlops.ir.secrecy import LONGEST, is_filled_in, is_secret, is_secret_name

_FLAG = re.compile(r"--?(?P<name>[A-Za-z0-9_\-]+)(=(?P<value>.+))?", re.DOTALL)
_HELP = "keep it in Secrets Manager, pass the secret's name or ARN, and read it in the step"
_SCRIPTS = "NotebookInstanceLifecycleConfig"
"""Whose scripts stand there in base64."""
_COMMANDS = (
    ("AppSpecification", "ContainerEntrypoint"),
    ("AppSpecification", "ContainerArguments"),
    ("AlgorithmSpecification", "ContainerEntrypoint"),
    ("AlgorithmSpecification", "ContainerArguments"),
    ("StepConfig", "HadoopJarStep", "Args"),
    ("JobConfig", "jobDriver", "sparkSubmit", "entryPointArguments"),
)


def _texts(subject: Subject) -> Iterator[tuple[str, str, Placed | None, Where | None]]:
    for at, text, placed in subject.texts:
        if placed is not None and placed.step.type == _SCRIPTS and at.endswith("/Content"):
            from mlops.knowledge.notebooks.faults import decoded  # hardly any definition has one

            text = decoded(text) or text
        yield at, text, placed, None
    for declared in subject.parameters.values():
        if isinstance(declared.parameter.default, str):
            # A parameter's own name says what its default is.
            yield f"{declared.at}/DefaultValue", declared.parameter.default, None, declared.parameter.where
    for site in subject.sites:
        joined = fold(subject, site.expression) if isinstance(site.expression, Join) else None
        if joined is not None and "/Std:Join/" not in site.at:
            yield site.at, joined, site.placed, None


@rule("X840", "secret", Severity.WARNING, source="AWS docs: environment and parameters are visible in DescribePipeline")
def secret(subject: Subject) -> Iterator[Fault]:
    """A password, token or key stands in the definition, where DescribePipeline shows it: in a parameter, the
    environment, a hyperparameter, an argument, a tag, a URL. It is known by the form of a vendor's
    tokens, by its name, or by its entropy. The value is not printed. With ``mlops[secrets]`` the patterns of
    detect-secrets are asked too.

    Bad:  "Environment": {"AWS_SECRET_ACCESS_KEY": "wJalrXUt..."}
    Good: "Environment": {"DB_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"}
    """
    names = {declared.at: declared.parameter.name for declared in subject.parameters.values()}
    told: set[str] = set()
    for at, text, placed, where in _texts(subject):
        if len(text) > LONGEST:
            continue
        name = names.get(at.removesuffix("/DefaultValue"), at.rpartition("/")[2])
        if at not in told and is_secret(name, text):
            told.add(at)
            yield Fault(at, f"the value of {name!r} looks like a secret", _HELP, placed, where)
    for placed in subject.placed:
        for start, words in _commands(placed):
            for index, word in enumerate(words):
                match = _FLAG.fullmatch(word) if isinstance(word, str) and len(word) < 4096 else None
                if match is None or not is_secret_name(match["name"]):
                    continue
                value = match["value"] or (words[index + 1] if index + 1 < len(words) else None)
                own = match["value"] is not None
                if not isinstance(value, str) or not is_filled_in(value):
                    continue
                if not {f"{start}/{index}", f"{start}/{index if own else index + 1}"} & told:
                    yield Fault(
                        f"{start}/{index}", f"the value of --{match['name']} looks like a secret", _HELP, placed
                    )
        for at, key, value in _pairs(placed):
            if is_secret_name(key) and is_filled_in(value) and at not in told:
                yield Fault(at, f"the value of {key!r} looks like a secret", _HELP, placed)


def _commands(placed: Placed) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for members in _COMMANDS:
        words = get(placed.step.arguments, *members)
        if isinstance(words, tuple):
            yield f"{placed.pointer}/Arguments/{'/'.join(members)}", words


def _pairs(placed: Placed) -> Iterator[tuple[str, str, str]]:
    """What is written as {"Key": name, "Value": value}: tags and Hadoop properties."""
    lists = (("Tags",), ("StepConfig", "HadoopJarStep", "Properties"))
    for members in lists:
        listed = get(placed.step.arguments, *members)
        for index, item in enumerate(listed if isinstance(listed, tuple) else ()):
            key = item.get("Key") if isinstance(item, Mapping) else None
            value = item.get("Value") if isinstance(item, Mapping) else None
            if isinstance(key, str) and isinstance(value, str):
                yield f"{placed.pointer}/Arguments/{'/'.join(members)}/{index}/Value", key, value


@rule("X841", "administrator-role", Severity.INFO, source="least privilege; only names can be seen from a definition")
def administrator_role(subject: Subject) -> Iterator[Fault]:
    """A job runs with a role that is named like an administrator's, or with whatever role a wildcard fits. What a role
    may do is not visible here; give jobs a role of their own.

    Bad:  "RoleArn": "arn:aws:iam::111122223333:role/Administrator"
    Good: "RoleArn": "arn:aws:iam::111122223333:role/churn-training"
    """
    for at, text, placed in subject.texts:
        name = text.rpartition("/")[2].lower() if text.startswith("arn:aws") and ":role/" in text else ""
        if name and ("*" in name or name.startswith("admin") or "poweruser" in name or "fullaccess" in name):
            yield Fault(
                at, f"role {text.rpartition('/')[2]!r} may do more than a job needs", "use a role of its own", placed
            )

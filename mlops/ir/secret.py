"""References to secrets in a definition: what stands there instead of a value, and the permission that it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from mlops.ir.dataclass import dataclass
from mlops.ir.definition import Definition
from mlops.ir.values import Value

PREFIX = "mlops-secret:"
"""An environment variable that begins with this holds the name or ARN of a secret; the container puts in the value."""

Secret: TypeAlias = Callable[[str], str | None]
"""The value of a secret by its name or ARN; None without one."""

VARIABLE = "MLOPS_SECRET_"
FILE = "MLOPS_SECRETS_FILE"
"""Variables of a local run: one that holds a stand-in, and one that names a JSON file of them."""

_ARN = re.compile(r"arn:aws[a-z\-]*:secretsmanager:[a-z0-9\-]+:\d{12}:secret:[A-Za-z0-9/_+=.@\-]+")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@\-]{1,512}")


@dataclass(frozen=True, slots=True, order=True)
class SecretReference:
    """``id`` is the name or the ARN in Secrets Manager; ``key`` takes one member of a secret that is a JSON object."""

    id: str
    key: str | None = None

    @property
    def text(self) -> str:
        return f"{PREFIX}{self.id}" + (f"#{self.key}" if self.key else "")

    @property
    def is_sound(self) -> bool:
        """Secrets Manager could have a secret of that name."""
        return bool(_ARN.fullmatch(self.id) or _NAME.fullmatch(self.id))

    def resource(self, account: str, region: str, partition: str = "aws") -> str:
        """For a policy: the service adds six characters of its own to the ARN of a named secret."""
        if self.id.startswith("arn:"):
            return self.id
        return f"arn:{partition}:secretsmanager:{region}:{account}:secret:{self.id}-??????"


def parse_secret(text: str) -> SecretReference | None:
    """
    >>> parse_secret("mlops-secret:prod/db#password")
    SecretReference(id='prod/db', key='password')
    >>> parse_secret("plain") is None
    True
    """
    if not text.startswith(PREFIX):
        return None
    id, _, key = text.removeprefix(PREFIX).partition("#")
    return SecretReference(id, key or None)


def variable_of(id: str) -> str:
    """
    >>> variable_of("prod/db")
    'MLOPS_SECRET_PROD_DB'
    """
    return VARIABLE + re.sub(r"[^A-Z0-9]+", "_", id.rpartition(":secret:")[2].upper())


def no_stand_in(name: str, id: str) -> str:
    """What is said of the variable ``name`` of a step where nobody gives its secret here."""
    return (
        f"{name} is the secret {id}, which has no stand-in here: put it into the local account's Secrets Manager as "
        f"text, set {variable_of(id)}, name it in the JSON file that {FILE} points to, or say in mlops.toml where it "
        f'is: [env.local.secrets] "{id}" = "$VARIABLE" or "file:PATH"'
    )


def secrets_of(definition: Definition) -> tuple[SecretReference, ...]:
    """Every secret that the steps of a definition refer to, sorted."""
    found = {
        reference
        for placed in definition.placed()
        for text in _texts(placed.step.arguments)
        if (reference := parse_secret(text)) is not None
    }
    return tuple(sorted(found, key=lambda reference: reference.text))


def secret_permissions(definition: Definition, account: str, region: str) -> tuple[Mapping[str, Any], ...]:
    """The statement that the jobs' role needs in its policy; none where no secret is referred to. A secret that is
    encrypted with a key of your own needs kms:Decrypt on that key too."""
    resources = sorted({reference.resource(account, region) for reference in secrets_of(definition)})
    if not resources:
        return ()
    return ({"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": resources},)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)

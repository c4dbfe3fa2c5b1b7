"""``secret("prod/db")``: an environment variable whose value only the container knows."""

from __future__ import annotations

from mlops.declare.misuse import misuse
from mlops.ir.secret import SecretReference

__all__ = ["secret"]


class Secret:
    """Stands for a secret's value in ``environment=``; SageMaker itself never sees the value."""

    def __init__(self, reference: SecretReference) -> None:
        self.reference = reference

    def __repr__(self) -> str:
        return f"<the secret {self.reference.id}>"


def secret(id: str, *, key: str | None = None) -> Secret:
    """A secret of Secrets Manager by its name or ARN; ``key`` takes one member of a secret that is a JSON object.

    The definition holds the name alone. A few lines that travel with the step read the value when the container starts,
    with the step's role. A local run takes it from ``MLOPS_SECRET_<NAME>``, or from the file ``MLOPS_SECRETS_FILE``."""
    reference = SecretReference(id, key)
    if not isinstance(id, str) or not isinstance(key, str | None) or not reference.is_sound or key == "":
        # The argument is not shown: somebody may have put the value there.
        misuse(
            "D080",
            "secret takes the name or the ARN of a secret in Secrets Manager",
            help='letters, digits and /_+=.@- as in secret("prod/db", key="password"); never the value itself',
        )
        return Secret(SecretReference("unsound"))
    return Secret(reference)

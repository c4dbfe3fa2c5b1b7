"""Policies of declared keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity, Value

_CHANGES = "kms:putkeypolicy"


@rule("X844", "key-that-locks-out", Severity.ERROR, source="KMS API: CreateKey, the policy lockout safety check")
def key_that_locks_out(subject: Subject) -> Iterator[Fault]:
    """The policy of a key lets nobody change that policy: KMS refuses it, since the key would be nobody's for ever.

    Bad:  Key("artefacts", policy={"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", …}]})
    Good: the same with a statement that allows kms:* to the account
    """
    for placed, key in subject.of_type("Key"):
        policy = key.get("Policy")
        statements = policy.get("Statement") if isinstance(policy, Mapping) else None
        listed = statements if isinstance(statements, tuple) else (statements,)
        if isinstance(policy, Mapping) and not any(_lets_change(item) for item in listed):
            message = "nobody may change this policy any more"
            help_text = 'allow "kms:*" to "arn:aws:iam::ACCOUNT:root"'
            yield Fault(f"{placed.pointer}/Arguments/Policy", message, help_text, placed)


def _lets_change(statement: Value) -> bool:
    if not isinstance(statement, Mapping) or statement.get("Effect") != "Allow":
        return False
    actions = statement.get("Action")
    return "NotAction" in statement or any(
        isinstance(action, str) and fnmatchcase(_CHANGES, action.lower())
        for action in (actions if isinstance(actions, tuple) else (actions,))
    )

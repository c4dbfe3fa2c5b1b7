"""Put the values of secrets into environment variables, then start what the author wanted to start.

    python3 mlops_secrets.py COMMAND...     in a Processing container
    python mlops_secrets.py --name value    as a training script; the variable MLOPS_ENTRY names the author's

A variable that begins with ``mlops-secret:`` names a secret of AWS Secrets Manager, after ``#`` a member of its JSON.
Values are handed on to the process alone and never printed.
"""

from __future__ import annotations

import json
import os
import sys

PREFIX = "mlops-secret:"
ENTRY = "MLOPS_ENTRY"


def value(text: str) -> str:
    """What a reference stands for."""
    import boto3

    id, _, key = text[len(PREFIX) :].partition("#")
    region = id.split(":")[3] if id.startswith("arn:") else os.environ.get("AWS_REGION") or None
    answer = boto3.client("secretsmanager", region_name=region).get_secret_value(SecretId=id)
    if "SecretString" not in answer:
        raise SystemExit("mlops: the secret {} is binary; only text fits a variable".format(id))
    found: str = answer["SecretString"]
    if not key:
        return found
    try:
        member = json.loads(found)[key]
    except (ValueError, KeyError, TypeError):
        # "from None": what json could not read is the secret itself.
        raise SystemExit("mlops: the secret {} is no JSON object with the member {}".format(id, key)) from None
    return member if isinstance(member, str) else json.dumps(member)


def resolve(name: str, text: str) -> str:
    try:
        return value(text)
    except ImportError:
        raise SystemExit("mlops: {} is a secret, and this image has no boto3 to read it with".format(name)) from None
    except Exception as error:
        reason = "{}: {}".format(type(error).__name__, error)
        raise SystemExit("mlops: the secret of {} cannot be read: {}".format(name, reason)) from None


def main(words: list[str]) -> None:
    for name, text in sorted(os.environ.items()):
        if text.startswith(PREFIX):
            os.environ[name] = resolve(name, text)
    entry = os.environ.pop(ENTRY, None)
    if entry is not None:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), entry)
        words = [*(["/bin/sh"] if entry.endswith(".sh") else [sys.executable]), script, *words]
    os.execvp(words[0], words)  # noqa: S606 - the command is the author's own


if __name__ == "__main__":
    main(sys.argv[1:])

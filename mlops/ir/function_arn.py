"""What the ARN of a Lambda function tells: its name, and where it logs."""

from __future__ import annotations

LOG_GROUPS = "/aws/lambda/"


def function_name(arn: str) -> str:
    """
    >>> function_name("arn:aws:lambda:eu-west-1:111122223333:function:score:live"), function_name("score")
    ('score', 'score')
    """
    return arn.rpartition(":function:")[2].partition(":")[0]


def log_group(arn: str) -> str:
    """Unless the function's configuration names another one.

    >>> log_group("arn:aws:lambda:eu-west-1:111122223333:function:score")
    '/aws/lambda/score'
    """
    return f"{LOG_GROUPS}{function_name(arn)}"

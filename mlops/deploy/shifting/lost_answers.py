"""Writes whose answer may have been lost, or that somebody else was faster with: what is there afterwards decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops.account.missing import unless_missing
from mlops.deploy.shifting.seeing import see


def made(create: Callable[[], object], describe: Callable[[], object]) -> bool:
    """Whether it is ours. The name of what is made is its content, so what is there already is what was to be made."""
    try:
        create()
    except Exception:
        if unless_missing(describe) is None:
            raise
        return False
    return True


def made_config(sagemaker: Any, name: str, request: Mapping[str, Any]) -> bool:
    """:func:`made`, of an endpoint configuration, where it is not there yet."""

    def described() -> object:
        return sagemaker.describe_endpoint_config(EndpointConfigName=name)

    if unless_missing(described) is not None:
        return False
    return made(lambda: sagemaker.create_endpoint_config(EndpointConfigName=name, **request), described)


def pointed(write: Callable[[], object], sagemaker: Any, endpoint: str, config: str) -> None:
    """``write`` sends the endpoint to the configuration; it goes there also where only the answer was lost."""
    try:
        write()
    except Exception:
        there = see(sagemaker, endpoint)
        if there is None or config not in (there.config, there.pending):
            raise

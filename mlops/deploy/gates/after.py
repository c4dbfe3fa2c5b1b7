"""The version has passed another environment: it serves there, or served there and was not taken back."""

from __future__ import annotations

from typing import Any

from mlops.ir.gate import Asked, Gate, Judgement


def read(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise ValueError('give the name of an environment, for example "staging"')
    return raw


def judge(settings: str, asked: Asked) -> Judgement:
    why = asked.passed(settings)
    return Judgement(why is None, f"it has passed {settings}" if why is None else why)


GATE = Gate("after", "it has passed another environment", read, judge)

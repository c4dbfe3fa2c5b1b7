"""Callers of the version that serves go on being answered: the new one takes the content types that the serving one
takes, and gives those that it gives.

Where this gate is declared the serving version's samples are asked of the new one beside its own: before it has traffic
where two variants stand side by side, else as a smoke test. So they are answered where the image, the instance and the
network are those that will serve.
"""

from __future__ import annotations

from typing import Any

from mlops.ir.gate import Asked, Gate, Judgement

NAME = "signature"


def read(raw: Any) -> bool:
    if raw is not True:
        raise ValueError("write signature = true; without it leave the line out")
    return True


def judge(settings: bool, asked: Asked) -> Judgement:
    before = asked.serving_signature()
    if before is None:
        return Judgement(True, "no version serves there yet")
    now = asked.signature()
    for verb, served, given in (("takes", before.takes, now.takes), ("gives", before.gives, now.gives)):
        missing = [item for item in served if item not in given]
        if missing:
            told = ", ".join(given) or "nothing that it names"
            return Judgement(False, f"what serves {verb} {', '.join(missing)}, and this version {verb} {told}")
    told = ", ".join(before.takes) or "whatever comes"
    if not before.samples:
        return Judgement(True, f"it takes {told}, too; no samples came with what serves")
    samples = f"{before.samples} sample{'s' if before.samples != 1 else ''}"
    return Judgement(True, f"it takes {told}, too; {samples} of what serves will be asked of it")


GATE = Gate(NAME, "what callers of the serving version send is answered", read, judge)

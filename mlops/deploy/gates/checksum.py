"""What would serve is what was registered: the archives have the digests that were recorded then."""

from __future__ import annotations

from typing import Any

from mlops.ir.gate import Asked, Gate, Judgement


def read(raw: Any) -> bool:
    if raw is not True:
        raise ValueError("write checksum = true; without it leave the line out")
    return True


def judge(settings: bool, asked: Asked) -> Judgement:
    recorded, there = asked.registered(), asked.stored()
    if not there:
        return Judgement(False, "it names no archive whose digest could be compared")
    told = []
    for uri, now in there.items():
        then = recorded.get(uri)
        if then is None or (then.etag, then.sha256) == (None, None):
            return Judgement(False, f"what {uri} was when it was registered is not recorded")
        if then.doubt is not None:
            return Judgement(False, f"{uri}: {then.doubt}")
        if (now.etag, now.sha256) == (None, None):
            return Judgement(False, f"nothing lies at {uri}")
        # The strongest that both sides have; an ETag may stand for the same bytes sent in other parts.
        kind = "sha256" if then.sha256 and now.sha256 else "ETag"
        before, after = (then.sha256, now.sha256) if kind == "sha256" else (then.etag, now.etag)
        if before != after:
            return Judgement(False, f"{uri} was {kind} {before} when it was registered, and is {after} now")
        told.append(f"{kind} {after}")
    return Judgement(True, f"it is what was registered: {', '.join(told)}")


GATE = Gate("checksum", "its archives are what was registered", read, judge)

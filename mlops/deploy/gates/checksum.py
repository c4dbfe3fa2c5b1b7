"""What would serve is what was registered: the archives have the digests that were recorded then.

It is asked everywhere: without being declared by what S3 tells of the archives, which are not read; declared, all of
them is read.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from mlops.ir.gate import OFF, Asked, Digest, Gate, Judgement, Off


class Depth(Enum):
    """``TOLD`` compares what S3 tells, and passes what nobody knows; ``WHOLE`` reads all."""

    TOLD = "told"
    WHOLE = "whole"


USUAL = Depth.TOLD


def read(raw: Any) -> Depth | Off:
    if not isinstance(raw, bool):
        raise ValueError(
            "write checksum = true, which reads all of the archives, or checksum = false, which looks at none; without "
            "the line their ETags are compared"
        )
    return Depth.WHOLE if raw else OFF


def judge(settings: Depth, asked: Asked) -> Judgement:
    return _told(asked) if settings is Depth.TOLD else _whole(asked)


def _told(asked: Asked) -> Judgement:
    there = asked.listed()
    if not there:
        return Judgement(True, "it names no archive")
    recorded, found = asked.registered(), []
    for uri, now in there.items():
        then = recorded.get(uri)
        if then is None or then.etag is None:
            found.append(f"nobody knows whether {uri} is what was registered: no ETag was recorded then")
        elif now.doubt is not None:
            found.append(f"nobody knows whether {uri} is what was registered: {now.doubt}")
        elif now.etag is None:
            return Judgement(False, f"nothing lies at {uri}")
        elif now.etag != then.etag or (None not in (then.size, now.size) and then.size != now.size):
            # The same bytes that were written again may have another ETag.
            more = "; checksum = true compares the SHA-256, which was recorded" if then.sha256 else ""
            return Judgement(
                False, f"{uri} was {_one(then)} when it was registered, and is {_one(now)} now: it was replaced{more}"
            )
        elif then.doubt is not None:
            found.append(f"{uri}: {then.doubt}")
        else:
            found.append(f"ETag {now.etag}")
    return Judgement(True, "; ".join(found))


def _one(digest: Digest) -> str:
    return f"ETag {digest.etag}" + (f" of {digest.size} bytes" if digest.size is not None else "")


def _whole(asked: Asked) -> Judgement:
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

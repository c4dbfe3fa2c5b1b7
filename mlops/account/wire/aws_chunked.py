"""Bodies that are sent to S3 in pieces with a checksum behind them, as boto3 and the other SDKs do unasked.

``Content-Encoding: aws-chunked`` frames content inside of HTTP: each piece after its size in hexadecimal digits and, if
it is signed, a signature that nobody checks here; trailers follow the last, empty piece.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from mlops.account.local.objects import checksum
from mlops.account.local.refusal import Refusal
from mlops.account.wire.messages import Request, Stream

_TRAILER = "x-amz-trailer"
_CHECKSUM = "x-amz-checksum-"
_LENGTH = "x-amz-decoded-content-length"
_LONGEST_LINE = 8192
_MOST_TRAILERS = 16
_PIECE = 256 * 1024


def unframed(request: Request) -> Request:
    """The request with the content itself as its body, where that is framed. Its checksum is held against what was
    read at its end, where reading raises Refusal then."""
    codings = [word.strip() for word in request.header("content-encoding").split(",") if word.strip()]
    signed_in_pieces = request.header("x-amz-content-sha256").startswith("STREAMING-")
    if "aws-chunked" not in codings and not signed_in_pieces:
        return request
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    left = [word for word in codings if word != "aws-chunked"]
    if left:
        headers["content-encoding"] = ",".join(left)
    body = _Unframed(request.body, _length(request), request.header(_TRAILER).lower())
    if body.algorithm is not None:
        headers.setdefault("x-amz-sdk-checksum-algorithm", body.algorithm)
    return request.with_body(body, headers)


def _length(request: Request) -> int | None:
    told = request.header(_LENGTH)
    if not told:
        return None
    if not (told.isascii() and told.isdigit() and len(told) < 16):
        raise Refusal("InvalidArgument", f"{_LENGTH} is no number.")
    return int(told)


class _Unframed:
    def __init__(self, body: Stream, length: int | None, trailer: str) -> None:
        self._body = body
        self._length = length
        self._seen = 0
        self._left = 0  # of the piece
        self._held = b""
        self._begun = False
        self._ended = False
        name = trailer.removeprefix(_CHECKSUM) if trailer.startswith(_CHECKSUM) else ""
        self.algorithm: str | None = name.upper() or None
        self._sum: Any = checksum(self.algorithm) if self.algorithm is not None else None

    def read(self, amt: int | None = None, /) -> bytes:
        wanted = -1 if amt is None else amt
        parts: list[bytes] = []
        while wanted and not self._ended:
            if not self._left and not self._next():
                break
            piece = self._take(self._left if wanted < 0 else min(wanted, self._left))
            self._left -= len(piece)
            wanted -= len(piece) if wanted > 0 else 0
            self._seen += len(piece)
            if self._sum is not None:
                self._sum.update(piece)
            parts.append(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _next(self) -> bool:
        """Whether there is another piece."""
        if self._begun and self._line():
            raise _incomplete()
        self._begun = True
        size = self._line().partition(b";")[0].strip()
        try:
            self._left = int(size, 16) if size.isalnum() and len(size) < 16 else -1
        except ValueError:
            self._left = -1
        if self._left < 0:
            raise _incomplete()
        if self._left:
            return True
        self._end()
        return False

    def _end(self) -> None:
        self._ended = True
        trailers: dict[str, str] = {}
        # Some clients end without the empty line behind the trailers.
        while len(trailers) < _MOST_TRAILERS and (line := self._line(last=True)):
            name, _, value = line.decode("latin-1").partition(":")
            trailers[name.strip().lower()] = value.strip()
        if self._length is not None and self._length != self._seen:
            raise _incomplete()
        self._check(trailers)

    def _check(self, trailers: Mapping[str, str]) -> None:
        if self.algorithm is None:
            return
        told = trailers.get(f"{_CHECKSUM}{self.algorithm.lower()}")
        if told is None:
            raise Refusal("MalformedTrailerError", "The request contained trailing data that was not well-formed.")
        if self._sum is not None and b64encode(self._sum.digest()).decode() != told:
            raise Refusal("BadDigest", f"The {self.algorithm} you specified did not match the calculated checksum.")

    def _take(self, count: int) -> bytes:
        if not self._held:
            self._held = self._body.read(max(count, _PIECE) if count < _PIECE else count)
            if not self._held:
                raise _incomplete()
        taken, self._held = self._held[:count], self._held[count:]
        return taken

    def _line(self, *, last: bool = False) -> bytes:
        while (end := self._held.find(b"\r\n")) < 0:
            if len(self._held) > _LONGEST_LINE:
                raise _incomplete()
            more = self._body.read(_PIECE)
            if not more:
                if last:
                    line, self._held = self._held, b""
                    return line.strip()
                raise _incomplete()
            self._held += more
        line, self._held = self._held[:end], self._held[end + 2 :]
        return line


def _incomplete() -> Refusal:
    return Refusal(
        "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header."
    )

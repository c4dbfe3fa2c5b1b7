"""What became of each document of a request, by answers as OpenSearch gives them."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from mlops.ir import AccountError
from mlops.observe.search.asking import Answered, Unreached
from mlops.observe.search.bulk import MOST_DOCUMENTS, Writer
from mlops.observe.search.documents import Document

FULL = {"type": "rejected_execution_exception", "reason": "no room"}


class Index:
    """Answers from a list of what becomes of the next documents, else takes all. It keeps what it took."""

    def __init__(self, *turns: Any) -> None:
        self.turns = [*turns]
        self.taken: list[str] = []
        self.requests: list[list[str]] = []

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
        if path.endswith("_search"):
            assert isinstance(body, Mapping)
            wanted = body["query"]["ids"]["values"]
            return {"hits": {"hits": [{"_id": known} for known in self.taken if known in wanted]}}
        if not isinstance(body, str):
            return {}
        assert body.endswith("\n")
        ids = [json.loads(line)["create"]["_id"] for line in body.splitlines()[::2]]
        self.requests.append(ids)
        turn = self.turns.pop(0) if self.turns else {}
        if isinstance(turn, Exception):
            raise turn
        items = []
        for known in ids:
            status, error = turn.get(known, (201, None))
            if status == 201:
                self.taken.append(known)
            items.append({"create": {"_id": known, "status": status, **({"error": error} if error else {})}})
        return {"errors": bool(turn), "items": items}


def written(index: Index, count: int = 3, size: int = 1) -> tuple[Any, list[float]]:
    slept: list[float] = []
    documents = [Document(f"d{number}", {"about": "x" * size}) for number in range(count)]
    return Writer(index, "events", sleep=slept.append, chance=random.Random(1)).write(documents), slept


def test_only_what_failed_goes_again_with_growing_pauses() -> None:
    index = Index({"d1": (429, FULL)}, {"d1": (503, FULL)})
    told, slept = written(index)
    assert index.requests == [["d0", "d1", "d2"], ["d1"], ["d1"]]
    assert (told.created, told.again, told.requests, told.rejected) == (3, 2, 3, ())
    assert len(slept) == 2 and slept[0] <= 0.2 and slept[1] <= 0.4


def test_what_it_never_takes_is_kept_with_its_reason_and_sent_once() -> None:
    error = {"type": "mapper_parsing_exception", "reason": "failed to parse", "caused_by": {"reason": "For input: x"}}
    index = Index({"d0": (400, error), "d2": (409, {"reason": "version conflict"})})
    told, _ = written(index)
    assert len(index.requests) == 1
    assert (told.created, told.there) == (1, 1)
    (rejected,) = told.rejected
    assert (rejected.document.id, rejected.status) == ("d0", 400)
    assert rejected.reason == "failed to parse: For input: x"


def test_a_request_that_got_no_answer_goes_again_and_may_have_been_taken() -> None:
    index = Index(Unreached("reset"), Answered("busy", 429), {"d0": (409, {"reason": "there"})})
    told, slept = written(index)
    assert (told.created, told.there, told.requests, len(slept)) == (2, 1, 3, 2)


@pytest.mark.parametrize(("seconds", "requests"), [(60.0, 2), (0.1, 8)])
def test_no_answer_is_waited_for_so_long(seconds: float, requests: int) -> None:
    """One that hangs is given up soon; one that refuses connections is asked as often as one that is busy."""
    now = [0.0]

    def silent(method: str, path: str, body: Any) -> Any:
        if not path.startswith("/events/_bulk"):
            return {"hits": {"hits": []}}
        now[0] += seconds
        raise Unreached("http://here cannot be reached: Read timed out")

    slept: list[float] = []
    writer = Writer(silent, "events", sleep=slept.append, clock=lambda: now[0])
    said = "Read timed out: 2 requests waited 120 seconds for an answer, the last of them POST /events/_bulk$"
    with pytest.raises(AccountError, match=said if requests == 2 else "in 8 attempts: .*Read timed out"):
        writer.write([Document("d0", {})])
    assert len(slept) == requests - 1


def test_one_that_is_too_large_goes_in_halves() -> None:
    index = Index(Answered("too large", 413))
    told, _ = written(index, 5)
    assert index.requests[1:] == [["d0", "d1"], ["d2", "d3", "d4"]]
    assert told.created == 5


def test_one_alone_that_is_too_large_keeps_the_others_from_nothing() -> None:
    index = Index(*[Answered("too large", 413)] * 4)
    told, _ = written(index, 3)
    assert told.created + len(told.rejected) == 3
    assert {item.status for item in told.rejected} == {413} and told.created


ODD: list[Any] = [
    {"items": [{"create": {"status": 201}}]},
    {"items": [{"create": {"status": "x"}}] * 3},
    {"items": [[]] * 3},
    {"items": None},
    {"items": [{}] * 3},
]


@pytest.mark.parametrize("answer", ODD)
def test_an_answer_of_another_form_is_no_fault_of_ours(answer: Any) -> None:
    def ask(method: str, path: str, body: Any) -> Any:
        return answer if "_bulk" in path else {"hits": {"hits": []}}

    with pytest.raises(AccountError, match="POST /events/_bulk: the answer has not the form of OpenSearch's"):
        written(ask)  # type: ignore[arg-type]


def test_a_reason_is_bounded() -> None:
    told, _ = written(Index({"d0": (400, {"reason": "x" * 100_000})}))
    assert len(told.rejected[0].reason) == 500


@pytest.mark.parametrize(("turns", "said"), [
    ([{"d0": (429, FULL)}] * 8, "did not take 1 of 3 documents in 8 attempts: no room"),
    ([Answered("forbidden", 403)], "forbidden"),
])  # fmt: skip
def test_what_cannot_be_done_is_told(turns: list[Any], said: str) -> None:
    with pytest.raises(AccountError, match=said):
        written(Index(*turns))


def test_requests_are_bounded() -> None:
    index = Index()
    written(index, 2 * MOST_DOCUMENTS + 1)
    assert [len(request) for request in index.requests] == [MOST_DOCUMENTS, MOST_DOCUMENTS, 1]
    index = Index()
    written(index, 5, 1024 * 1024)
    assert [len(request) for request in index.requests] == [3, 2]

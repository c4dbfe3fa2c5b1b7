"""The state machine of an endpoint, as tables: what happens, and what is then to be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from mlops.account.local.process.serving.happenings import (
    Asked,
    Close,
    Discard,
    Drain,
    Drained,
    Effect,
    Ended,
    Exit,
    Fleet,
    Happening,
    Kill,
    Launch,
    Launched,
    Read,
    ReadConfig,
    Ready,
    Route,
    Routed,
    Rules,
    ServerId,
    State,
    Stop,
    Tell,
    Tick,
    Unreachable,
    Unreadable,
    Variant,
    WriteFailed,
    WriteKept,
    WriteServing,
    WriteUpdated,
)
from mlops.account.local.process.serving.machine import advance, next_due

RULES = Rules(drain_seconds=60, stop_seconds=30, revival_seconds=5, servers=4)
A, B = Variant("A", 1.0, 1, startup_seconds=100), Variant("B", 2.0, 1, startup_seconds=100)
SHADOW = Variant("S", 1.0, 1, shadow=True)
A1, B1, S1 = (ServerId(1, name, 0) for name in "ABS")
A2, B2 = (ServerId(2, name, 0) for name in "AB")
C, HOST = Variant("component/C", 1.0, 1, startup_seconds=100, may_be_none=True), Variant("A", 1.0, 2, hosts=True)
C1 = ServerId(1, C.name, 0)

Row = tuple[Happening, float, list[Effect]]


def routed(name: str, *servers: ServerId, weight: float = 1.0, down: str | None = None, shadow: bool = False) -> Routed:
    return Routed(name, servers, weight, down, shadow, None)


def play(rows: Iterable[Row], state: State | None = None) -> State:
    """Each question is one of its own, at its time, unless it says when it was asked."""
    now = state or State()
    for happening, time, expected in rows:
        if isinstance(happening, Asked) and not happening.at:
            happening = replace(happening, at=str(time))
        now, effects = advance(now, happening, time, RULES)
        assert list(effects) == expected, happening
    return now


def first(*variants: Variant) -> list[Row]:
    """Up to the moment in which configuration c1 serves."""
    ids = [ServerId(1, variant.name, 0) for variant in variants]
    production = [variant for variant in variants if not variant.shadow]
    weights = {variant.name: variant.weight for variant in production}
    routes = tuple(
        routed(variant.name, id_, weight=variant.weight, shadow=variant.shadow)
        for variant, id_ in zip(variants, ids, strict=True)
    )
    serving = WriteServing(Fleet(1, "c1", variants), weights, dict.fromkeys(weights, 1))
    rows: list[Row] = [
        (Asked("Creating", "c1"), 0, [ReadConfig(1, "c1")]),
        (Read(1, variants), 0, [Launch(id_, 1) for id_ in ids]),
    ]
    rows += [(Launched(id_, 1), 1, []) for id_ in ids]
    rows += [(Ready(id_, 1), 2, []) for id_ in ids[:-1]]
    rows.append((Ready(ids[-1], 1), 2, [Route("c1", routes), serving]))
    rows.append((Asked("InService"), 2, []))
    return rows


def ended(id_: ServerId, attempt: int = 1, reason: str = "it died") -> Ended:
    return Ended(id_, attempt, reason)


A_DOWN = Route("c1", (routed("A"),))
A_UP = Route("c1", (routed("A", A1),))
TO_SECOND: list[Row] = [
    (Asked("Updating", "c2"), 10, [ReadConfig(2, "c2")]),
    (Read(2, (A,)), 10, [Launch(A2, 1)]),
    (Launched(A2, 1), 11, []),
    (
        Ready(A2, 1),
        12,
        [
            Route("c2", (routed("A", A2),)),
            WriteServing(Fleet(2, "c2", (A,)), {"A": 1.0}, {"A": 1}),
            Drain(A1),
        ],
    ),
]

CASES: dict[str, list[Row]] = {
    "a creation": first(A),
    "variants and a shadow": first(A, B, SHADOW),
    "a creation that cannot be read": [
        (Asked("Creating", "c1"), 0, [ReadConfig(1, "c1")]),
        (Unreadable(1, "no such model"), 0, [Close(), WriteFailed("no such model"), Exit()]),
    ],
    "a creation whose server dies takes the others along": [
        *first(A, B)[:4],
        (ended(A1), 3, [Discard(A1), Stop(B1), Close()]),
        (ended(B1), 4, [Discard(B1), WriteFailed("it died"), Exit()]),
    ],
    "a server that is launched while it is given up is stopped then": [
        *first(A, B)[:2],
        (ended(A1), 3, [Discard(A1), Close()]),
        (Launched(B1, 1), 4, [Stop(B1)]),
        (ended(B1), 5, [Discard(B1), WriteFailed("it died"), Exit()]),
    ],
    "a server that is not ready in time": [
        *first(A)[:3],
        (Tick(), 100.9, []),
        (Tick(), 101, [Stop(A1), Close()]),
        (Tick(), 131, [Kill(A1)]),
        (
            ended(A1),
            132,
            [Discard(A1), WriteFailed("the model server did not answer /ping within 100 seconds"), Exit()],
        ),
    ],
    "an update drains what served, and stops it when it is empty": [
        *first(A),
        *TO_SECOND,
        (Drained(A1), 20, [Stop(A1)]),
        (Drained(A1), 20, []),
        (ended(A1), 21, [Discard(A1)]),
    ],
    "what was read before our answer was written is no second question": [
        *first(A),
        *TO_SECOND,
        (Asked("Updating", "c2", at="10"), 13, []),
        (Asked("InService", at="13"), 13, []),
        (Asked("Updating", "c2", at="14"), 14, [ReadConfig(3, "c2")]),
    ],
    "a drain has an end, and so has a stop": [
        *first(A),
        *TO_SECOND,
        (Tick(), 71.9, []),
        (Tick(), 72, [Stop(A1)]),
        (Tick(), 102, [Kill(A1)]),
        (ended(A1), 103, [Discard(A1)]),
    ],
    "the next update comes while the last one drains": [
        *first(A),
        *TO_SECOND,
        (Asked("Updating", "c3"), 13, [ReadConfig(3, "c3")]),
        (Read(3, (B,)), 13, [Launch(ServerId(3, "B", 0), 1)]),
        (Drained(A1), 14, [Stop(A1)]),
    ],
    "what serves is revived while another drains and a third starts": [
        *first(A),
        *TO_SECOND,
        (Asked("Updating", "c3"), 13, [ReadConfig(3, "c3")]),
        (ended(A2), 14, [Route("c2", (routed("A"),)), Tell("variant.ended", "c2", "A")]),
        (Tick(), 15, [Launch(A2, 2)]),
        (Read(3, (B,)), 15, [Launch(ServerId(3, "B", 0), 1)]),
        (Launched(A2, 2), 16, []),
        (Ready(A2, 2), 17, [Route("c2", (routed("A", A2),)), Tell("variant.revived", "c2", "A")]),
    ],
    "an update that fails leaves the old one": [
        *first(A),
        *TO_SECOND[:3],
        (ended(A2), 12, [Discard(A2), WriteKept("c2", "it died")]),
        (Asked("InService"), 12, []),
        (Asked("Updating", "c2"), 13, [ReadConfig(3, "c2")]),
    ],
    "the first revival is at once": [
        *first(A),
        (ended(A1), 100, [A_DOWN, Tell("variant.ended", "c1", "A"), Launch(A1, 2)]),
        (Launched(A1, 2), 101, []),
        (Ready(A1, 2), 102, [A_UP, Tell("variant.revived", "c1", "A")]),
    ],
    "what dies again and again is not revived in a rush, and says why": [
        *first(A),
        (ended(A1), 100, [A_DOWN, Tell("variant.ended", "c1", "A"), Launch(A1, 2)]),
        (Launched(A1, 2), 101, []),
        (
            ended(A1, 2, "no memory"),
            102,
            [Route("c1", (routed("A", down="no memory"),)), Tell("variant.ended", "c1", "A")],
        ),
        (Tick(), 104.9, []),
        (Tick(), 105, [Launch(A1, 3)]),
        (Launched(A1, 3), 106, []),
        (Ready(A1, 3), 107, [A_UP, Tell("variant.revived", "c1", "A")]),
    ],
    "a revival that hangs is killed": [
        *first(A),
        (ended(A1), 100, [A_DOWN, Tell("variant.ended", "c1", "A"), Launch(A1, 2)]),
        (Launched(A1, 2), 101, []),
        (Tick(), 201, [Kill(A1)]),
        (
            ended(A1, 2),
            202,
            [
                Route("c1", (routed("A", down="the model server did not answer /ping within 100 seconds"),)),
                Tell("variant.ended", "c1", "A"),
                Launch(A1, 3),
            ],
        ),
    ],
    "news of an earlier process are old": [
        *first(A),
        (ended(A1), 100, [A_DOWN, Tell("variant.ended", "c1", "A"), Launch(A1, 2)]),
        (Launched(A1, 1), 101, []),
        (Ready(A1, 1), 101, []),
        (ended(A1, 1), 101, []),
    ],
    "one that takes no connection is killed and revived": [
        *first(A),
        (Unreachable(A1), 100, [Kill(A1)]),
        (ended(A1), 101, [A_DOWN, Tell("variant.ended", "c1", "A"), Launch(A1, 2)]),
    ],
    "weights need no start": [
        *first(A, B),
        (
            Asked("Updating", None, {"A": 0.0, "B": 5.0}, {"A": 1, "B": 1}),
            10,
            [
                Route("c1", (routed("A", A1, weight=0.0), routed("B", B1, weight=5.0))),
                WriteUpdated({"A": 0.0, "B": 5.0}),
            ],
        ),
    ],
    "more instances are started beside, fewer are drained": [
        *first(A),
        (Asked("Updating", None, {"A": 1.0}, {"A": 2}), 10, [Launch(ServerId(1, "A", 1), 1), A_UP]),
        (Launched(ServerId(1, "A", 1), 1), 11, []),
        (
            Ready(ServerId(1, "A", 1), 1),
            12,
            [
                Route("c1", (routed("A", A1, ServerId(1, "A", 1)),)),
                Tell("variant.scaled-out", "c1", "A"),
                WriteUpdated({"A": 1.0}),
            ],
        ),
        (
            Asked("Updating", None, {"A": 1.0}, {"A": 1}),
            20,
            [Drain(ServerId(1, "A", 1)), A_UP, WriteUpdated({"A": 1.0})],
        ),
        (Asked("Updating", None, {"A": 1.0}, {"A": 2}), 21, [Launch(ServerId(1, "A", 2), 1), A_UP]),
    ],
    "retained weights and counts": [
        (Asked("Creating", "c1"), 0, [ReadConfig(1, "c1")]),
        (
            Read(1, (A,), {"A": 7.0, "gone": 1.0}, {"A": 2}),
            0,
            [Launch(A1, 1), Launch(ServerId(1, "A", 1), 1)],
        ),
    ],
    "a deletion stops all, whatever they do": [
        *first(A),
        *TO_SECOND,
        (Asked("Deleting"), 13, [Close(), Stop(A1), Stop(A2)]),
        (ended(A1), 14, [Discard(A1)]),
        (Asked("Deleting"), 14, []),
        (Ready(A2, 1), 14, []),
        (ended(A2), 15, [Discard(A2), Exit()]),
    ],
    "a component goes to no copies and back": [
        (Asked("Creating", "1"), 0, [ReadConfig(1, "1")]),
        (Read(1, (C,)), 0, [Launch(C1, 1)]),
        (Launched(C1, 1), 1, []),
        (
            Ready(C1, 1),
            2,
            [
                Route("1", (routed(C.name, C1),)),
                WriteServing(Fleet(1, "1", (C,)), {C.name: 1.0}, {C.name: 1}),
            ],
        ),
        (
            Asked("Updating", None, {}, {C.name: 0}),
            3,
            [Drain(C1), Route("1", (replace(routed(C.name), none=True),)), WriteUpdated({})],
        ),
        (Drained(C1), 4, [Stop(C1)]),
        (ended(C1), 5, [Discard(C1)]),
        (
            Asked("Updating", None, {}, {C.name: 1}),
            6,
            [Launch(C1, 1), Route("1", (replace(routed(C.name), none=True),))],
        ),
        (Launched(C1, 1), 7, []),
        (
            Ready(C1, 1),
            8,
            [Route("1", (routed(C.name, C1),)), Tell("variant.scaled-out", "1", C.name), WriteUpdated({})],
        ),
    ],
    "a variant that hosts components has no servers": [
        (Asked("Creating", "c1"), 0, [ReadConfig(1, "c1")]),
        (
            Read(1, (HOST,)),
            0,
            [
                Route("c1", (replace(routed("A"), hosts=True),)),
                WriteServing(Fleet(1, "c1", (HOST,)), {"A": 1.0}, {"A": 2}),
            ],
        ),
    ],
    "a deletion while it is created": [
        (Asked("Creating", "c1"), 0, [ReadConfig(1, "c1")]),
        (Asked("Deleting"), 1, [Close(), Exit()]),
        (Read(1, (A,)), 2, [Exit()]),
    ],
}


@pytest.mark.parametrize("rows", CASES.values(), ids=CASES.keys())
def test_what_is_done(rows: list[Row]) -> None:
    play(rows)


def test_as_many_servers_as_instances_and_workers_ask_for_up_to_the_bound() -> None:
    for count, workers, expected in [(1, 1, 1), (2, 2, 4), (3, 1, 3), (9, 9, 4), (0, 1, 1)]:
        state = play([(Asked("Creating", "c1"), 0, [ReadConfig(1, "c1")])])
        _, effects = advance(state, Read(1, (Variant("A", 1.0, count, workers),)), 0, RULES)
        assert effects == tuple(Launch(ServerId(1, "A", number), 1) for number in range(expected))


def test_it_says_when_to_look_again() -> None:
    state = play([*first(A), *TO_SECOND])
    assert next_due(state) == 72
    assert next_due(play(first(A))) is None

"""Brings an endpoint to what it should be where somebody else made it otherwise, or a controller that was
superseded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mlops.account import Account, answers
from mlops.account.answers import Refused
from mlops.deploy.shifting import scaling as autoscaling
from mlops.deploy.shifting.journal_writer import JournalWriter
from mlops.deploy.shifting.mover import Mover, weighed_anew
from mlops.deploy.shifting.red import Red
from mlops.deploy.shifting.scaled_moves import in_the_end, restored
from mlops.ir.shift import Move, PointTo, Scale, Scaling, Serving, Weigh, after, after_all

REPAIRS = 5
"""Of what others do to the endpoint meanwhile; then somebody works against us."""


class Repair:
    def __init__(self, account: Account, writer: JournalWriter, mover: Mover, say: Callable[[str], None]) -> None:
        self._account = account
        self._sagemaker: Any = account.client("sagemaker")
        self._writer = writer
        self._mover = mover
        self._say = say

    def do_behind_others(self, move: Move, expected: Serving) -> None:
        """Once more where whoever was superseded has moved the endpoint behind our look, so that it is refused."""
        try:
            self._mover.do(move)
        except Refused:
            if self._writer.journal.fence == 1:
                raise
            self.hold(expected, after(expected, move))
            self._mover.do(move)

    def hold(self, wanted: Serving, following: Serving | None = None) -> None:
        """Bring the endpoint to what it should be where somebody else, or an earlier call of ours, made it
        otherwise; what is ``following`` anyway is left. Counts are left alone, since scaling may have changed them, but
        for those that an earlier call of this shift gave."""
        for _ in range(REPAIRS):
            with answers():
                there = self._mover.settled()
            if there is None or there.serving is None:
                raise Red("the endpoint was deleted meanwhile" if there is None else f"it is {there.status}")
            if _same(there.serving, wanted) or (following is not None and _same(there.serving, following)):
                late = self._late(there.serving, wanted, following)
                if late is None:
                    return
                self._writer.renew()
                self._mover.do(late)
                continue
            if there.config != wanted.config:
                self._say(f"{self._writer.journal.endpoint} is at {there.config} and should be at {wanted.config}")
                self._writer.renew()
                self._mover.do(PointTo(wanted))
            else:
                self._writer.renew()
                self._mover.do(Weigh({variant.name: variant.weight for variant in wanted.variants}, 0.0))
        raise Red(f"somebody else changes it too: it does not stay at {wanted.config}")

    def _late(self, there: Serving, wanted: Serving, following: Serving | None) -> Scale | None:
        """What takes back a count that whoever was superseded gave behind one of ours."""
        if self._writer.journal.fence == 1:
            return None
        given = {(move.variant, move.count) for move in self._writer.journal.moves if isinstance(move, Scale)}
        for live in there.variants:
            counts = [item.count for of in (wanted, following) if of for item in of.variants if item.name == live.name]
            first = next(iter(counts), None)
            if first is not None and live.count not in counts and (live.name, live.count) in given:
                return Scale(live.name, first)
        return None

    def hold_scaling(self, wanted: Sequence[Scaling]) -> None:
        """What was suspended goes on, also where a call of somebody superseded came between."""
        if not wanted:
            return
        with answers():
            live = autoscaling.see(self._account, self._writer.journal.endpoint, [item.variant for item in wanted])
        for move in restored(wanted, live):
            self._mover.do(move)

    def see_after(self) -> None:
        """The call that whoever was superseded was about to make may have come between our last look and our last
        word. If it comes later, they see that we have ended, and take it back."""
        journal = self._writer.journal
        wanted = after_all(journal.old, journal.moves) if journal.phase == "shifted" else journal.old
        self.give_back(wanted)
        self.hold_scaling(in_the_end(journal.scaling, wanted))
        there = self._mover.settled()
        if there is None or there.serving is None or there.config != wanted.config:
            return
        for _ in wanted.variants:
            late = self._late(there.serving, wanted, None)
            if late is None:
                return
            self._mover.do(late)
            there = self._mover.settled()
            if there is None or there.serving is None:
                return

    def give_back(self, wanted: Serving) -> None:
        name = self._writer.journal.endpoint
        there = self._mover.settled()
        if there is None or there.serving is None:
            return
        if there.config != wanted.config:
            self._say(f"{name} was taken over meanwhile; it goes to {wanted.config}, as that ended")
            with answers():
                self._sagemaker.update_endpoint(
                    EndpointName=name,
                    EndpointConfigName=wanted.config,
                    RetainAllVariantProperties=True,
                    **weighed_anew(wanted, retain=True),
                )
            self._mover.settled()
        done = self._writer.journal.done
        ours = self._writer.journal.moves[done] if done < len(self._writer.journal.moves) else None
        if isinstance(ours, Scale):
            for live in there.serving.variants:
                count = next((item.count for item in wanted.variants if item.name == live.name), None)
                if live.name == ours.variant and live.count == ours.count != count and count is not None:
                    self._mover.do(Scale(live.name, count))


def _same(there: Serving, wanted: Serving) -> bool:
    return (there.config, there.names) == (wanted.config, wanted.names) and all(
        abs(there.share(name) - wanted.share(name)) < 0.01 for name in wanted.names
    )

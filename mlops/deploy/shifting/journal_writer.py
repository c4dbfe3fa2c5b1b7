"""The journal of the shift that this process is at, and what others wish in it."""

from __future__ import annotations

from dataclasses import replace

from mlops.account import Account, answers
from mlops.deploy.shifting import journal as journals
from mlops.deploy.shifting.journal import Journal, Superseded
from mlops.deploy.shifting.red import Aborted
from mlops.project.environments import Environment


class JournalWriter:
    """Whoever holds the journal's last word acts: each write raises Superseded where somebody else has it."""

    journal: Journal

    def __init__(self, account: Account, environment: Environment) -> None:
        self._account = account
        self._environment = environment
        self._etag: str | None = None
        self.yields = False
        """Somebody else has the last word, and what was done behind it is taken back."""

    def begin(self, journal: Journal, etag: str | None) -> None:
        """``etag`` is that of the stored one, None for the first."""
        self.journal, self._etag = journal, etag

    def write(self, journal: Journal) -> None:
        """With what others wish meanwhile: they change the journal too, and leave its number."""
        journal = replace(journal, at=journals.moment())
        with answers():
            try:
                self._etag = journals.write(self._account, self._environment, journal, self._etag)
            except Superseded:
                stored = journals.read(self._account, self._environment, journal.endpoint)
                if stored is None or not stored.journal.is_of(journal):
                    raise
                theirs = stored.journal
                journal = replace(journal, wish=theirs.wish, wish_reason=theirs.wish_reason, steered=theirs.steered)
                self._etag = journals.write(self._account, self._environment, journal, stored.etag)
        self.journal = journal

    def is_superseded(self) -> bool:
        """What a successor has done may be why the account refuses our call."""
        with answers():
            stored = journals.read(self._account, self._environment, self.journal.endpoint)
        return stored is None or not stored.journal.is_of(self.journal)

    def renew(self) -> None:
        self.write(self.journal)

    def heed(self) -> bool:
        """What somebody wishes; whether it is to pause."""
        journal = self.journal
        if journal.wish == "abort":
            raise Aborted(f"it was aborted{f': {journal.wish_reason}' if journal.wish_reason else ''}")
        return journal.wish == "pause"

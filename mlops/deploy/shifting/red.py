"""Why a shift is taken back."""

from __future__ import annotations

from mlops.ir.hiding import hide_text


class Red(Exception):
    """The new version is not to go on; the text is a clause that says why. It is told, kept and sent: what looks like a
    secret in it is hidden."""

    def __init__(self, why: str) -> None:
        super().__init__(hide_text(why))


class Aborted(Red):
    """Somebody wishes it, whatever is seen of the version."""

"""Of values that come one by one as many as a picture can show, from the first to the last."""

from __future__ import annotations

from mlops.emit.plots.chart import Point

_MOST = 5000


class Thinned:
    """Each value, then each second, each fourth: so that what is kept has a bound, and reaches to the end.

    >>> curve = Thinned(most=3)
    >>> for number in range(8):
    ...     curve.add((float(number), 0.5))
    >>> curve.every, [x for x, _ in curve.points]
    (4, [0.0, 4.0, 7.0])
    """

    def __init__(self, most: int = _MOST) -> None:
        self.every = 1
        self._most = most
        self._count = 0
        self._kept: list[Point] = []
        self._last: Point | None = None

    def add(self, point: Point) -> None:
        if self._count % self.every == 0:
            self._kept.append(point)
            self._last = None
        else:
            self._last = point
        self._count += 1
        if len(self._kept) > self._most:
            self._last = self._last or (self._kept[-1] if len(self._kept) % 2 == 0 else None)
            del self._kept[1::2]
            self.every *= 2

    @property
    def points(self) -> list[Point]:
        return [*self._kept, *([self._last] if self._last is not None else [])]

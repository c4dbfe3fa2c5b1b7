"""The graph as an SVG picture: each step in a column after what it waits for.

Arrows run through the gaps between columns. One that passes a column has a lane of its own there, which all arrows of
its step share; one that leads back runs below everything. A branch's name stands above the box of the step that lies in
it, where no arrow comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from mlops.ir import Checked, Step
from mlops.ir.target import Target

WIDTH, HEIGHT = 168, 44
GAP_ACROSS, GAP_DOWN = 64, 18
LANE = 12
"""The height of a row in which arrows pass a column."""
LABEL = 14
MARGIN = 8
LETTERS = 22
"""Of a name that has room in a box."""

_LABELS = {"IfSteps": "true", "ElseSteps": "false", "ForEachBody": "each"}


@dataclass(frozen=True, slots=True)
class Box:
    """A step's place; ``x`` and ``y`` are its upper left corner. ``label`` is the branch that it lies in."""

    step: Step
    x: int
    y: int
    label: str | None = None

    @property
    def middle(self) -> int:
        return self.y + HEIGHT // 2


@dataclass(slots=True)
class _Layout:
    """``lanes`` are the heights at which the arrows of a step pass a column."""

    columns: Mapping[str, int]
    boxes: dict[str, Box] = field(default_factory=dict)
    lanes: dict[tuple[str, int], int] = field(default_factory=dict)
    right: int = WIDTH
    bottom: int = MARGIN

    def height_in(self, name: str, column: int) -> int:
        """Where what comes of a step leaves the column."""
        return self.boxes[name].middle if self.columns[name] == column else self.lanes[name, column]


def emit(checked: Checked, statuses: Mapping[str, str] | None = None) -> str:
    """``statuses`` colours steps of an execution by name. The text carries no script and no reference."""
    layout = _laid_out(checked)
    arrows = [*_arrows(checked, layout)]
    width, height = layout.right + MARGIN, layout.bottom + MARGIN
    body = [*arrows, *(line for box in layout.boxes.values() for line in _box(box, statuses or {}))]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="13">\n'
        f"<title>{escape(checked.definition.name or 'pipeline')}</title>\n" + "\n".join(body) + "\n</svg>\n"
    )


_COLOURS = {
    "Succeeded": "#d3f0d8",
    "cached": "#d3f0d8",
    "Failed": "#f8d0d0",
    "Executing": "#fff0c2",
    "Starting": "#fff0c2",
    "Stopped": "#e6d6f0",
}


def _columns(checked: Checked) -> dict[str, int]:
    """A step's column is one more than the last of those that it waits for."""
    steps = [placed.step.name for placed in checked.definition.placed()]
    columns: dict[str, int] = {}
    # Where a cycle or a repeated name leaves no order, the document's own is as good as any.
    for name in dict.fromkeys((*checked.order, *steps)):
        waits = [columns[other] for other in checked.edges.get(name, ()) if other in columns]
        columns[name] = max(waits, default=-1) + 1
    return {name: columns[name] for name in steps}


def _laid_out(checked: Checked) -> _Layout:
    """Column by column: each row as high as the rows are that lead to it, those alike in the order of the document."""
    placed = {item.step.name: item for item in checked.definition.placed()}
    layout = _Layout(_columns(checked))
    columns = layout.columns
    waits = {
        name: [other for other in sorted(checked.edges.get(name, ())) if columns.get(other, column) < column]
        for name, column in columns.items()
    }
    far = {name: max((columns[to] for to in columns if name in waits[to]), default=0) for name in columns}
    for column in range(max(columns.values(), default=-1) + 1):
        rows: list[tuple[float, str]] = []
        for name in columns:
            if columns[name] == column:
                heights = [layout.height_in(other, column - 1) for other in waits[name]]
                rows.append((sum(heights) / len(heights) if heights else 0.0, name))
            elif columns[name] < column < far[name]:
                rows.append((float(layout.height_in(name, column - 1)), name))
        free = MARGIN
        for wanted, name in sorted(rows, key=lambda row: row[0]):
            if columns[name] != column:
                top = max(free, round(wanted) - LANE // 2)
                layout.lanes[name, column] = top + LANE // 2
                free = top + LANE + GAP_DOWN // 2
                continue
            branches = placed[name].branches
            label = _LABELS.get(branches[-1][1], branches[-1][1]) if branches else None
            above = LABEL if label else 0
            top = max(free, round(wanted) - HEIGHT // 2 - above) + above
            layout.boxes[name] = Box(placed[name].step, _left(column), top, label)
            free = top + HEIGHT + GAP_DOWN
            layout.right = max(layout.right, _left(column) + WIDTH)
            layout.bottom = max(layout.bottom, top + HEIGHT)
        layout.bottom = max(layout.bottom, free - GAP_DOWN)
    layout.boxes = {name: layout.boxes[name] for name in columns}
    return layout


def _left(column: int) -> int:
    return MARGIN + column * (WIDTH + GAP_ACROSS)


def _arrows(checked: Checked, layout: _Layout) -> Iterator[str]:
    for (name, column), height in layout.lanes.items():
        left = _left(column)
        yield _across(layout, name, column - 1, left, height)
        yield _line(f"M{left} {height} H{left + WIDTH}")
    for name, box in layout.boxes.items():
        column = layout.columns[name]
        for other in sorted(checked.edges.get(name, ())):
            if other not in layout.boxes:
                continue
            if layout.columns[other] < column:
                yield _across(layout, other, column - 1, box.x - 5, box.middle)
            else:
                yield _back(layout, layout.boxes[other], box)
            yield f'<path d="M{box.x} {box.middle} l-7 -4 v8 z" fill="#889"/>'


def _across(layout: _Layout, name: str, column: int, x: int, y: int) -> str:
    """From where the arrows of a step leave a column through the gap behind it."""
    start, height = _left(column) + WIDTH, layout.height_in(name, column)
    bend = GAP_ACROSS // 2
    return _line(f"M{start} {height} C{start + bend} {height} {x - bend} {y} {x} {y}")


def _back(layout: _Layout, start: Box, end: Box) -> str:
    """To a step that stands before or beside what it waits for, as in a cycle."""
    layout.bottom += GAP_DOWN
    aside = GAP_ACROSS // 4
    right, left = start.x + WIDTH + aside, end.x - aside
    layout.right = max(layout.right, right)
    return _line(
        f"M{start.x + WIDTH} {start.middle} H{right} V{layout.bottom} H{max(left, 1)} V{end.middle} H{end.x - 5}"
    )


def _line(path: str) -> str:
    return f'<path d="{path}" fill="none" stroke="#889"/>'


def _box(box: Box, statuses: Mapping[str, str]) -> Iterator[str]:
    status = statuses.get(box.step.name)
    fill = _COLOURS.get(status or "", "#f4f6fa")
    name = box.step.name if len(box.step.name) <= LETTERS else box.step.name[: LETTERS - 1] + "…"
    kind = f"{box.step.type} · {status}" if status else box.step.type
    kind = kind if len(kind) <= LETTERS + 6 else kind[: LETTERS + 5] + "…"
    yield (
        f"<g><title>{escape(box.step.name)}</title>"
        f"{_label(box)}"
        f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="#667"/>'
        f'<text x="{box.x + 10}" y="{box.y + 19}" fill="#123">{escape(name)}</text>'
        f'<text x="{box.x + 10}" y="{box.y + 35}" font-size="11" fill="#667">{escape(kind)}</text></g>'
    )


def _label(box: Box) -> str:
    if box.label is None:
        return ""
    return f'<text x="{box.x + 4}" y="{box.y - 4}" font-size="10" fill="#667">{escape(box.label)}</text>'


TARGET = Target("TARGET as a picture: its graph in SVG.", lambda source: emit(source.checked))

"""The graph as an SVG picture: each step in a column after what it waits for, branches told on the arrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from mlops.ir import Checked, Step
from mlops.ir.target import Target

WIDTH, HEIGHT = 168, 44
GAP_ACROSS, GAP_DOWN = 64, 18
MARGIN = 8
LETTERS = 22
"""Of a name that has room in a box."""

_LABELS = {"IfSteps": "true", "ElseSteps": "false", "ForEachBody": "each"}


@dataclass(frozen=True, slots=True)
class Box:
    """A step's place; ``x`` and ``y`` are its upper left corner."""

    step: Step
    x: int
    y: int


def emit(checked: Checked, statuses: Mapping[str, str] | None = None) -> str:
    """``statuses`` colours steps of an execution by name. The text carries no script and no reference."""
    boxes = _places(checked)
    width = max((box.x + WIDTH for box in boxes.values()), default=WIDTH) + MARGIN
    height = max((box.y + HEIGHT for box in boxes.values()), default=HEIGHT) + MARGIN
    body = [*_arrows(checked, boxes), *(line for box in boxes.values() for line in _box(box, statuses or {}))]
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


def _places(checked: Checked) -> dict[str, Box]:
    """A step's column is one more than the last of those that it waits for; in a column, the order of the document."""
    steps = {placed.step.name: placed.step for placed in checked.definition.placed()}
    columns: dict[str, int] = {}
    # Where a cycle or a repeated name leaves no order, the document's own is as good as any.
    for name in dict.fromkeys((*checked.order, *steps)):
        waits = [columns[other] for other in checked.edges.get(name, ()) if other in columns]
        columns[name] = max(waits, default=-1) + 1
    filled: dict[int, int] = {}
    boxes: dict[str, Box] = {}
    for name, step in steps.items():
        column = columns[name]
        row = filled.get(column, 0)
        filled[column] = row + 1
        boxes[name] = Box(step, MARGIN + column * (WIDTH + GAP_ACROSS), MARGIN + row * (HEIGHT + GAP_DOWN))
    return boxes


def _arrows(checked: Checked, boxes: Mapping[str, Box]) -> Iterator[str]:
    inside = {
        (step.step.name, inner.name): _LABELS.get(block.member, block.member)
        for step in boxes.values()
        for block in step.step.blocks
        for inner in block.steps
    }
    for name, box in boxes.items():
        for other in sorted(checked.edges.get(name, ())):
            if other not in boxes:
                continue
            start = boxes[other]
            x1, y1 = start.x + WIDTH, start.y + HEIGHT // 2
            x2, y2 = box.x, box.y + HEIGHT // 2
            bend = GAP_ACROSS // 2
            yield (
                f'<path d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2 - 5} {y2}" fill="none" stroke="#889"/>'
                f'<path d="M{x2} {y2} l-7 -4 v8 z" fill="#889"/>'
            )
            label = inside.get((other, name))
            if label is not None:
                yield f'<text x="{x2 - 34}" y="{y2 - 6}" font-size="10" fill="#667">{escape(label)}</text>'


def _box(box: Box, statuses: Mapping[str, str]) -> Iterator[str]:
    status = statuses.get(box.step.name)
    fill = _COLOURS.get(status or "", "#f4f6fa")
    name = box.step.name if len(box.step.name) <= LETTERS else box.step.name[: LETTERS - 1] + "…"
    kind = f"{box.step.type} · {status}" if status else box.step.type
    kind = kind if len(kind) <= LETTERS + 6 else kind[: LETTERS + 5] + "…"
    yield (
        f"<g><title>{escape(box.step.name)}</title>"
        f'<rect x="{box.x}" y="{box.y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="{fill}" stroke="#667"/>'
        f'<text x="{box.x + 10}" y="{box.y + 19}" fill="#123">{escape(name)}</text>'
        f'<text x="{box.x + 10}" y="{box.y + 35}" font-size="11" fill="#667">{escape(kind)}</text></g>'
    )


TARGET = Target("TARGET as a picture: its graph in SVG.", lambda source: emit(source.checked))

"""What was laid out, as SVG. It carries no script and no reference, and follows the light or dark of whoever looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape

from mlops.emit.drawing.graph import Graph, Group, Node
from mlops.emit.drawing.layered import Size, Stop
from mlops.emit.drawing.layout import GROUP_SIZE, HEAD, LOOP, STACK, Area, Drawing, laid_out
from mlops.emit.drawing.states import State, state_of, together
from mlops.emit.drawing.text import FONT, fitted, width

NAME_SIZE, KIND_SIZE = 13.0, 11.0
HEIGHT = 46.0
_LEAST, _MOST = 112.0, 264.0
_INSET, _SIGN = 13.0, 26.0
_MOST_NAMES = 30
"""Of steps that one box stands for."""
_LONGEST = "Succeeded"
MARGIN = 16.0
_TIP = 7.0
STYLE = """\
.mlops-graph text{fill:#1d2329}
.mlops-graph .page{fill:#fff}
.mlops-graph .box{fill:#f6f8fa;stroke:#8b97a3}
.mlops-graph .kind,.mlops-graph .label{fill:#57636f}
.mlops-graph .line,.mlops-graph .glyph{fill:none;stroke:#7d8996;stroke-width:1.4}
.mlops-graph .tip{fill:#7d8996}
.mlops-graph .frame{fill:#57636f;fill-opacity:.05;stroke:#b9c2cb;stroke-dasharray:4 3}
.mlops-graph .sheet{fill:none;stroke:#b9c2cb}
.mlops-graph .dot{fill:#57636f}
.mlops-graph .dot+.glyph{stroke:#fff;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.mlops-graph .good .box{fill:#e6f6ea;stroke:#2e8b4a}.mlops-graph .good .dot{fill:#23793d}
.mlops-graph .bad .box{fill:#fdeaea;stroke:#c62f38;stroke-width:1.6}.mlops-graph .bad .dot{fill:#b3212b}
.mlops-graph .busy .box{fill:#fff6db;stroke:#b98300}.mlops-graph .busy .dot{fill:#8a6100}
.mlops-graph .halted .box{fill:#f1eafa;stroke:#8660b5}.mlops-graph .halted .dot{fill:#6d469c}
.mlops-graph .idle .box{stroke-dasharray:3 2}.mlops-graph .many .box{stroke-width:2.6}
@media (prefers-color-scheme:dark){
.mlops-graph text{fill:#e4e8ec}
.mlops-graph .page{fill:#14181c}
.mlops-graph .box{fill:#20272e;stroke:#71808f}
.mlops-graph .kind,.mlops-graph .label{fill:#a5b1bd}
.mlops-graph .line,.mlops-graph .glyph{stroke:#8290a0}
.mlops-graph .tip{fill:#8290a0}
.mlops-graph .frame{fill:#a5b1bd;stroke:#4a5663}
.mlops-graph .sheet{stroke:#4a5663}
.mlops-graph .dot{fill:#a5b1bd}.mlops-graph .dot+.glyph{stroke:#14181c}
.mlops-graph .good .box{fill:#14301d;stroke:#4cae6b}.mlops-graph .good .dot{fill:#6cc98a}
.mlops-graph .bad .box{fill:#3d181b;stroke:#ee6b73}.mlops-graph .bad .dot{fill:#f58a90}
.mlops-graph .busy .box{fill:#352a0d;stroke:#d9a520}.mlops-graph .busy .dot{fill:#e8bd4f}
.mlops-graph .halted .box{fill:#2a2038;stroke:#a988d6}.mlops-graph .halted .dot{fill:#bfa3e6}
}
"""


def written(graph: Graph, title: str, order: Sequence[str] = (), statuses: Mapping[str, str] | None = None) -> str:
    """``order`` is that in which steps are read out, by their names; ``statuses`` are those of an execution."""
    told = {key: _status(node, statuses) for key, node in graph.nodes.items()}
    signed = statuses is not None
    drawing = _placed(tuple(graph.nodes.values()), tuple(graph.groups.values()), graph.edges, signed)
    wide, high = drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN
    count = sum(len(node.steps) for node in graph.nodes.values())
    steps = "1 step" if count == 1 else f"{count} steps"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="mlops-graph" width="{_n(wide)}" height="{_n(high)}" '
            f'viewBox="0 0 {_n(wide)} {_n(high)}" role="graphics-document document" '
            f'aria-label="{escape(f"{title}, {steps}")}" font-family="{FONT}" font-size="{_n(NAME_SIZE)}">',
            f"<title>{escape(title)}</title>",
            f"<desc>{steps}, each below what it waits for.</desc>",
            f"<style>{STYLE}</style>",
            f'<rect class="page" width="{_n(wide)}" height="{_n(high)}" rx="8" fill="#fff"/>',
            f'<g transform="translate({_n(MARGIN)} {_n(MARGIN)})">',
            *_frames(graph, drawing),
            *_lines(drawing),
            *_steps(graph, drawing, told, {name: at for at, name in enumerate(order)}),
            "</g>",
            "</svg>",
            "",
        ]
    )


@lru_cache(maxsize=8)
def _placed(
    nodes: tuple[Node, ...], groups: tuple[Group, ...], edges: tuple[tuple[int, int], ...], signed: bool
) -> Drawing:
    """Once for all looks at an execution, whose boxes stay where they are."""
    graph = Graph({node.key: node for node in nodes}, {group.key: group for group in groups}, edges)
    return laid_out(graph, {node.key: _size(node, signed) for node in nodes})


def _status(node: Node, statuses: Mapping[str, str] | None) -> str | None:
    if statuses is None:
        return None
    return together(statuses.get(step) for step in node.steps)


def _size(node: Node, signed: bool) -> Size:
    """With room for any state, so that nothing moves when it changes."""
    kind = _kind(node, _LONGEST if signed else None)
    text = max(width(node.name, NAME_SIZE), width(kind, KIND_SIZE)) + (_SIGN if signed else 0.0)
    return Size(round(min(max(text + 2 * _INSET, _LEAST), _MOST)), HEIGHT)


def _kind(node: Node, status: str | None) -> str:
    return f"{node.type} · {state_of(status).word}" if status else node.type


def _frames(graph: Graph, drawing: Drawing) -> Iterator[str]:
    """Behind everything, the outer ones first."""
    yield '<g aria-hidden="true">'
    for key, framed in drawing.frames.items():
        if graph.groups[key].repeated:
            for sheet in (2 * STACK, STACK):
                yield _sheet(framed.frame, sheet)
        yield _rectangle("frame", framed.frame, 8)
        yield (
            f'<text class="label" text-anchor="middle" x="{_n(framed.label)}" y="{_n(framed.frame.top + HEAD - 8)}" '
            f'font-size="{_n(GROUP_SIZE)}">{escape(graph.groups[key].label)}</text>'
        )
    yield "</g>"


def _sheet(frame: Area, by: float) -> str:
    """What shows of a sheet behind another: its lower right edge."""
    left, bottom, right, top = frame.left + by + 3, frame.bottom + by, frame.right + by, frame.top + by + 3
    back = by - STACK
    return (
        f'<path class="sheet" fill="none" d="M{_n(left)} {_n(frame.bottom + back)} V{_n(bottom - 5)} Q{_n(left)} '
        f"{_n(bottom)} "
        f"{_n(left + 5)} {_n(bottom)} H{_n(right - 8)} Q{_n(right)} {_n(bottom)} {_n(right)} {_n(bottom - 8)} "
        f'V{_n(top + 5)} Q{_n(right)} {_n(top)} {_n(right - 5)} {_n(top)} H{_n(frame.right + back)}"/>'
    )


def _lines(drawing: Drawing) -> Iterator[str]:
    """What runs together is drawn once, with the first of its edges."""
    yield '<g aria-hidden="true">'
    tips: dict[str, None] = {}
    drawn: set[tuple[str, str]] = set()
    for way in drawing.ways:
        pieces = [piece for piece in _pieces(way.stops, way.upwards) if piece not in drawn]
        drawn.update(pieces)
        yield from (_line(path) for path in _joined(pieces))
        end = way.stops[0] if way.upwards else way.stops[-1]
        head = f"l-4.5 {_n(_TIP)} h9 z" if way.upwards else f"l-4.5 {_n(-_TIP)} h9 z"
        tips[f'<path class="tip" fill="#7d8996" d="M{_n(end.x)} {_n(end.top)} {head}"/>'] = None
    for key in drawing.loops:
        box = drawing.boxes[key]
        x, y, by = box.right, box.top + box.height / 2, LOOP - 4
        yield _line(
            f"M{_n(x)} {_n(y - 9)} C{_n(x + by)} {_n(y - 18)} {_n(x + by)} {_n(y + 18)} {_n(x + 5)} {_n(y + 9)}"
        )
        tips[f'<path class="tip" fill="#7d8996" d="M{_n(x)} {_n(y + 9)} l{_n(_TIP)} -4.5 v9 z"/>'] = None
    yield from tips
    yield "</g>"


def _line(path: str) -> str:
    return f'<path class="line" fill="none" stroke="#7d8996" d="{path}"/>'


def _pieces(stops: Sequence[Stop], upwards: bool) -> Iterator[tuple[str, str]]:
    """Straight down through layers, and between them in curves that begin and end straight down: each piece with where
    it begins."""
    short = _TIP - 1
    x, y = stops[0].x, stops[0].top + (short if upwards else 0.0)
    for number, stop in enumerate(stops):
        last = number == len(stops) - 1
        top = stop.top - (short if last and not upwards else 0.0)
        begin = f"M{_n(x)} {_n(y)}"
        if abs(stop.x - x) >= 0.05:
            middle = (y + top) / 2
            yield begin, f" C{_n(x)} {_n(middle)} {_n(stop.x)} {_n(middle)} {_n(stop.x)} {_n(top)}"
        elif top > y:
            yield begin, f" V{_n(top)}"
        x, y = stop.x, max(y, top)
        if not last and stop.bottom > y:
            yield f"M{_n(x)} {_n(y)}", f" V{_n(stop.bottom)}"
            y = stop.bottom


def _joined(pieces: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Paths of as many pieces as follow each other, straight ones as one."""
    path, at = "", ""
    for begin, piece in pieces:
        if begin != at:
            if path:
                yield path
            path = begin
        elif piece.startswith(" V") and path.rpartition(" ")[2].startswith("V"):
            path = path.rpartition(" ")[0]
        path += piece
        x = begin[1:].split()[0]
        at = f"M{x} {piece[2:]}" if piece.startswith(" V") else f"M{' '.join(piece.split()[-2:])}"
    if path:
        yield path


def _steps(graph: Graph, drawing: Drawing, told: Mapping[int, str | None], order: Mapping[str, int]) -> Iterator[str]:
    """Groups hold their steps; all in the order in which they run."""
    inside: dict[int | None, list[int]] = {}
    for key in [*graph.nodes, *graph.groups]:
        inside.setdefault(graph.inside(key), []).append(key)

    def place(key: int) -> tuple[int, int]:
        node = graph.nodes[key] if key in graph.nodes else graph.nodes[graph.groups[key].owner]
        return order.get(node.steps[0], len(order)), key

    todo: list[int | str] = [*sorted(inside.get(None, []), key=place, reverse=True)]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            yield one
        elif one in graph.groups:
            group = graph.groups[one]
            yield f'<g role="group" aria-label="{escape(f"{group.label}, of {graph.nodes[group.owner].name}")}">'
            todo += ["</g>", *sorted(inside.get(one, []), key=place, reverse=True)]
        else:
            yield from _step(graph, graph.nodes[one], drawing.boxes[one], told[one])


def _step(graph: Graph, node: Node, box: Area, status: str | None) -> Iterator[str]:
    state = state_of(status) if status else None
    kind = _kind(node, status)
    after = [graph.nodes[other].name for other in graph.waits(node.key)]
    held = ", ".join(node.steps[:_MOST_NAMES]) + (" …" if len(node.steps) > _MOST_NAMES else "")
    read = f"{node.name}: {kind.replace(' · ', ', ')}" + (f", after {', '.join(after)}" if after else "")
    room = box.width - 2 * _INSET + 0.5 - (_SIGN if state is not None else 0.0)
    round = HEIGHT / 2 if node.type in ("Condition", "ForEach") else 7
    kinds = [*([state.kind] if state is not None else []), *(["many"] if len(node.steps) > 1 else [])]
    classes = f' class="{" ".join(kinds)}"' if kinds else ""
    yield f'<g role="graphics-symbol img"{classes} aria-label="{escape(read)}"><title>{escape(held)}</title>'
    yield _rectangle("box", box, round, 'fill="#f6f8fa" stroke="#8b97a3"')
    x = _n(box.left + _INSET)
    yield f'<text class="name" x="{x}" y="{_n(box.top + 20)}">{escape(fitted(node.name, room, NAME_SIZE))}</text>'
    yield (
        f'<text class="kind" x="{x}" y="{_n(box.top + 36)}" font-size="{_n(KIND_SIZE)}">'
        f"{escape(fitted(kind, room, KIND_SIZE))}</text>"
    )
    if state is not None and state.glyph:
        yield _marked(state, box)
    yield "</g>"


def _marked(state: State, box: Area) -> str:
    at = f"translate({_n(box.right - _INSET - 8)} {_n(box.top + HEIGHT / 2)})"
    return (
        f'<g transform="{at}"><circle class="dot" r="8" fill="#57636f"/>'
        f'<path class="glyph" fill="none" stroke="#fff" d="{state.glyph}"/></g>'
    )


def _rectangle(kind: str, area: Area, round: float, plain: str = 'fill="none" stroke="#b9c2cb"') -> str:
    return (
        f'<rect class="{kind}" x="{_n(area.left)}" y="{_n(area.top)}" width="{_n(area.width)}" '
        f'height="{_n(area.height)}" rx="{_n(round)}" {plain}/>'
    )


def _n(value: float) -> str:
    """
    >>> _n(3.0), _n(2.04), _n(-0.01)
    ('3', '2', '0')
    """
    told = f"{value:.1f}".removesuffix(".0")
    return "0" if told == "-0" else told

"""The graph in Graphviz's language, for programs that read it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.drawing.graph import Graph, graph_of
from mlops.ir import Checked
from mlops.ir.target import Target


def emit(checked: Checked) -> str:
    """Branches are clusters. An arrow to one ends at its frame: it goes to the first step in it, and is cut there."""
    graph = graph_of(checked)
    lines = [
        f"digraph {_text(checked.definition.name or 'pipeline')} {{",
        "  compound=true;",
        '  node [shape=box style=rounded fontname="Helvetica"];',
        *_inside(graph, None, "  "),
    ]
    for source, target in graph.edges:
        if target in graph.groups:
            first = next(key for key in graph.nodes if target in graph.around(key))
            lines.append(f"  step{source} -> step{first} [lhead=cluster{target}];")
        else:
            lines.append(f"  step{source} -> step{target};")
    return "\n".join(lines) + "\n}\n"


def _inside(graph: Graph, group: int | None, indent: str) -> Iterator[str]:
    for key in sorted([*graph.nodes, *graph.groups]):
        if graph.inside(key) != group:
            continue
        if key in graph.groups:
            yield f"{indent}subgraph cluster{key} {{"
            yield f"{indent}  label={_text(graph.groups[key].label)}; style=dashed;"
            yield from _inside(graph, key, indent + "  ")
            yield f"{indent}}}"
        else:
            node = graph.nodes[key]
            label = f"{node.name}\n{node.type}"
            yield f"{indent}step{key} [label={_text(label)}];"


def _text(text: str) -> str:
    """In quotes, where a backslash stands for itself.

    >>> print(_text('a "b" \\\\N'))
    "a \\"b\\" \\\\N"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


TARGET = Target("TARGET in Graphviz's language.", lambda source: emit(source.checked))

"""The graph as a Mermaid flowchart, which GitHub, GitLab and many wikis draw where a code block holds it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.emit.drawing.graph import Graph, graph_of
from mlops.ir import Checked
from mlops.ir.target import Target


def emit(checked: Checked) -> str:
    graph = graph_of(checked)
    lines = ["flowchart TD", *_inside(graph, None, "    ")]
    for source, target in graph.edges:
        lines.append(f"    {_id(graph, source)} --> {_id(graph, target)}")
    return "\n".join(lines) + "\n"


def _inside(graph: Graph, group: int | None, indent: str) -> Iterator[str]:
    for key in sorted([*graph.nodes, *graph.groups]):
        if graph.inside(key) != group:
            continue
        if key in graph.groups:
            yield f'{indent}subgraph {_id(graph, key)}["{_text(graph.groups[key].label)}"]'
            yield from _inside(graph, key, indent + "    ")
            yield f"{indent}end"
        else:
            node = graph.nodes[key]
            begin, end = ("{{", "}}") if node.type in ("Condition", "ForEach") else ("[", "]")
            yield f'{indent}{_id(graph, key)}{begin}"{_text(node.name)}<br/>{_text(node.type)}"{end}'


def _id(graph: Graph, key: int) -> str:
    return f"{'branch' if key in graph.groups else 'step'}{key}"


def _text(text: str) -> str:
    """What stands in quotes; Mermaid writes characters by their numbers, and would take others as markup.

    >>> _text('a "b" <c>;\\n#d')
    'a #34;b#34; #60;c#62;#59;#10;#35;d'
    """
    return "".join(letter if letter.isalnum() or letter in " -_./:" else f"#{ord(letter)};" for letter in text)


TARGET = Target("TARGET as a Mermaid flowchart, for READMEs and wikis.", lambda source: emit(source.checked))

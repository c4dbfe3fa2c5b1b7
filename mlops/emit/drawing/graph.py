"""What is to be drawn of a checked pipeline: steps, the branches that hold some of them, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.ir import Checked
from mlops.ir.dataclass import dataclass

BRANCHES = {"IfSteps": "if true", "ElseSteps": "if false", "ForEachBody": "for each"}


@dataclass(frozen=True, slots=True)
class Node:
    """A box. ``steps`` are the names of those that it stands for: one, or several that were collapsed into it.
    ``inside`` is the group that holds it, None for none."""

    key: int
    name: str
    type: str
    steps: tuple[str, ...]
    inside: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What ``owner``, a step, does under a condition, or again and again: then it is ``repeated``."""

    key: int
    label: str
    owner: int
    inside: int | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Keys are one numbering over nodes and groups, in the document's order. An edge goes from a node to the node that
    waits for it, or to a group that it owns."""

    nodes: Mapping[int, Node]
    groups: Mapping[int, Group]
    edges: tuple[tuple[int, int], ...]

    def inside(self, key: int) -> int | None:
        """The group that holds it, None for none."""
        return self.nodes[key].inside if key in self.nodes else self.groups[key].inside

    def around(self, key: int) -> Iterator[int]:
        """The groups that hold it, the innermost first."""
        group = self.inside(key)
        while group is not None:
            yield group
            group = self.groups[group].inside

    def waits(self, key: int) -> list[int]:
        """What the node waits for, without the owners of groups around it."""
        return [source for source, target in self.edges if target == key]


def graph_of(checked: Checked) -> Graph:
    """A step in a branch waits for the step that decides, which the arrow to its group says; no other stands for it."""
    placed = list(checked.definition.placed())
    nodes: dict[int, Node] = {}
    groups: dict[int, Group] = {}
    # A document may name two steps alike, which a rule tells of: both are drawn, and the first is waited for.
    by_name: dict[str, int] = {}
    held: dict[tuple[tuple[str, str], ...], int] = {}
    key = 0
    for item in placed:
        if item.branches and item.branches not in held:
            owner, member = item.branches[-1]
            label = BRANCHES.get(member, member)
            around = held.get(item.branches[:-1])
            groups[key] = Group(key, label, by_name[owner], around, member == "ForEachBody")
            held[item.branches] = key
            key += 1
        inside = held.get(item.branches)
        nodes[key] = Node(key, item.step.name, item.step.type, (item.step.name,), inside)
        by_name.setdefault(item.step.name, key)
        key += 1
    edges = {(group.owner, group.key) for group in groups.values()}
    for item in placed:
        owners = {owner for owner, _ in item.branches}
        for source in checked.edges.get(item.step.name, frozenset()):
            if source in by_name and source not in owners:
                edges.add((by_name[source], by_name[item.step.name]))
    return Graph(nodes, groups, tuple(sorted(edges)))

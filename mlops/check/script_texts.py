"""The texts that a script's expressions are for certain: literals, and paths that it puts together of them."""

from __future__ import annotations

import ast
import itertools
import math
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping

_JOINS = ("join", "joinpath", "Path", "PurePath", "PosixPath", "PurePosixPath")
_SAME = ("str", "fspath", "as_posix", "resolve", "absolute", "expanduser")
_MOST = 32
_LONGEST = 4096
"""Of a text that is put together: no path is longer, and of names that are twice the one before there is no end."""


class Texts:
    """Of one file. A name counts where it is given one value in the whole file, whatever the scope, or goes once
    through a list that is written out.

    >>> tree = ast.parse('out = Path("/opt/out")\\nfor n in ("a", "b"):\\n    open(out / f"{n}.json")')
    >>> Texts(tree).all(tree.body[1].body[0].value.args[0])
    ('/opt/out/a.json', '/opt/out/b.json')
    """

    def __init__(self, tree: ast.Module) -> None:
        values: dict[str, ast.expr] = {}
        loops: dict[str, tuple[str, ...]] = {}
        bound: Counter[str] = Counter()
        for node in ast.walk(tree):
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    values[name] = value
                case ast.For(target=target, iter=listed) | ast.comprehension(target=target, iter=listed):
                    loops |= _gone_through(target, listed)
            bound.update(_binds(node))
        self._values = {name: value for name, value in values.items() if bound[name] == 1}
        self._loops = {name: items for name, items in loops.items() if bound[name] == 1}
        self._known: dict[str, str | None] = {}

    def value(self, node: ast.expr) -> ast.expr | None:
        """What a name is given, where that is once in the whole file."""
        return self._values.get(node.id) if isinstance(node, ast.Name) else node

    def of(self, node: ast.expr) -> str | None:
        """None where it is known only when the script runs, or is several."""
        return self._of(node, {})

    def all(self, node: ast.expr) -> tuple[str, ...]:
        """One for each turn of the loops that it stands in; none where one is not known."""
        alone = self.of(node)
        if alone is not None or not self._loops:
            return (alone,) if alone is not None else ()
        names = sorted({item.id for item in ast.walk(node) if isinstance(item, ast.Name)} & self._loops.keys())
        if not names or math.prod(len(self._loops[name]) for name in names) > _MOST:
            return ()
        turns = itertools.product(*(self._loops[name] for name in names))
        found = [self._of(node, dict(zip(names, turn, strict=True))) for turn in turns]
        return tuple(dict.fromkeys(text for text in found if text is not None)) if None not in found else ()

    def _of(self, node: ast.expr, turn: Mapping[str, str]) -> str | None:
        def each(*nodes: ast.expr) -> list[str | None]:
            return [self._of(item, turn) for item in nodes]

        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return turn[name] if name in turn else self._named(name)
            case ast.JoinedStr(values=parts):
                return _together("", each(*parts))
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self._of(value, turn)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _together("", each(left, right))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return _together("/", each(left, right))
            case ast.Call(func=ast.Attribute(attr="joinpath", value=start), args=args, keywords=[]):
                return _together("/", each(start, *args))
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[_, *_] as args, keywords=[]) if (
                name in _JOINS and (name != "join" or _is_of_a_path(node.func))
            ):
                return _together("/", each(*args))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[only]) if name in _SAME:
                return self._of(only, turn)
            case ast.Call(func=ast.Attribute(attr=name, value=start), args=[]) if name in _SAME:
                return self._of(start, turn)
        return None

    def _named(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = None  # of itself it is nothing
            value = self._values.get(name)
            self._known[name] = self.of(value) if value is not None else None
        return self._known[name]


def _gone_through(target: ast.expr, listed: ast.expr) -> dict[str, tuple[str, ...]]:
    """``for part in ("train", "test")``; of a dictionary that is written out the keys."""
    match target, listed:
        case ast.Name(id=name), ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            texts = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
            return {name: tuple(texts)} if texts and len(texts) == len(items) else {}
        case ast.Name() as name_only, ast.Dict(keys=keys):
            return _gone_through(name_only, ast.List(elts=[key for key in keys if key is not None]))
        case ast.Tuple(elts=[first, *_]), ast.Call(func=ast.Attribute(attr="items", value=ast.Dict() as pairs)):
            return _gone_through(first, pairs)
    return {}


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from names
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name


def _is_of_a_path(function: ast.expr) -> bool:
    """``os.path.join``, not that of a string."""
    return isinstance(function, ast.Name) or (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Attribute | ast.Name)
        and (function.value.attr if isinstance(function.value, ast.Attribute) else function.value.id)
        in ("path", "posixpath", "osp")
    )


def _together(on: str, parts: list[str | None]) -> str | None:
    texts = [part for part in parts if part is not None]
    if len(texts) != len(parts) or sum(map(len, texts)) > _LONGEST:
        return None
    return posixpath.normpath(posixpath.join(*texts)) if on and texts else "".join(texts)

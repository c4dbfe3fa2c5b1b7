"""The texts that a script's expressions are for certain: literals, and paths that it puts together of them."""

from __future__ import annotations

import ast
import posixpath
from collections import Counter
from collections.abc import Iterator

_JOINS = ("join", "joinpath", "Path", "PurePath", "PosixPath", "PurePosixPath")
_SAME = ("str", "fspath", "as_posix", "resolve", "absolute", "expanduser")


class Texts:
    """Of one file. A name counts where it is given one value in the whole file, whatever the scope.

    >>> tree = ast.parse('out = Path("/opt/out")\\nopen(out / "a.json")')
    >>> Texts(tree).of(tree.body[1].value.args[0])
    '/opt/out/a.json'
    """

    def __init__(self, tree: ast.Module) -> None:
        values: dict[str, ast.expr] = {}
        bound: Counter[str] = Counter()
        for node in ast.walk(tree):
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                ):
                    values[name] = value
            bound.update(_binds(node))
        self._values = {name: value for name, value in values.items() if bound[name] == 1}
        self._known: dict[str, str | None] = {}

    def of(self, node: ast.expr) -> str | None:
        """None where it is known only when the script runs."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self._named(name)
            case ast.JoinedStr(values=parts):
                return _together("", [self.of(part) for part in parts])
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.of(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _together("", [self.of(left), self.of(right)])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return _together("/", [self.of(left), self.of(right)])
            case ast.Call(func=ast.Attribute(attr="joinpath", value=start), args=args, keywords=[]):
                return _together("/", [self.of(start), *map(self.of, args)])
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[_, *_] as args, keywords=[]) if (
                name in _JOINS and (name != "join" or _is_of_a_path(node.func))
            ):
                return _together("/", list(map(self.of, args)))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[only]) if name in _SAME:
                return self.of(only)
            case ast.Call(func=ast.Attribute(attr=name, value=start), args=[]) if name in _SAME:
                return self.of(start)
        return None

    def _named(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = None  # of itself it is nothing
            value = self._values.get(name)
            self._known[name] = self.of(value) if value is not None else None
        return self._known[name]


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
    if len(texts) != len(parts):
        return None
    return posixpath.normpath(posixpath.join(*texts)) if on and texts else "".join(texts)

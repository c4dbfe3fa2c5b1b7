"""Our decorator makes what the standard library's makes: each class is made twice from one text."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from typing import Any

import pytest

from mlops.ir import dataclass as ours

CLASSES = {
    "frozen": ("frozen=True, slots=True", "a: int; b: object = None"),
    "one field": ("frozen=True, slots=True", "a: object"),
    "no fields": ("frozen=True, slots=True", "pass"),
    "bare": ("", "a: int; b: list = field(default_factory=list)"),
    "a factory": ("frozen=True, slots=True", "a: int; b: list = field(default_factory=list)"),
    "left out": ("frozen=True", "a: int; b: int = field(default=1, compare=False, repr=False)"),
    "unhashed": ("frozen=True", "a: int; b: list = field(default_factory=list, hash=False)"),
    "own equality": ("frozen=True", "a: int; __eq__ = lambda *_: True"),
    "own hash": ("", "a: int; __hash__ = lambda _: 7"),
    "own both": ("frozen=True", "a: int; __eq__ = lambda *_: True; __hash__ = lambda _: 7"),
    "no hash": ("frozen=True", "a: int; __hash__ = None"),
    "own repr": ("frozen=True", "a: int; __repr__ = lambda _: 'own'"),
    "no repr": ("frozen=True, repr=False", "a: int"),
    "by identity": ("eq=False", "a: int"),
    "ordered": ("frozen=True, order=True", "a: int"),
    "after": ("frozen=True", "a: int; __post_init__ = lambda self: object.__setattr__(self, 'a', 4)"),
    "not taken": ("frozen=True, slots=True", "a: int; b: int = field(default=3, init=False)"),
    "made anew": ("", "a: int; b: list = field(default_factory=list, init=False)"),
    "by keyword": ("frozen=True, slots=True, kw_only=True", "a: int; b: int = 3"),
    "last by keyword": ("frozen=True", "b: int = field(default=3, kw_only=True); a: int = 4"),
}
CHILDREN = {
    "a child": "@dataclass(frozen=True)\nclass B:\n a: int\n@dataclass(frozen=True)\nclass C(B):\n b: int = 2",
    "a plain child": "@dataclass(frozen=True)\nclass B:\n a: int\nclass C(B):\n pass",
    "its mother's words": "@dataclass\nclass B:\n __repr__ = lambda _: 'B'\n@dataclass\nclass C(B):\n a: int = 2",
}
TEXTS = {name: f"@dataclass({options})\nclass C: {body}" for name, (options, body) in CLASSES.items()} | CHILDREN


def _made(text: str, decorator: Any) -> Any:
    names: dict[str, Any] = {"dataclass": decorator, "field": dataclasses.field, "__name__": __name__}
    exec(compile(text, "a class", "exec"), names)
    return names["C"]


def _answers(cls: Any) -> list[Any]:
    names = [field.name for field in dataclasses.fields(cls) if field.init]
    nan = float("nan")
    given = [[1, 2], [1, 2], [1, 3], [2, 2], [nan, nan], [True, 2.0]]
    made = [cls(**dict(zip(names, values, strict=False))) for values in given]

    def told(asked: Any) -> Any:
        try:
            answer = asked()
        except (TypeError, AttributeError) as error:
            return str(error).split(":")[0]
        return answer

    return [
        [[one == other for one in made] for other in made],
        [made[0] == 1, made[0].__eq__(1)] if "own" not in repr(cls) else None,
        [told(lambda one=one: hash(one) == hash(made[0])) for one in made] if cls.__eq__ is not object.__eq__ else None,
        [repr(one).split(" at 0x")[0] for one in made],
        cls.__match_args__,
        str(inspect.signature(cls)),
        told(lambda: dataclasses.replace(made[0], **dict(zip(names, [9], strict=False))) == made[0]),
        dataclasses.asdict(made[0]),
        told(lambda: made[0] < made[3]),
        told(lambda: setattr(made[0], "a", 5)) if names else None,
    ]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_it_answers_as_the_standard_librarys(text: str) -> None:
    assert _answers(_made(text, ours.dataclass)) == _answers(_made(text, dataclasses.dataclass))


@ours.dataclass(frozen=True, slots=True)
class Kept:
    a: int
    inside: Any = None


@ours.dataclass
class Round:
    me: Any = None


def test_it_is_pickled_and_tells_itself_once() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, Kept(2)))) == Kept(1, Kept(2))
    circle = Round()
    circle.me = circle
    assert repr(circle) == "Round(me=...)"
    assert {Kept(1): "one"}[Kept(1)] == "one"
    assert Kept(1) != Kept(2)

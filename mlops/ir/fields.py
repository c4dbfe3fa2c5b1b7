"""What the arguments of a constructor are in the document: one record of them, read in both directions.

A step's file states its fields beside the constructor's signature. ``declare`` makes the request of them, ``emit`` the
constructor's call of a request; the docs and the words of the official SDK are read from them too. What has no straight
path has a pair of small functions at its field: ``to`` makes the member of the argument, ``said`` the argument of the
member. What is said is a value too, of the classes below, and no text: only ``emit`` knows which variables there are.

Tuples with names, not dataclasses: every compile loads them, and those take five times as long to make.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from mlops.ir.definition import Step
from mlops.ir.values import Value

DATA, MODEL, REPORT = "data", "model", "report"
STRING, INTEGER, FLOAT, BOOLEAN, ANY = "string", "integer", "float", "boolean", "any"
NUMBERS = (INTEGER, FLOAT)
EVERY = (DATA, MODEL, STRING, INTEGER, FLOAT, BOOLEAN)
"""Kinds of references: what they are known to be."""


class Missing:
    """The type of :data:`MISSING`."""


MISSING: Final = Missing()
"""What is not in the document at all."""


class _Required:
    """The type of :data:`REQUIRED`."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = _Required()
"""The default of an argument that has none."""


# What is said of a member.


class Said(NamedTuple):
    """A value as it is, or a reference of one of these kinds; without kinds, whatever can be written."""

    value: Value
    accepts: Sequence[str] | None = None


class Made(NamedTuple):
    """``name(…)``; a tuple where there is no name."""

    name: str
    positional: Sequence[Spoken] = ()
    keywords: Mapping[str, Spoken] = {}


class Name(NamedTuple):
    """A name of Python itself."""

    text: str


class StepNamed(NamedTuple):
    """A step of the pipeline, by its variable where it has one."""

    name: str


class Kept(NamedTuple):
    """What is said again under the same key: it gets a variable, named after ``hint``."""

    key: str
    hint: str
    made: Spoken


class Of(NamedTuple):
    """A value as an argument of this kind."""

    kind: Kind
    value: Value


class By(NamedTuple):
    """What a field says of an object."""

    field: Field
    whole: Mapping[str, Value]


Spoken: TypeAlias = "Said | Of | By | Made | Name | StepNamed | Kept | list[Spoken] | dict[str, Spoken]"


class Given(NamedTuple):
    """A step of the document, or an object inside it in place of its Arguments."""

    step: Step

    def at(self, path: str) -> Value | Missing:
        """By a field's path; ``0`` is the first item of a list."""
        of_the_step = path.startswith("/")
        found: Value = self.step.members if of_the_step else self.step.arguments
        for part in path.removeprefix("/").split("."):
            if isinstance(found, Mapping) and part in found:
                found = found[part]
            elif isinstance(found, tuple) and part == "0" and found:
                found = found[0]
            else:
                return MISSING
        return found

    def inside(self, arguments: Mapping[str, Value]) -> Given:
        return Given(dataclasses.replace(self.step, arguments=arguments))


# Fields.

Form: TypeAlias = Literal[
    "one", "word", "plain", "choice", "source", "list", "map", "json", "any", "tags", "record", "records", "objects"
]
Otherwise: TypeAlias = Literal["role", "kms_key", "instance", "folder", "execution folder"]


class Kind(NamedTuple):
    """What an argument may be. ``accepts`` are the references that may stand for it, ``words`` those of a choice,
    ``records`` what it may be made with; ``key`` is the member with the name, where there are several by name."""

    form: Form
    accepts: Sequence[str] = ()
    words: Sequence[str] = ()
    records: Sequence[Record] = ()
    key: str = ""


class Field(NamedTuple):
    """An argument and its member of the request. Several of one name are alternatives: what one cannot say, another
    may.

    - ``path``: dotted, from the Arguments (or the object of a record); from the step itself where it begins with ``/``.
    - ``default``: the signature's. ``absent``: what an author writes to leave the member out in spite of it.
    - ``otherwise``: what stands in the document where the argument is left out, of the environment or the execution.
    - ``keeps``: what is written although there is nothing in it.
    - ``to``: (step or record, lowering, step) to the member; without a path, to members.
    - ``said``: the member to the argument, None where that cannot say it.
    - ``owns``: what the argument makes whole, where that is not the path; of nothing, its mistakes are said beside it.
    - ``gives``: the references that hang on the argument, by path.
    - ``sdk``: how the official SDK calls it, where that is not the member's own name.
    """

    name: str
    path: str
    kind: Kind
    default: object = None
    absent: str = ""
    otherwise: Otherwise | None = None
    keeps: Literal["", "null", "empty"] = ""
    to: Callable[[Any, Any, Any], Value] | None = None
    said: Callable[[Given], Spoken | None] | None = None
    owns: str | None = None
    gives: Callable[[Given], Mapping[str, Yielded]] | None = None
    sdk: Sequence[str] = ()

    @property
    def owner(self) -> str:
        return self.path if self.owns is None else self.owns


class Record(NamedTuple):
    """A class whose objects stand for objects of the request. ``positional``: so many arguments need no keyword.
    ``rest``: its ``arguments`` takes the members that have no field, at once or, where its step knows some of them, as
    a correction."""

    of: type
    fields: Sequence[Field]
    positional: int = 1
    rest: Literal[False, True, "later"] = False

    @property
    def name(self) -> str:
        return self.of.__name__

    @property
    def in_order(self) -> Sequence[Field]:
        """As the class takes them; ``fields`` are in the order of the document."""
        order = [field.name for field in dataclasses.fields(self.of)]
        return sorted(self.fields, key=lambda field: order.index(field.name) if field.name else len(order))


class Yielded(NamedTuple):
    """An attribute of a step that is a reference of a kind, or holds such by ``key``."""

    attribute: str
    kind: str
    key: str | None = None


class Pattern(NamedTuple):
    """Paths of references, a regular expression: its groups are put into the attribute."""

    path: str
    attribute: str
    kind: str


class Constructor(NamedTuple):
    """A class of the language that makes steps of ``type``. Whoever gathers them fills ``name`` and ``type`` in, which
    the class says already; one for steps of any type has none.

    - ``yields``: its typed references by path.
    - ``says``: whether a step of the type can be one of these; one that asks comes before one that does not.
    - ``needs``: arguments without which there is no saying a step, besides the required ones.
    - ``positional``: what stands after the name without a keyword.
    - ``merges``: takes ``arguments=``, ``cache=`` and ``retries=``, as all do that start something.
    - ``inner``: a list whose items take ``arguments=`` of their own, with the member that names them.
    """

    fields: Sequence[Field]
    yields: Mapping[str, Yielded] = {}
    patterns: Sequence[Pattern] = ()
    says: Callable[[Step], bool] | None = None
    needs: Sequence[str] = ()
    positional: Sequence[str] = ()
    merges: bool = True
    inner: tuple[str, str] | None = None
    name: str = ""
    type: str = ""


TEXT = Kind("one", (STRING,))
COUNT = Kind("one", (INTEGER,))
NUMBER = Kind("one", NUMBERS)
FLAG = Kind("one", (BOOLEAN,))
LINK = Kind("one", (DATA, STRING))
"""An S3 URI."""
ARTIFACT = Kind("one", (DATA, MODEL, STRING))
"""An S3 URI, also of a model."""
WORD = Kind("word", EVERY)
"""A text, or what the run makes one of."""
PLAIN = Kind("plain")
"""A text of the file, never a reference."""
SOURCE = Kind("source", (DATA, STRING))
"""An S3 URI, or a local file or folder."""
TRAINED = Kind("source", (DATA, MODEL, STRING))
"""The same, which may be a model."""
TEXTS = Kind("list", (STRING,))
WORDS = Kind("list", EVERY)
TEXT_MAP = Kind("map", (STRING,))
MAP = Kind("map", EVERY)
JSON_MAP = Kind("json")
"""Texts by name that are read as JSON where they are JSON: ``"5"`` is written as ``5``."""
ANY_MAP = Kind("any")
TAGS = Kind("tags", (STRING,))


def choice(*words: str, reference: bool = False) -> Kind:
    """One of a few words."""
    return Kind("choice", (STRING,) if reference else (), words)


def made(*records: Record, short: Sequence[str] = ()) -> Kind:
    """An object of one of these classes; the value of its first field alone, where that is one of ``short``."""
    return Kind("record", short, records=records)


def each(*records: Record) -> Kind:
    """A list of such objects."""
    return Kind("objects", records=records)


def by_name(key: str, *records: Record, short: Sequence[str] = ()) -> Kind:
    """Several such by the name that each has in its member ``key``."""
    return Kind("records", short, records=records, key=key)


def nothing(*_: object) -> None:
    """The ``to`` of a field whose member another field makes, or the ``said`` of what no document tells."""


def hidden(name: str, kind: Kind = PLAIN, default: object = None, sdk: Sequence[str] = ()) -> Field:
    """An argument that members of others are made with, such as the author's file: no document tells of it."""
    return Field(name, "", kind, default, to=nothing, said=nothing, sdk=sdk)


def said_at(path: str, kind: Kind) -> Callable[[Given], Spoken | None]:
    """For what lies at another path than where it is put."""

    def said(given: Given) -> Spoken | None:
        value = given.at(path)
        return None if isinstance(value, Missing) else Of(kind, value)

    return said


def objects(value: Value | Missing) -> list[Mapping[str, Value]]:
    """Those in a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, tuple) else []


def named(value: Value | Missing, member: str) -> dict[str, Mapping[str, Value]]:
    """A list of objects by the name that each has in ``member``; empty where one has none, or two have the same."""
    found = {str(item[member]): item for item in objects(value) if isinstance(item.get(member), str)}
    return found if isinstance(value, tuple) and len(found) == len(value) else {}

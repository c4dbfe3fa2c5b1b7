"""The line of a key is the one where tomllib's value for it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops.project.toml_places import line_of


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\nb = 2\n", "b", 2),
        ("[env.prod]\nrole = 1\n", "env.prod.role", 2),
        ("[env.prod]\nrole = 1\n", "env.prod", 1),
        ("[env.prod]\nrole = 1\n", "env.prod.account", 1),
        ('\n[ env . "prod" ]\nrole = 1\n', "env.prod.role", 3),
        ('\n[ env . "prod" ]\nrole = 1\n', "env.prod.account", 2),
        ('note = """\nrole = 1\n[env.prod]\n"""\n[env.prod]\nrole = 2\n', "env.prod.role", 6),
        ("note = '''\nrole = 1\n'''\nrole = 2\n", "role", 4),
        ('note = """a""""" # role = 1\nrole = 2\n', "role", 2),
        ('note = """\\"""\nrole = 1"""\nrole = 2\n', "role", 3),
        ("env.prod.role = 1\n", "env.prod.role", 1),
        ("env . prod = { role = 1 }\n", "env.prod.role", 1),
        ("list = [\n  { role = 1 },\n  { name = 2 },\n]\n", "list.name", 3),
        ('list = [\n  # ] role = 1\n  "]",\n]\nrole = 2\n', "role", 5),
        ("[[job]]\nrole = 1\n[[job]]\nname = 2\n", "job.name", 4),
        ("[env.prod.tags]\nteam = 1\n", "env.prod", 1),
        ("[env.prod.tags]\nteam = 1\n[env.prod]\nrole = 2\n", "env.prod", 3),
        ("[env.prod.tags]\nteam = 1\n", "env.other.role", None),
        ("role = 1 # [env]\n[env] # role = 2\r\nrole = 3\r\n", "env.role", 3),
        ("[env]\nwhen = 1979-05-27 07:32:00\nrole = 1", "env.role", 3),
    ],
)
def test_line(text: str, path: str, line: int | None) -> None:
    assert line_of(text, tuple(path.split("."))) == line


@dataclass
class Written:
    """A text under construction. Every value holds a number that no other has; ``lines`` has the line of its key."""

    text: str = ""
    count: int = 0
    lines: dict[int, int] = field(default_factory=dict)

    def number(self, line: int | None = None) -> int:
        self.count += 1
        self.lines[self.count] = self.line if line is None else line
        return self.count

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1


BARE = st.from_regex(r"[A-Za-z0-9_-]{1,4}", fullmatch=True)
ODD = st.sampled_from([".", "=", "#", "[", "]", " ", "{", ",", "é"])
KEYS = st.one_of(
    BARE,
    st.tuples(BARE, ODD).map(lambda parts: "'" + "".join(parts) + "'"),
    st.tuples(BARE, st.one_of(ODD, st.sampled_from(['\\"', "\\\\", "\\u00e9", "\\t", "'"]))).map(
        lambda parts: '"' + "".join(parts) + '"'
    ),
)
DOTS = st.sampled_from([".", " . ", "\t."])
ENDS = st.sampled_from(["\n", "\r\n", " # a = 1, [b]\n", "\n\n", "\n# [c]\n"])
VALUES = st.sampled_from(["int", "text", "literal", "long", "long literal", "list", "table", "time", "nested"])
LONG = st.sampled_from(["\n[a]\nb = 1\n", '\n"" \n', 'x\n\\"""\n', "#\n"])


@st.composite
def documents(draw: st.DrawFn) -> Written:
    made = Written()

    def key() -> str:
        """One of its own, so that nothing is defined twice: the last part ends in a number."""
        made.count += 1
        last = draw(KEYS)
        quote = last[-1] if last[-1] in "\"'" else ""
        unique = f"{last[: len(last) - len(quote)]}{made.count}{quote}"
        return "".join(f"{part}{draw(DOTS)}" for part in draw(st.lists(KEYS.map(numbered), max_size=1))) + unique

    def numbered(part: str) -> str:
        made.count += 1
        quote = part[-1] if part[-1] in "\"'" else ""
        return f"{part[: len(part) - len(quote)]}{made.count}{quote}"

    def value(line: int) -> None:
        match draw(VALUES):
            case "int":
                made.text += f"{made.number(line)}"
            case "text":
                made.text += f'"# = [ {made.number(line)}"'
            case "literal":
                made.text += f"'\\ \" {made.number(line)}'"
            case "long":
                made.text += f'"""{draw(LONG)}{made.number(line)}{draw(st.sampled_from(["", chr(34), chr(34) * 2]))}"""'
            case "long literal":
                made.text += f"'''\n[a]\nb = \"\"\" {made.number(line)}'''"
            case "list":
                made.text += f"[\n  {made.number(line)}, # ]\n {made.number(line)},\n]"
            case "table":
                made.text += f"{{ x = {made.number(line)}, 'y.z' = \"{made.number(line)}\" }}"
            case "time":
                made.text += f"{1000 + made.number(line)}-05-27 07:32:00"
            case "nested":
                made.text += f"[ [{made.number(line)}], [\n{made.number(line)} ] ]"

    def pairs() -> None:
        for _ in range(draw(st.integers(0, 3))):
            line = made.line
            made.text += f"{draw(st.sampled_from(['', '  ']))}{key()} = "
            value(line)
            made.text += draw(ENDS)

    pairs()
    for _ in range(draw(st.integers(0, 3))):
        made.text += draw(st.sampled_from(["[{}]", "[ {} ]", "[[{}]]", "[[ {} ]]"])).format(key()) + draw(ENDS)
        pairs()
    return made


def numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from numbers(item, (*path, key))
        case list():
            for item in value:
                yield from numbers(item, path)
        case int():
            yield path, value
        case str():
            yield path, int("".join(character for character in value.split()[-1] if character.isdigit()))
        case _:
            yield path, value.year - 1000


@given(documents())
def test_the_value_at_the_line_of_a_key_is_tomllibs(made: Written) -> None:
    for path, number in numbers(tomllib.loads(made.text), ()):
        assert line_of(made.text, path) == made.lines[number], (made.text, path)


@example('"\\1"')
@given(st.text(alphabet="a=.[]{}\"'#\\\n, 1", max_size=40))
def test_whatever_the_text_is_reading_ends(text: str) -> None:
    line_of(text, ("a",))

"""The migration page: each recipe in the SDK's words and in ours gives the same definition, but for what it lists."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_one
from mlops.ir.document import document
from tests.oracle.test_sdk_oracle import HERE, ROOT, differences

pytestmark = pytest.mark.xdist_group("sdk")

JUDGES = {"SDK 3": "sdk", "SDK 2": "sdk2"}
INTERPRETERS = {"SDK 3": os.environ.get("MLOPS_SDK3_PYTHON", sys.executable), "SDK 2": sys.executable}
ENVIRONMENT = """
[env.defaults]
region = "us-east-1"
role = "arn:aws:iam::111122223333:role/pipelines"
bucket = "acme-ml"
prefix = ""

[env.staging]
"""

_PARTS = re.compile(r"^\*\*(?P<label>[^*]+)\*\*\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LISTED = re.compile(r"^- `(?P<pointer>[^`]+)`: (?P<reason>.+)$", re.MULTILINE)
_CONTENT = re.compile(r"s3://acme-ml/(?:assets|recipe/code)/[0-9a-f]{64}/")
"""Where the code lies, by its content in both worlds."""
_MODEL_STEP = re.compile(r"-(?:CreateModel|RegisterModel)\b")
"""What SDK 2 adds to a ModelStep's name."""


@dataclass(frozen=True)
class Recipe:
    title: str
    texts: dict[str, str]
    differs: tuple[str, ...]


def recipes() -> tuple[dict[str, str], tuple[str, ...], list[Recipe]]:
    """What stands before each, what differs everywhere, and the recipes."""
    page = (ROOT / "docs" / "migration.md").read_text(encoding="utf-8")
    first, *sections = page[page.index("## Side by side") :].split("\n### ")
    before = {label.removesuffix(", before each"): text for label, text in _PARTS.findall(first)}
    everywhere = tuple(pointer for pointer, _ in _LISTED.findall(first))
    listed = [
        Recipe(
            section.partition("\n")[0],
            dict(_PARTS.findall(section)),
            tuple(pointer for pointer, _ in _LISTED.findall(section)),
        )
        for section in sections
    ]
    return before, everywhere, listed


BEFORE, EVERYWHERE, RECIPES = recipes()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """The definitions of one version of the SDK, by the recipes' titles."""

    @functools.cache
    def of(version: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("sdk")
        told = [recipe for recipe in RECIPES if version in recipe.texts]
        files = [folder / f"recipe{index}.py" for index in range(len(told))]
        for file, recipe in zip(files, told, strict=True):
            file.write_text(BEFORE[version] + recipe.texts[version])
        (folder / "prepare.py").touch()
        done = subprocess.run(
            [INTERPRETERS[version], str(HERE / "sdk_alone.py"), str(folder / "out.json"), *map(str, files)],
            env={
                "AWS_ACCESS_KEY_ID": "dummy",
                "AWS_SECRET_ACCESS_KEY": "dummy",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "HOME": str(folder),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        text = _MODEL_STEP.sub("", _CONTENT.sub("s3://CODE/", (folder / "out.json").read_text()))
        return dict(zip([recipe.title for recipe in told], json.loads(text).values(), strict=True))

    return of


@pytest.mark.parametrize(
    ("recipe", "version"),
    [
        pytest.param(recipe, version, id=f"{recipe.title} {version}", marks=pytest.mark.proof(JUDGES[version]))
        for version in ("SDK 3", "SDK 2")
        for recipe in RECIPES
        if version in recipe.texts
    ],
)
def test_a_recipe_is_the_same_pipeline(
    recipe: Recipe, version: str, tmp_path: Path, theirs: Callable[[str], dict[str, Any]]
) -> None:
    (tmp_path / "mlops.toml").write_text(ENVIRONMENT)
    (tmp_path / "prepare.py").touch()
    (tmp_path / "pipeline.py").write_text(recipe.texts["mlops"])
    opened = open_one(str(tmp_path / "pipeline.py"), "staging")
    ours = json.loads(_CONTENT.sub("s3://CODE/", json.dumps(document(opened.pipelines[0].definition))))
    official = theirs(version)[recipe.title]
    found = {at for at, _, _ in differences(named(ours), named(official))}
    known = (*EVERYWHERE, *recipe.differs)
    unlisted = sorted(at for at in found if not any(re.fullmatch(pointer, at) for pointer in known))
    assert not unlisted, "\n".join(unlisted)


@pytest.mark.proof("sdk2")
def test_nothing_is_listed_that_is_the_same(tmp_path: Path, theirs: Callable[[str], dict[str, Any]]) -> None:
    (tmp_path / "mlops.toml").write_text(ENVIRONMENT)
    (tmp_path / "prepare.py").touch()
    unused = {(recipe.title, pointer) for recipe in RECIPES for pointer in recipe.differs}
    for recipe in RECIPES:
        (tmp_path / "pipeline.py").write_text(recipe.texts["mlops"])
        ours = document(open_one(str(tmp_path / "pipeline.py"), "staging").pipelines[0].definition)
        for version in recipe.texts.keys() & BEFORE.keys():
            found = {at for at, _, _ in differences(named(ours), named(theirs(version)[recipe.title]))}
            unused -= {(recipe.title, item) for item in recipe.differs for at in found if re.fullmatch(item, at)}
    assert unused == set()


def named(value: Any) -> Any:
    """Steps by their names, so that a pointer tells which."""
    if isinstance(value, dict):
        return {key: named(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "Type" in item for item in value):
        return {item.get("Name", index): named(item) for index, item in enumerate(value)}
    return [named(item) for item in value] if isinstance(value, list) else value


def test_recipes_are_told_in_all_words_that_there_are() -> None:
    assert len([recipe for recipe in RECIPES if set(recipe.texts) == {"SDK 3", "SDK 2", "mlops"}]) >= 9
    assert [recipe.title for recipe in RECIPES if not {"SDK 2", "mlops"} <= set(recipe.texts)] == []

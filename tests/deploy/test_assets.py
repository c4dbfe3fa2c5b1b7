"""What has to be sent: by name where the name is the content's, else by what lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.deploy.pipelines.assets import absent
from mlops.deploy.pipelines.upload import upload
from mlops.ir import Asset

from .conftest import World


def asset(world: World, contents: dict[str, str], *, in_place: bool = True) -> Asset:
    files = []
    for name, content in contents.items():
        file = Path(world.folder, name)
        file.write_text(content)
        files.append((name, file))
    return Asset("0" * 64, f"s3://{world.environment.bucket}/data", tuple(files), archive=False, in_place=in_place)


def sent(world: World, wanted: Asset) -> list[str]:
    (missing,) = absent(world.account, [wanted]).values()
    for item in missing:
        upload(world.account, world.environment, item, lambda uri, done, size: None)
    return [item.uri.rpartition("/")[2] for item in missing]


@pytest.mark.parametrize("names", ["a", "ab"], ids=["one file", "several"])
def test_another_content_of_the_same_name_and_size_is_sent(world: World, names: str) -> None:
    first = {name: f"first {name}" for name in names}
    assert sent(world, asset(world, first)) == list(names)
    assert sent(world, asset(world, first)) == []
    assert sent(world, asset(world, {**first, "a": "other a"})) == ["a"]
    assert sent(world, asset(world, {**first, "a": "other a"})) == []
    reply = world.account.client("s3").get_object(Bucket=world.environment.bucket, Key="data/a")
    assert reply["Body"].read() == b"other a"


def test_what_somebody_else_put_there_is_replaced(world: World) -> None:
    world.account.client("s3").put_object(Bucket=world.environment.bucket, Key="data/a", Body=b"theirs")
    assert sent(world, asset(world, {"a": "ours  "})) == ["a"]


def test_a_name_of_the_content_is_not_looked_into(world: World) -> None:
    assert sent(world, asset(world, {"a": "first"}, in_place=False)) == ["a"]
    assert sent(world, asset(world, {"a": "other"}, in_place=False)) == []

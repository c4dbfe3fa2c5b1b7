from __future__ import annotations

import importlib.util
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.ir import ConfigurationError
from mlops.project import lock
from mlops.project.images import ImageDataMissing, ImageKey, ImageRequest, ImageUnknown

KEY = ImageKey("sklearn", "1.2-1", None, None, "training", "eu-west-1", "cpu")
URI = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/scikit:1.2-1-cpu-py3"
TEXT = """\
# Written by `mlops lock`. Commit it; do not edit it.
version = 1

[[image]]
framework = "sklearn"
version = "1.2-1"
scope = "training"
region = "eu-west-1"
processors = ["cpu", "unstated"]
uri = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/scikit:1.2-1-cpu-py3"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "image_uri_config"
    path.mkdir()
    release = {"repository": "pytorch", "registries": {"eu-west-1": "111111111111"}, "py_versions": ["py310"]}
    edition = {"processors": ["cpu", "gpu"], "versions": {"2.1.0": release, "1.10": release}}
    data = {"training": edition, "inference": edition}
    (path / "pytorch.json").write_text(json.dumps(data), encoding="utf-8")
    return path


def test_text_is_as_expected_whatever_the_order() -> None:
    images = {replace(KEY, processor="unstated"): URI, KEY: URI}
    assert lock.render(images) == TEXT
    assert lock.render(dict(reversed(images.items()))) == TEXT
    assert lock.render({}) == "\n".join(TEXT.splitlines()[:2]) + "\n"


texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool)
keys = st.builds(
    ImageKey,
    framework=names,
    version=st.none() | texts,
    py_version=st.none() | texts,
    base_framework_version=st.none() | texts,
    scope=names,
    region=names,
    processor=st.sampled_from(["cpu", "gpu", "unstated"]),
)


@given(st.dictionaries(keys, names, max_size=6))
def test_read_gives_back_what_was_rendered(
    tmp_path_factory: pytest.TempPathFactory, images: dict[ImageKey, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.lock"
    lock.write(path, lock.render(images))
    assert lock.read(path).images == images
    assert lock.render(lock.read(path).images) == lock.render(images)


def test_no_file_pins_nothing(tmp_path: Path) -> None:
    assert lock.read(tmp_path / "mlops.lock") == lock.Lock()


IMAGE = TEXT.partition("\n\n")[2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("version = ", "not valid TOML", id="cut off"),
        pytest.param("<<<<<<< ours\n" + TEXT, "not valid TOML", id="merge conflict"),
        pytest.param("a = " + "[" * 5000, "not valid TOML", id="too deep"),
        pytest.param("", "version is None, expected 1", id="empty"),
        pytest.param("version = 2", "version is 2, expected 1", id="newer"),
        pytest.param("version = true", "version is True", id="version is a boolean"),
        pytest.param("version = 1\nimages = 3", "unknown key 'images'", id="unknown key"),
        pytest.param("version = 1\nimage = 3", "must be an array of tables", id="image is a number"),
        pytest.param("version = 1\nimage = [3]", "number 1: is not a table", id="image of numbers"),
        pytest.param(TEXT + 'digest = "x"\n', "number 1: unknown key 'digest'", id="unknown member"),
        pytest.param(TEXT.replace(URI, ""), "uri must be a string that is not empty", id="empty URI"),
        pytest.param(TEXT.replace('region = "eu-west-1"\n', ""), "region must be a string", id="no region"),
        pytest.param(TEXT.replace('version = "1.2-1"', "version = 1.2"), "version must be a string", id="float"),
        pytest.param(TEXT.replace('["cpu", "unstated"]', "[]"), "processors must be a list", id="no processor"),
        pytest.param(
            TEXT.replace('["cpu", "unstated"]', "[1]"), "processors must be a list", id="processor is a number"
        ),
        pytest.param(TEXT + IMAGE, "number 2: sklearn for cpu in eu-west-1 is pinned twice", id="twice"),
    ],
)
def test_a_broken_file_is_told_with_its_place(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "mlops.lock"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        lock.read(path)
    assert caught.value.message.startswith(str(path))
    assert reason in caught.value.message
    assert caught.value.hint


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    for path in (tmp_path, tmp_path / "binary"):
        with pytest.raises(ConfigurationError):
            lock.read(path)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, True),
        ({"version": "1.0-1"}, False),
        ({"version": None}, False),
        ({"py_version": "py3"}, False),
        ({"framework": "xgboost"}, False),
        ({"scope": "inference"}, False),
        ({"scope": "training"}, True),
    ],
    ids=str,
)
def test_finds_only_what_was_pinned(change: dict[str, Any], found: bool) -> None:
    request = ImageRequest(**{"framework": "sklearn", "version": "1.2-1", **change})
    pinned = lock.Lock({KEY: URI, replace(KEY, processor="unstated"): URI})
    for instance_type in ("ml.m5.xlarge", "ml.c5.large", None):
        assert pinned.find(request, "eu-west-1", instance_type, "training") == (URI if found else None)
    for instance_type in ("ml.g4dn.xlarge", "ml.c6g.large", "ml.inf1.xlarge"):
        assert pinned.find(request, "eu-west-1", instance_type, "training") is None
    assert pinned.find(request, "eu-west-2", "ml.m5.xlarge", "training") is None


def test_what_was_pinned_is_found_without_the_sdk(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ImageRequest("pytorch", "2.1.0")
    images = lock.pin(request, region="eu-west-1", instance_type="ml.m5.xlarge", scope="training", folder=folder)
    lock.write(tmp_path / "mlops.lock", lock.render(images))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    pinned = lock.read(tmp_path / "mlops.lock")
    image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/pytorch:2.1.0"
    assert pinned.uri(request, "eu-west-1", "ml.m5.xlarge", "training") == f"{image}-cpu-py310"
    assert pinned.uri(request, "eu-west-1", "ml.p3.2xlarge", "training") == f"{image}-gpu-py310"
    for instance_type, region in (("ml.c6g.large", "eu-west-1"), (None, "eu-west-1"), ("ml.m5.large", "eu-west-2")):
        with pytest.raises(ImageDataMissing):
            pinned.uri(request, region, instance_type, "training")


def test_a_machine_that_no_image_fits_is_refused_although_pinned() -> None:
    gpu = ImageKey("pytorch", "2.1", None, None, "training", "eu-west-1", "gpu")
    pinned = lock.Lock({gpu: "uri", replace(gpu, version="1.6"): "uri"})
    assert pinned.find(ImageRequest("pytorch", "1.6"), "eu-west-1", "ml.p2.xlarge", "training") == "uri"
    for instance_type in ("ml.p2.xlarge", "p3.2xlarge"):
        with pytest.raises(ImageUnknown):
            pinned.find(ImageRequest("pytorch", "2.1"), "eu-west-1", instance_type, "training")


def test_only_what_resolves_is_pinned(folder: Path) -> None:
    for request, instance_type in (
        (ImageRequest("pytorch", "2.1.0"), None),
        (ImageRequest("pytorch", "9"), "ml.m5.large"),
    ):
        with pytest.raises(ImageUnknown):
            lock.pin(request, region="eu-west-1", instance_type=instance_type, scope="training", folder=folder)


def test_unchanged_text_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "mlops.lock"
    assert lock.write(path, TEXT)
    before = path.stat()
    assert not lock.write(path, TEXT)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert lock.write(path, lock.render({}))
    assert path.read_text(encoding="utf-8") == lock.render({})
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one_and_a_pipe_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "mlops.lock")
    assert lock.write(link, TEXT)
    assert link.is_symlink() and (tmp_path / "mlops.lock").read_text(encoding="utf-8") == TEXT
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match="no plain file"):
        lock.write(tmp_path / "pipe", TEXT)
    assert (tmp_path / "pipe").is_fifo()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mlops.lock"
    lock.write(path, TEXT)

    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", interrupted)
        lock.write(path, "version = 1\n")
    assert path.read_text(encoding="utf-8") == TEXT
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        lock.write(tmp_path / "nowhere" / "mlops.lock", TEXT)

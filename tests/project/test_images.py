from __future__ import annotations

import importlib
import importlib.util
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.project.images import (
    ImageDataMissing,
    ImageRequest,
    ImageUnknown,
    frameworks,
    lookup_keys,
    resolve,
    sdk_data_folder,
    variants,
)

REGISTRIES = {"eu-west-1": "111111111111", "cn-north-1": "222222222222", "us-iso-east-1": "333333333333"}


def release(repository: str, **members: Any) -> dict[str, Any]:
    return {"repository": repository, "registries": REGISTRIES, **members}


def shared(*versions: str, scope: list[str], **members: Any) -> dict[str, Any]:
    return {"scope": scope, "versions": {version: release("acme", **members) for version in versions}}


DATA: dict[str, Any] = {
    "sklearn": {
        "training": {
            "versions": {
                "1.0-1": release("scikit", processors=["cpu"], py_versions=["py3"]),
                "1.2-1": release("scikit", processors=["cpu"], py_versions=["py3"]),
            }
        },
        "inference_graviton": {"versions": {"1.0-1": release("scikit", processors=["cpu"], py_versions=["py3"])}},
    },
    "pytorch": {
        "training": {
            "processors": ["cpu", "gpu"],
            "version_aliases": {"2.1": "2.1.0", "1.6": "1.6.0"},
            "versions": {
                "2.1.0": release("pytorch-training", py_versions=["py310"]),
                "1.6.0": release("pytorch-training", py_versions=["py3", "py36"]),
            },
        },
        "inference": {
            "processors": ["cpu", "gpu"],
            "version_aliases": {"2.1": "2.1.0"},
            "versions": {"2.1.0": release("pytorch-inference")},
        },
        "inference_graviton": {
            "processors": ["cpu"],
            "version_aliases": {"2.1": "2.1.0"},
            "versions": {
                "2.1.0": release(
                    "pytorch-inference-graviton", container_version={"cpu": "ubuntu20.04"}, py_versions=["py310"]
                )
            },
        },
    },
    "pytorch-neuron": {
        "training": {
            "processors": ["trn"],
            "versions": {
                "1.11.0": release(
                    "pytorch-training-neuron",
                    container_version={"trn": "ubuntu20.04"},
                    py_versions=["py38"],
                    sdk_versions=["sdk2.4.0"],
                )
            },
        }
    },
    "mxnet": {
        "training": {
            "processors": ["cpu", "gpu"],
            "versions": {"1.4.1": {"py2": release("old-mxnet"), "py3": release("mxnet-training")}},
        }
    },
    "huggingface": {
        "training": {
            "processors": ["gpu"],
            "version_aliases": {"4.28": "4.28.1"},
            "versions": {
                "4.28.1": {
                    "version_aliases": {"pytorch2.0": "pytorch2.0.0"},
                    "pytorch2.0.0": release("hf-pytorch", container_version={"gpu": "cu118"}, py_versions=["py310"]),
                }
            },
        }
    },
    "neuronx": {"inference": {"processors": ["inf2"], "versions": {"1": release("neuronx")}}},
    "linear-learner": shared("1", scope=["inference", "training"]),
    "model-monitor": shared("", scope=["monitoring"]),
    "prefixed": shared("7", scope=["training"], tag_prefix="seven"),
    "silent": shared("7", scope=["training"], processors=["gpu"], processor_in_tag=False),
    "sagemaker-tritonserver": shared("24", scope=["inference"], processors=["cpu", "gpu"], tag_prefix="24-py3"),
    "spark": {"processing": {"processors": ["cpu"], "versions": {"3.3": release("spark")}}},
    "base-python": {"versions": {"1.0": release("base")}},
    "strange": {"training": {"versions": {"1": {"uri": "elsewhere"}}}},
    "empty": {"training": {}},
    "instance_gpu_info": {"eu-west-1": {}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image_uri_config")
    for name, content in DATA.items():
        (path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return path


HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
M5, G4, P3, P4D = "ml.m5.xlarge", "ml.g4dn.xlarge", "ml.p3.2xlarge", "ml.p4d.24xlarge"
HF = ImageRequest("huggingface", "4.28", base_framework_version="pytorch2.0")


@pytest.mark.parametrize(
    ("request_", "instance_type", "scope", "expected"),
    [
        pytest.param(ImageRequest("sklearn", "1.2-1"), M5, "training", "scikit:1.2-1-cpu-py3", id="one processor"),
        pytest.param(ImageRequest("sklearn", "1.2-1"), None, "training", "scikit:1.2-1-cpu-py3", id="its default"),
        pytest.param(
            ImageRequest("sklearn", "1.0-1"), "ml.c6g.large", "training", "scikit:1.0-1-arm64-cpu-py3", id="arm"
        ),
        pytest.param(ImageRequest("pytorch", "2.1"), M5, "training", "pytorch-training:2.1-cpu-py310", id="alias, cpu"),
        pytest.param(ImageRequest("pytorch", "2.1"), G4, "training", "pytorch-training:2.1-gpu-py310", id="alias, gpu"),
        pytest.param(
            ImageRequest("pytorch", "2.1"), "ml_p3", "training", "pytorch-training:2.1-gpu-py310", id="ml_family"
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1", "py310"), M5, "inference", "pytorch-inference:2.1-cpu", id="idle py_version"
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1", scope="inference"),
            M5,
            "training",
            "pytorch-inference:2.1-cpu",
            id="own scope",
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1"),
            "ml.c7g.large",
            "inference",
            "pytorch-inference-graviton:2.1-cpu-py310-ubuntu20.04-sagemaker",
            id="graviton",
        ),
        pytest.param(
            ImageRequest("pytorch", "1.11.0"),
            "ml.trn1.2xlarge",
            "training",
            "pytorch-training-neuron:1.11.0-neuron-py38-sdk2.4.0-ubuntu20.04",
            id="trainium",
        ),
        pytest.param(
            ImageRequest("pytorch", "1.6", "py36"),
            P4D,
            "training",
            "pytorch-training:1.6-gpu-py36-cu110-ubuntu18.04-v3",
            id="p4d of old",
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1"), P4D, "training", "pytorch-training:2.1-gpu-py310", id="p4d of late"
        ),
        pytest.param(
            ImageRequest("pytorch", "1.6", "py36"), "ml.p2.xlarge", "training", "pytorch-training:1.6-gpu-py36", id="p2"
        ),
        pytest.param(
            ImageRequest("mxnet", "1.4.1", "py2"), M5, "training", "old-mxnet:1.4.1-cpu-py2", id="data by Python"
        ),
        pytest.param(HF, P3, "training", "hf-pytorch:2.0-transformers4.28.1-gpu-py310-cu118", id="base framework"),
        pytest.param(
            ImageRequest("neuronx", "1"), "ml.inf2.xlarge", "inference", "neuronx:1-inf2", id="processor is family"
        ),
        pytest.param(ImageRequest("linear-learner"), None, "training", "acme:1", id="only version"),
        pytest.param(ImageRequest("linear-learner"), G4, "inference", "acme:1", id="any processor"),
        pytest.param(ImageRequest("model-monitor"), M5, "training", "acme", id="no tag, only scope"),
        pytest.param(ImageRequest("prefixed", "7"), M5, "training", "acme:seven", id="tag prefix"),
        pytest.param(ImageRequest("silent", "7"), G4, "training", "acme:7", id="processor not in the tag"),
        pytest.param(ImageRequest("sagemaker-tritonserver", "24"), G4, "inference", "acme:24-py3", id="triton gpu"),
        pytest.param(ImageRequest("sagemaker-tritonserver", "24"), M5, "inference", "acme:24-py3-cpu", id="triton cpu"),
    ],
)
def test_resolves(request_: ImageRequest, instance_type: str | None, scope: str, expected: str, folder: Path) -> None:
    uri = resolve(request_, region="eu-west-1", instance_type=instance_type, scope=scope, folder=folder)
    assert uri == f"{HOST}/{expected}"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", HOST),
        ("cn-north-1", "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("us-iso-east-1", "333333333333.dkr.ecr.us-iso-east-1.c2s.ic.gov"),
    ],
)
def test_registry_of_a_region(region: str, host: str, folder: Path) -> None:
    request = ImageRequest("linear-learner")
    assert resolve(request, region=region, instance_type=None, scope="training", folder=folder) == f"{host}/acme:1"


@pytest.mark.parametrize(
    ("request_", "instance_type", "scope", "message"),
    [
        pytest.param(
            ImageRequest("skleran", "1"), M5, "training", "called 'skleran' (did you mean sklearn?)", id="misspelt"
        ),
        pytest.param(ImageRequest("zzz"), M5, "training", "called 'zzz'; there are base-python, empty", id="far off"),
        pytest.param(ImageRequest("../secret"), M5, "training", "called '../secret'", id="not a file name"),
        pytest.param(ImageRequest("instance_gpu_info"), M5, "training", "called 'instance_gpu_info'", id="other data"),
        pytest.param(
            ImageRequest("sklearn", "1.2"),
            M5,
            "training",
            "sklearn has no version 1.2 (did you mean 1.2-1?); versions: 1.0-1, 1.2-1",
            id="version",
        ),
        pytest.param(
            ImageRequest("sklearn"), M5, "training", "sklearn needs a version; versions: 1.0-1", id="no version"
        ),
        pytest.param(
            ImageRequest("linear-learner", "2"), M5, "training", "has no version 2; versions: 1", id="only version"
        ),
        pytest.param(
            ImageRequest("sklearn", "1.2-1"),
            "ml.m6g.large",
            "training",
            "sklearn has no version 1.2-1 for ml.m6g.large (did you mean 1.0-1?)",
            id="version not on arm",
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1"),
            None,
            "training",
            "needs instance_type to choose cpu or gpu",
            id="no instance",
        ),
        pytest.param(
            ImageRequest("sklearn", "1.2-1"),
            P3,
            "training",
            "no gpu image, which ml.p3.2xlarge needs; it has cpu",
            id="gpu",
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1"), "m5.large", "training", "'m5.large' is not an instance", id="instance"
        ),
        pytest.param(
            ImageRequest("linear-learner"),
            "ml.trn1.2xlarge",
            "training",
            "Trainium runs images of pytorch only",
            id="trn",
        ),
        pytest.param(ImageRequest("linear-learner"), "ml.c6g.large", "training", "Graviton runs images of", id="arm"),
        pytest.param(
            ImageRequest("pytorch", "2.1"), "ml.p2.xlarge", "training", "P2 instances ended with pytorch 1.13", id="p2"
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1"),
            M5,
            "processing",
            "pytorch has no image for processing; it has images for inference, inference_graviton, training",
            id="scope",
        ),
        pytest.param(
            ImageRequest("sklearn", "1.0-1", scope="inference_graviton"),
            M5,
            "inference",
            "does not run on ml.m5",
            id="arm on x86",
        ),
        pytest.param(
            ImageRequest("pytorch", "1.6"), M5, "training", "needs py_version; it has py3, py36", id="no Python"
        ),
        pytest.param(
            ImageRequest("pytorch", "2.1", "py27"), M5, "training", "no py_version py27; it has py310", id="Python"
        ),
        pytest.param(
            ImageRequest("huggingface", "4.28"), P3, "training", "needs base_framework_version; there are", id="no base"
        ),
        pytest.param(
            ImageRequest("huggingface", "4.28", base_framework_version="pytorch1"),
            P3,
            "training",
            "no base_framework_version pytorch1 (did you mean pytorch2.0.0?)",
            id="base",
        ),
        pytest.param(ImageRequest("spark", "3.3"), M5, "training", "names a build that cannot be derived", id="spark"),
        pytest.param(
            ImageRequest("base-python", "1.0"), M5, "training", "cannot be asked for by version", id="no scope"
        ),
        pytest.param(ImageRequest("strange", "1"), M5, "training", "describes strange 1 in a way", id="strange data"),
        pytest.param(
            ImageRequest("empty", "1"), M5, "training", "lists no versions of empty for training", id="empty data"
        ),
    ],
)
def test_refuses_and_says_what_exists(
    request_: ImageRequest, instance_type: str | None, scope: str, message: str, folder: Path
) -> None:
    with pytest.raises(ImageUnknown) as caught:
        resolve(request_, region="eu-west-1", instance_type=instance_type, scope=scope, folder=folder)
    assert message in caught.value.message


def test_refuses_a_region_without_the_image(folder: Path) -> None:
    with pytest.raises(ImageUnknown, match=r"not published in region eu-wst-1 \(did you mean eu-west-1\?\)$"):
        resolve(ImageRequest("linear-learner"), region="eu-wst-1", instance_type=None, scope="training", folder=folder)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"], ids=["not JSON", "not an object", "not UTF-8"])
def test_broken_data_are_told_with_their_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "sklearn.json").write_bytes(content)
    with pytest.raises(ImageDataMissing, match=r"sklearn\.json"):
        resolve(
            ImageRequest("sklearn", "1.2-1"), region="eu-west-1", instance_type=None, scope="training", folder=tmp_path
        )


def test_sdk_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert sdk_data_folder() is None
    with pytest.raises(ImageDataMissing, match=r"sklearn 1\.2-1") as caught:
        resolve(ImageRequest("sklearn", "1.2-1"), region="eu-west-1", instance_type=None, scope="training")
    assert "mlops lock" in (caught.value.hint or "")


@pytest.mark.parametrize("inside", ["core/image_uri_config", "image_uri_config"], ids=["SDK 3", "SDK 2"])
def test_data_are_found_without_running_the_sdk(inside: str, tmp_path: Path) -> None:
    package = tmp_path / "sagemaker"
    (package / inside).mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from mlops.project.images import sdk_data_folder\n"
        "print(sdk_data_folder().as_posix(), any(name.partition('.')[0] == 'sagemaker' for name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [(package / inside).as_posix(), "False"]


MACHINES = [
    None, "ml.m5.xlarge", "ml.c5.large", "ml.g4dn.xlarge", "ml.p3.2xlarge", "ml.p4d.24xlarge", "ml.p2.xlarge",
    "ml.inf1.xlarge", "ml.inf2.xlarge", "ml.trn1.2xlarge", "ml.g5g.xlarge", "ml.c6g.xlarge",
]  # fmt: skip


def answer(ask: Callable[[], str]) -> str | None:
    try:
        return ask()
    except ImageUnknown:
        return None


@pytest.mark.parametrize(
    "asked",
    [
        ImageRequest("sklearn", "1.0-1"),
        ImageRequest("pytorch", "2.1"),
        ImageRequest("pytorch", "1.6", "py36"),
        ImageRequest("pytorch", "1.11.0"),
        ImageRequest("neuronx", "1"),
        ImageRequest("linear-learner"),
        ImageRequest("spark", "3.3"),
        ImageRequest("nothing"),
        HF,
    ],
    ids=str,
)
def test_variants_answer_like_resolve_for_every_machine(asked: ImageRequest, folder: Path) -> None:
    for scope in ("training", "inference"):
        images = variants(asked, region="eu-west-1", scope=scope, folder=folder)
        for machine in MACHINES:
            expected = answer(
                lambda scope=scope, machine=machine: resolve(  # type: ignore[misc]
                    asked, region="eu-west-1", instance_type=machine, scope=scope, folder=folder
                )
            )
            try:
                keys = lookup_keys(asked, region="eu-west-1", instance_type=machine, scope=scope)
            except ImageUnknown:
                keys = ()
            found = next((images[key] for key in keys if key in images), None)
            assert found == expected, (scope, machine)


@pytest.fixture(scope="module")
def sdk() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        module = pytest.importorskip("sagemaker.core.image_uris")
        common_utils = importlib.import_module("sagemaker.core.common_utils")

        resolver = common_utils._botocore_resolver()  # it reads 1 MB anew at each call
        patch.setattr(common_utils, "_botocore_resolver", lambda: resolver)
        yield module


REGIONS = [
    "us-east-1",
    "eu-west-1",
    "cn-north-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "eusc-de-east-1",
    "il-central-1",
    "xx-1",
]
SCOPES = ["training", "inference", "inference_graviton", "eia", "processing"]
NEED_A_BUILD = {"pytorch-smp", "spark"}


def requests_of(name: str, content: dict[str, Any]) -> Iterator[ImageRequest]:
    """Every version, alias, Python and base framework that the SDK's data name, and one version that they do not."""
    asked: dict[ImageRequest, None] = {}
    for edition in [content] if "versions" in content else content.values():
        listed = edition.get("versions", {})
        for version in [*listed, *edition.get("version_aliases", {}), "99"]:
            named = listed.get(edition.get("version_aliases", {}).get(version, version), {})
            bases = [None] if name != "huggingface" else [base for base in named if base != "version_aliases"]
            for base in [*bases, *named.get("version_aliases", {})]:
                inner = named.get(named.get("version_aliases", {}).get(base, base), named) if base else named
                nested = [] if "repository" in inner or "version_aliases" in inner else list(inner)
                pythons = inner.get("py_versions", nested)
                for python in [None, *pythons]:
                    asked[ImageRequest(name, version, python, None, base)] = None
    yield from asked


@pytest.mark.proof("sdk")
def test_agrees_with_the_official_sdk(sdk: Any) -> None:
    """Equal URIs or both refuse. The SDK answers with the only version there is whatever was asked for, we refuse."""
    folder = sdk_data_folder()
    assert folder is not None
    everything = [
        case
        for name in frameworks(folder)
        for case in itertools.product(requests_of(name, sdk.config_for_framework(name)), REGIONS, MACHINES, SCOPES)
    ]
    equal = refused = 0
    for request, region, machine, scope in everything[:: max(1, len(everything) // 6000) | 1]:
        try:
            theirs = sdk.retrieve(
                request.framework,
                region,
                version=request.version,
                py_version=request.py_version,
                base_framework_version=request.base_framework_version,
                instance_type=machine,
                image_scope=scope,
            )
        except Exception:  # it also refuses by KeyError, TypeError and UnboundLocalError
            theirs = None
        try:
            ours = resolve(request, region=region, instance_type=machine, scope=scope)
        except ImageUnknown as error:
            if "has no version" in error.message or request.framework in NEED_A_BUILD:
                continue
            ours = None
        assert ours == theirs, (request, region, machine, scope)
        equal += ours is not None
        refused += ours is None
    assert equal > 500
    assert refused > 500

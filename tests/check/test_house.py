"""The house policy: silent where nothing is asked for, heard where it is, told of by line where it is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sample_step_types import TYPES
from sound_definition import REGISTRY, SOUND, place, spoilt

from mlops.check import check
from mlops.check.sources import Opened, open_targets
from mlops.ir import ConfigurationError, Severity
from mlops.ir.reader import read
from mlops.project.environments import read_project
from mlops.project.house_policy import KEYS, read_house_policy

IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/own:1"
VPC = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}


def group(kind: str, count: int) -> dict[str, Any]:
    return {"InstanceGroupName": f"of{count}", "InstanceType": kind, "InstanceCount": count}


def shadow(kind: str, count: int) -> dict[str, Any]:
    return {"VariantName": "Shadow", "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": count}


def told(folder: Path, policy: str, changes: Mapping[str, Any] | None = None) -> list[tuple[str, str | None]]:
    """Code and place of what the house says of the sound definition with these changes."""
    folder.joinpath("mlops.toml").write_text(policy)
    file = folder / "churn.json"
    definition, _ = read(json.dumps(spoilt(changes or {})), str(file))
    assert definition is not None
    found = [item for item in check(definition, types=TYPES).findings if item.code.startswith("H")]
    assert all(item.severity is Severity.WARNING and item.help for item in found)
    return [(item.code, item.path) for item in found]


@pytest.mark.parametrize(
    ("policy", "code", "bad", "at"),
    [
        ('instances = ["ml.m5.*"]', "H901", {"Batch:TransformResources/InstanceType": "ml.c5.xlarge"},
         "Batch:TransformResources/InstanceType"),
        ('instances = ["ml.m5.*"]', "H901", {"Instance.DefaultValue": "ml.c5.xlarge"}, "Instance.DefaultValue"),
        ("max_instances = 2", "H903", {"Variants:ProductionVariants/0/InitialInstanceCount": 3},
         "Variants:ProductionVariants/0/InitialInstanceCount"),
        ('instances = ["ml.m5.*"]', "H901",
         {"Train:ResourceConfig/InstanceGroups": [group("ml.m5.large", 1), group("ml.p4d.24xlarge", 1)]},
         "Train:ResourceConfig/InstanceGroups/1/InstanceType"),
        ('instances = ["ml.m5.*"]', "H901", {"Variants:ShadowProductionVariants": [shadow("ml.c5.xlarge", 1)]},
         "Variants:ShadowProductionVariants/0/InstanceType"),
        ('instances = ["ml.m5.*"]', "H901", {"Train:ResourceConfig/InstancePreferences": [group("ml.c5.xlarge", 1)]},
         "Train:ResourceConfig/InstancePreferences/0/InstanceType"),
        ("max_instances = 2", "H903", {"Train:ResourceConfig/InstanceGroups": [group("ml.m5.large", 3)]},
         "Train:ResourceConfig/InstanceGroups/0/InstanceCount"),
        ("max_instances = 2", "H903",
         {"Train:ResourceConfig/InstanceGroups": [group("ml.m5.large", 2), group("ml.m5.large", 1)]},
         "Train:ResourceConfig/InstanceGroups"),
        ("max_instances = 2", "H903", {"Variants:ShadowProductionVariants": [shadow("ml.m5.large", 3)]},
         "Variants:ShadowProductionVariants/0/InitialInstanceCount"),
        ("max_instances = 2", "H903", {"Variants:ProductionVariants/0/ManagedInstanceScaling": {"MaxInstanceCount": 9}},
         "Variants:ProductionVariants/0/ManagedInstanceScaling/MaxInstanceCount"),
        ("max_volume_gb = 30", "H903", {"Train:ResourceConfig/VolumeSizeInGB": 31},
         "Train:ResourceConfig/VolumeSizeInGB"),
        ("max_runtime_hours = 24", "H903", {"Train:StoppingCondition/MaxRuntimeInSeconds": 90000},
         "Train:StoppingCondition/MaxRuntimeInSeconds"),
        ('step_names = "[A-Z][A-Za-z]*"', "H904", {"Ask.Name": "ask"}, "Ask.Name"),
        ('parameter_names = "[A-Z][A-Za-z]*"', "H904", {"/Parameters/-": {"Name": "depth", "Type": "String"}},
         "/Parameters/7/Name"),
        ('registries = ["111122223333", "438346466558"]', "H906",
         {"Prepare:AppSpecification/ImageUri": "999999999999.dkr.ecr.eu-west-1.amazonaws.com/a:1"},
         "Prepare:AppSpecification/ImageUri"),
        ('require = ["pinned-images"]', "H906", {"Prepare:AppSpecification/ImageUri": f"{REGISTRY}/a:latest"},
         "Prepare:AppSpecification/ImageUri"),
    ],
    ids=["instance", "default", "count", "type of a group", "type of a shadow", "type of a preference",
         "count of a group", "counts of groups", "count of a shadow", "growth", "volume", "time", "step", "parameter",
         "registry", "latest"],
)  # fmt: skip
def test_is_heard(tmp_path: Path, policy: str, code: str, bad: Mapping[str, Any], at: str) -> None:
    assert told(tmp_path, f"[house]\n{policy}\n", bad) == [(code, place(at))]
    assert told(tmp_path, f"[house]\n{policy}\n") == []


@pytest.mark.parametrize(
    ("policy", "code", "good"),
    [
        ('required_tags = ["team"]', "H902", {"Train:Tags": [{"Key": "team", "Value": "growth"}]}),
        ('require = ["kms"]', "H905", {"Train:OutputDataConfig/KmsKeyId": "alias/ml"}),
        ('require = ["vpc"]', "H905", {"Train:VpcConfig": VPC}),
        ('require = ["isolation"]', "H905", {"Train:EnableNetworkIsolation": True}),
    ],
    ids=["tags", "kms", "vpc", "isolation"],
)
def test_what_is_required_is_missed_and_found(tmp_path: Path, policy: str, code: str, good: Mapping[str, Any]) -> None:
    of_train = place("Train") + "/"
    missed = [path for found, path in told(tmp_path, f"[house]\n{policy}\n") if found == code and path]
    assert [path for path in missed if path.startswith(of_train)]
    left = [path for found, path in told(tmp_path, f"[house]\n{policy}\n", good) if found == code and path]
    assert [path for path in missed if path not in left and path.startswith(of_train)]
    assert not [path for path in left if path.startswith(of_train)]


@pytest.mark.parametrize("text", ["", "[project]\n", "[house]\n", "[env.house]\nregion = 'eu-west-1'\n"])
def test_nothing_is_said_where_nothing_is_asked(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, text) == []


def test_a_definition_from_standard_input_has_no_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("mlops.toml").write_text('[house]\ninstances = ["ml.x1.*"]\n')
    definition, _ = read(json.dumps(dict(SOUND)), "-")
    assert definition is not None
    assert check(definition, types=TYPES).findings == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('instances = "ml.m5.large"', "house.instances has to be a list of texts; it is 'ml.m5.large'"),
        ('instances = ["m5.large"]', "house.instances = 'm5.large': a glob of instance types is wanted"),
        ('registries = ["acme"]', "house.registries = 'acme': an account of twelve digits is wanted"),
        ('require = ["kms", "magic"]', "house.require = 'magic': choose of kms, vpc, isolation, pinned-images"),
        ("max_instances = 0", "house.max_instances has to be an integer above 0; it is 0"),
        ("max_instances = true", "house.max_instances has to be an integer above 0; it is True"),
        ('step_names = "("', "house.step_names = '(' is no regular expression: missing )"),
        ("budget = 3", f"'budget' is not a key of [house]; known: {', '.join(KEYS)}"),
    ],
)
def test_a_wrong_setting_is_told_by_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "mlops.toml"
    file.write_text(f'[project]\npipelines = "p"\n\n[house]\nmax_volume_gb = 30\n{line}\n')
    for reader in (read_house_policy, read_project):
        with pytest.raises(ConfigurationError) as caught:
            reader(tmp_path)
        assert str(caught.value).startswith(f"{file}:6: {said}")


def test_a_broken_file_is_no_project_without_a_policy(tmp_path: Path) -> None:
    file = tmp_path / "mlops.toml"
    file.write_text('[house]\nstep_names = "A"\n[env\n')
    with pytest.raises(ConfigurationError, match=r"mlops\.toml:3: "):
        read_house_policy(tmp_path)


def test_a_policy_that_changes_is_read_again(tmp_path: Path) -> None:
    """``mlops check --watch`` looks at it again and again."""
    file = tmp_path / "mlops.toml"
    assert read_house_policy(tmp_path) is None
    for names in ("A", "AB"):
        file.write_text(f'[house]\nstep_names = "{names}"\n')
        policy = read_house_policy(tmp_path)
        assert policy is not None
        assert policy.step_names == names


def test_the_rest_of_a_project_stands_beside_it(tmp_path: Path) -> None:
    tmp_path.joinpath("mlops.toml").write_text('[house]\nmax_instances = 4\n\n[env.local]\ninstance = "ml.m5.large"\n')
    assert read_project(tmp_path).environment("local").instance == "ml.m5.large"
    policy = read_house_policy(tmp_path)
    assert policy is not None
    assert policy.max_instances == 4


KEYED = {
    "no other environment": ("", ["H905"]),
    "one that brings it": ('[env.prod]\nkms_key = "alias/ml"\n', []),
    "one that does not": ("[env.staging]\n", ["H905"]),
    "one that does beside one that does not": ('[env.prod]\nkms_key = "alias/ml"\n[env.staging]\n', []),
    "the local one brings it": ('[env.local]\nkms_key = "alias/ml"\n[env.staging]\n', []),
}
ACCOUNT = 'region = "eu-west-1"\nrole = "arn:aws:iam::111122223333:role/r"\nbucket = "acme-ml"\n'


@pytest.mark.parametrize(("toml", "found"), KEYED.values(), ids=KEYED)
def test_what_an_environment_brings_is_not_missed_here(
    declare: Callable[..., Opened], toml: str, found: list[str]
) -> None:
    house = '[house]\nrequire = ["kms"]\n[env.defaults]\ninstance = "ml.m5.large"\n'
    written = re.sub(r"(\[env\.(?:prod|staging)\]\n)", lambda name: name[1] + ACCOUNT, toml)
    body = f'Processing("P", code="prepare.py", image={IMAGE!r}, outputs=["out"])'
    opened = declare(body, toml=house + written)
    assert [item.code for item in opened.findings if item.code.startswith("H")] == found
    for name in re.findall(r"\[env\.(prod|staging)\]", toml):
        there = open_targets(list(opened.files), name)
        missed = [item.code for item in there.findings if item.code.startswith("H")]
        assert missed == ([] if name == "prod" else ["H905"])

"""Every rule fires on a spoilt definition at the right place, and does not on its mended twin; the examples of its
docstring are tried too, and no other rule has a word to say on them. What it says is what a person can act on."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from actionable import judged
from case_files import listed, mapped
from rule_cases import CASES as OWN_CASES
from rule_cases import Case
from sound_definition import LAMBDA, REGISTRY, ROLE, SOUND, findings, place, spoilt

from mlops.check import rules
from mlops.check.plugged import all_rules
from mlops.check.rule import Rule, own_rules
from mlops.ir import Severity
from mlops.ir.discovery import modules
from mlops.project.images import sdk_data_folder

CASES: list[Case] = [*OWN_CASES, *listed("CASES")]
ELSEWHERE = frozenset({"X870", "X871", "H901", "H902", "H903", "H904", "H905", "H906", *listed("ELSEWHERE")})
"""These look at files beside the definition: test_script_imports.py, test_house.py."""

MERGED = {
    "G102": "Segments", "R334": "Batch:", "X703": "Score:", "X712": "Drift", "X735": "Spark:",
    "X759": "Segments:ResourceConfig", "X764": "Train:", "X769": "Train:VpcConfig",
    "X779": "Auto:AutoMLJobConfig/CompletionCriteria", "X790": "Batch:DataProcessing",
    "X832": "Segments:InputDataConfig/0/DataSource/S3DataSource", "X840": "Prepare:",
    "X861": "Train:AlgorithmSpecification",
    "C603": "Gate:Conditions/1", "C604": "Gate:Conditions/0", "C606": "Gate:Conditions/0",
    "E502": "", "E504": "", "E505": "/PipelineExperimentConfig", "E520": "Segments", "E522": "Sweep",
    "E523": "Prepare", "E530": "Prepare", "E531": "Prepare.CacheConfig", "E540": "Prepare.RetryPolicies/0",
    "G103": "Train", "G106": "Sweep",
    "P403": "Depth", "P404": "Depth", "P405": "Depth", "P406": "Depth",
    "R308": "Score", "R309": "Prepare:Environment", "R320": "Prepare", "R322": "Prepare.PropertyFiles/0",
    "S203": "Prepare:ProcessingResources/ClusterConfig", "S204": "Prepare:ProcessingResources/ClusterConfig",
    "S205": "Prepare:", "S207": "Prepare:ProcessingResources/ClusterConfig", "S210": "Train",
    "X701": "Score", "X702": "Ask", "X710": "Drift", "X711": "Drift", "X716": "Drift", "X720": "Regions:",
    "X721": "Items", "X723": "Regions:", "X725": "Regions:Selector", "X729": "Sweep:Resources/S3/0",
    "X732": "Record:Associations/0/Source", "X736": "Serverless:JobConfig/jobDriver/sparkSubmit",
    "X744": "Register:InferenceSpecification/Containers/0", "X749": "Register:InferenceSpecification",
    "X760": "Train:StoppingCondition", "X761": "Train:AlgorithmSpecification/MetricDefinitions/0",
    "X763": "Train:HyperParameters", "X767": "Train:InputDataConfig/0", "X768": "Segments:ResourceConfig",
    "X770": "Tune:HyperParameterTuningJobConfig/ParameterRanges/ContinuousParameterRanges/0",
    "X772": "Tune:HyperParameterTuningJobConfig/ResourceLimits", "X775": "Auto:",
    "X776": "Tune:HyperParameterTuningJobConfig", "X783": "Prepare:ProcessingInputs/0/S3Input",
    "X786": "Prepare:ProcessingInputs/0/S3Input", "X788": "Prepare:AppSpecification", "X793": "Batch:",
    "X794": "Batch:TransformInput/DataSource/S3DataSource",
    "X801": "Small:ProductionVariants/0/ServerlessConfig",
    "X802": "Live:DeploymentConfig/BlueGreenUpdatePolicy/TrafficRoutingConfiguration",
    "X803": "Component:Specification/ComputeResourceRequirements", "X813": "Train:AlgorithmSpecification",
    "X814": "Prepare:ProcessingOutputConfig", "X841": "Prepare:", "X852": "Model:PrimaryContainer/Environment",
    **mapped("MERGED"),
}  # fmt: skip
"""Into which object of the sound definition the members of a docstring's example go."""

REPLACED = {
    "G110": "Best:first",
    "E506": "/MlflowConfig", "R301": "Score:model", "R303": "Score:model",
    "R304": "Score:model", "R305": "Score:model",
    "R306": "Score:model", "R310": "Score:model",
    "R323": "Train:HyperParameters/rows", "X741": "Model:PrimaryContainer", "X753": "Train:AlgorithmSpecification",
    "X787": "Prepare:ProcessingResources/ClusterConfig",
    **mapped("REPLACED"),
}  # fmt: skip
"""Whose place the object of a docstring's example takes."""

WORDS = frozenset({"X713", "X766", "X778", "X851", "X854", "X855", "X856", "X857", *listed("WORDS")})
"""Whose examples mean nothing without what stands around them; their rows have it."""

FOLLOW = {
    "C606": {"R303"}, "E521": {"E530"}, "G101": {"G103", "R305"}, "G106": {"G102"}, "G108": {"G109"},
    "P402": {"R303"}, "P405": {"C605", "C606"}, "P407": {"R331"}, "P408": {"R303"}, "R308": {"R303"}, "R309": {"R303"},
    "R323": {"R305", "R306"}, "R333": {"X820"}, "X704": {"C604"}, "X720": {"X727"}, "X721": {"X727"},
    "X722": {"E521", "R306", "R307", "S201", "S202"}, "X723": {"R303"}, "X725": {"R307"}, "X735": {"X730"},
    "X741": {"X813"}, "X749": {"X813"}, "X752": {"X750"}, "X753": {"X813"}, "X757": {"S202"}, "X759": {"S201"},
    "X762": {"X767"}, "X767": {"X762"}, "X784": {"X785"}, "X854": {"X820"},
    **mapped("FOLLOW"),
}  # fmt: skip
"""What else is true of an example, since it names what is not there, or breaks two rules by its nature. A parameter
that an example no longer reads (P409) is told everywhere."""


def told(document: Any) -> set[str]:
    return {item.code for item in findings(document)} - {"P409"}


def skipped(code: str) -> None:
    if code == "X862" and sdk_data_folder() is None:
        pytest.skip("the official SDK, which has the lists, is not installed")


def test_the_sound_definition_has_no_finding() -> None:
    assert findings(SOUND) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.name}")
def test_fires(case: Case) -> None:
    skipped(case.code)
    found = findings(spoilt(case.bad))
    assert (place(case.at), case.severity) in [(item.path, item.severity) for item in found if item.code == case.code]
    assert {item.code for item in found} <= {case.code, "P409", *FOLLOW.get(case.code, ())}
    assert judged(found) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.good], ids=lambda case: f"{case.code} {case.name}")
def test_does_not_fire(case: Case) -> None:
    assert told(spoilt(case.good)) <= FOLLOW.get(case.code, set())


def test_every_rule_has_a_code_of_its_own() -> None:
    modules_ = modules(rules).values()
    made = [item.code for module in modules_ for item in vars(module.load()).values() if isinstance(item, Rule)]
    assert sorted(made) == [rule.code for rule in own_rules()]


def test_every_rule_has_a_case() -> None:
    assert {rule.code for rule in all_rules()} - ELSEWHERE == {case.code for case in CASES}


def example(rule: Rule, which: str) -> dict[str, Any] | None:
    """The docstring's JSON, where it is whole: members of an object, or an object. None where it is told in words."""
    found = re.search(rf"^{which}:(.*)$", rule.text, re.MULTILINE)
    text = found.group(1).strip() if found else ""
    for candidate in (f"{{{text}}}", text):
        try:
            value = json.loads(candidate)
        except ValueError:
            continue
        return value if isinstance(value, dict) else None
    return None


def with_example(code: str, given: Mapping[str, Any]) -> Any:
    if code in REPLACED:
        return spoilt({REPLACED[code]: given})
    if not MERGED[code]:
        return {**copy.deepcopy(dict(SOUND)), **given}
    start = place(MERGED[code]).rstrip("/")
    return spoilt({f"{start}/{name}": value for name, value in given.items()})


@pytest.mark.parametrize("code", sorted({*MERGED, *REPLACED}))
def test_the_examples_of_the_docstring_are_true(code: str) -> None:
    rule = next(rule for rule in all_rules() if rule.code == code)
    bad, good = example(rule, "Bad"), example(rule, "Good")
    assert bad is not None
    assert good is not None
    found = told(with_example(code, bad))
    assert code in found
    assert found <= {code, *FOLLOW.get(code, ())}
    assert told(with_example(code, good)) <= FOLLOW.get(code, set())


@pytest.mark.parametrize(
    "rule", [rule for rule in all_rules() if rule.code not in ELSEWHERE], ids=lambda rule: rule.code
)
def test_an_example_that_is_json_is_tried(rule: Rule) -> None:
    """One in words has a row in rule_cases.py in its place, as test_every_rule_has_a_case asks."""
    whole = example(rule, "Bad") is not None and example(rule, "Good") is not None
    assert not whole or rule.code in {*MERGED, *REPLACED, *WORDS}, f"give {rule.code} a place, or a reason in WORDS"


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_tells_its_story(rule: Any) -> None:
    assert "Bad:" in rule.text
    assert "Good:" in rule.text
    assert rule.source
    assert rule.name == rule.name.lower().replace(" ", "-")


def test_packages_of_elsewhere_do_not_say_where_a_function_belongs() -> None:
    package = "arn:aws:sagemaker:us-east-1:111122223333:model-package/churn/"
    steps: list[dict[str, Any]] = [
        {"Name": "Ask", "Type": "Lambda", "FunctionArn": LAMBDA + "ask", "Arguments": {}},
        *(
            {"Name": f"Model{number}", "Type": "Model", "Arguments": {"PrimaryContainer": {"ModelPackageName": name}}}
            for number, name in enumerate((f"{package}1", f"{package}2"))
        ),
    ]
    found = [item for item in findings({"Version": "2020-12-01", "Steps": steps}) if item.code == "X810"]
    assert [(item.step, item.severity) for item in found] == [("Ask", Severity.WARNING)]


def job(name: str, image: str, role: str = ROLE, **more: Any) -> dict[str, Any]:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role,
        "OutputDataConfig": {"S3OutputPath": "s3://acme-ml/models", **more},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments}


HERE, THERE = f"{REGISTRY}/fit:1", f"{REGISTRY}/fit:1".replace("eu-west-1", "us-west-2")
FOREIGN = ROLE.replace("1111", "9999")
PACKAGES = [
    {"Name": f"M{n}", "Type": "Model", "Arguments": {"PrimaryContainer": {"ModelPackageName": name}}}
    for n in (1, 2, 3)
    for name in [f"arn:aws:sagemaker:eu-west-1:444455556666:model-package/churn/{n}"]
]


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([job("A", HERE), job("B", THERE)], {("X810", "B")}),
        ([job("A", HERE, KmsKeyId="arn:aws:kms:us-west-2:111122223333:alias/ml")], {("X810", "A")}),
        ([job("A", HERE), job("B", HERE)], set()),
        ([job("A", HERE), job("B", HERE, FOREIGN)], {("X811", "B")}),
        ([job("A", HERE, FOREIGN), *PACKAGES], set()),
        ([job("A", HERE, ROLE.replace("arn:aws:", "arn:aws-cn:"))], {("X812", "A")}),
        ([job("A", HERE.replace("eu-west-1", "us-gov-west-1"), ROLE.replace("arn:aws:", "arn:aws-us-gov:"))], set()),
    ],
)
def test_two_that_contradict_each_other_need_no_majority(
    steps: list[dict[str, Any]], told: set[tuple[str, str]]
) -> None:
    found = findings({"Version": "2020-12-01", "Steps": steps})
    assert {(item.code, item.step) for item in found if item.code in ("X810", "X811", "X812")} == told


def test_an_arn_whose_region_is_of_another_partition() -> None:
    arn = "arn:aws:kms:cn-north-1:111122223333:alias/ml"
    found = findings(
        {"Version": "2020-12-01", "Steps": [job("A", HERE.replace("eu-west-1", "cn-north-1"), KmsKeyId=arn)]}
    )
    assert any(item.code == "X812" and item.path.endswith("/KmsKeyId") for item in found)

"""Templates under cdk-nag, with all its packs, and under rules of our own for cfn-guard: nothing but what is listed."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.emit.stacked import EXAMPLES, STACKS, emitted, project
from tests.npm import installed

pytestmark = [pytest.mark.proof("nag"), pytest.mark.xdist_group("nag")]
PACKAGES = ("aws-cdk-lib@2.276.0", "cdk-nag@3.0.2", "constructs@10.8.1")
RULES = Path(__file__).with_name("house.guard")
DECLARED = """
from mlops import resources
setup = resources.NotebookInstanceLifecycleConfig("setup", idle_stop=60)
resources.NotebookInstance("research", instance="ml.t3.medium", lifecycle=setup.lifecycle_config_name)
resources.Stream("events", to="s3://acme-events/a/")
resources.Monitor("watch", endpoint="door", drift=resources.Drift(), schedule="rate(1 day)")
"""
_NAG = """
const { App, Stack } = require("aws-cdk-lib");
const { CfnInclude } = require("aws-cdk-lib/cloudformation-include");
const nag = require("cdk-nag");
const told = {};
for (const templateFile of process.argv.slice(3)) {
  const stack = new Stack(new App({ outdir: process.argv[2] }), "Judged");
  new CfnInclude(stack, "Template", { templateFile });
  const packs = Object.entries(nag).filter(([name]) => name.endsWith("Checks"));
  told[templateFile] = packs.flatMap(
    ([, Pack]) => new Pack(stack).validateScope(stack).violations.map((item) => item.ruleName),
  );
}
console.log(JSON.stringify(told));
"""
_GUARD = """
import json, sys, guardpycfn
asked = json.load(sys.stdin)
told = []
for text in asked["templates"]:
    rules = guardpycfn.validate_with_guard(text, asked["rules"], True)["result"]["children"]
    told.append({item["container"]["RuleCheck"]["name"]: item["container"]["RuleCheck"]["status"] for item in rules})
print(json.dumps(told))
"""
LISTED = tomllib.loads(Path(__file__).with_name("nag_listed.toml").read_text())["listed"]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """In JSON, which a CfnInclude takes without YAML's tags."""
    there = project(tmp_path_factory.mktemp("nagged"))
    (there / "declared.py").write_text(DECLARED)
    found = {}
    for name, file in {**EXAMPLES, "declared": "declared.py"}.items():
        found[name] = there / f"{name}.template.json"
        found[name].write_text(emitted(there / file, chosen="json"))
    return found


@pytest.fixture(scope="module")
def nagged(templates: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Rules that speak, by template."""
    there = installed(*PACKAGES)
    (there / "nag.cjs").write_text(_NAG)
    out = tmp_path_factory.mktemp("cdk")
    done = subprocess.run(
        ["node", "nag.cjs", str(out), *map(str, templates.values())],
        cwd=there, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {name: found[str(file)] for name, file in templates.items()}


def listed(rule: str) -> list[str]:
    return [item["why"] for item in LISTED if re.search(f"(?:{item['rule']})$", rule)]


def test_cdk_nag_says_only_what_is_listed(nagged: Mapping[str, list[str]]) -> None:
    unlisted = [f"{name}: {rule}" for name, rules in nagged.items() for rule in rules if not listed(rule)]
    assert not unlisted, "\n".join(unlisted)
    used = {why for rules in nagged.values() for rule in rules for why in listed(rule)}
    assert used == {item["why"] for item in LISTED}, "what is not said is not listed"


def guarded(*found: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """PASS, FAIL or SKIP by rule, for each template."""
    asked = {"rules": RULES.read_text(), "templates": [json.dumps(item) for item in found]}
    done = subprocess.run(
        [os.environ["MLOPS_APART"], "-c", _GUARD], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[Mapping[str, str]] = json.loads(done.stdout)
    return answers


def which(answer: Mapping[str, str], status: str) -> list[str]:
    return [rule for rule, said in answer.items() if said == status]


def test_our_own_rules_find_nothing_and_each_is_asked(templates: Mapping[str, Path]) -> None:
    answers = guarded(*(json.loads(file.read_text()) for file in templates.values()))
    assert [which(answer, "FAIL") for answer in answers] == [[] for _ in templates]
    asked = {rule for answer in answers for rule in which(answer, "PASS")}
    assert asked == set(re.findall(r"^rule (\w+)", RULES.read_text(), re.MULTILINE)) == set(BROKEN)


def _of(template: Any, *kinds: str) -> Any:
    return next(item for item in template["Resources"].values() if item["Type"] in kinds)


def _statements(template: Any) -> Any:
    policy = _of(template, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
    return policy["Properties"]["PolicyDocument"]["Statement"]


def _with(template: Any, action: str) -> Any:
    return next(item for item in _statements(template) if action in item["Action"])


BROKEN: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "what_holds_data_is_kept": (
        "wine", lambda t: _of(t, "AWS::SageMaker::ModelPackageGroup").update(DeletionPolicy="Delete")
    ),
    "a_service_takes_a_role_on": (
        "wine",
        lambda t: _of(t, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        ),
    ),
    "no_action_is_a_pattern": ("wine", lambda t: _statements(t)[0]["Action"].append("kms:*")),
    "nothing_is_allowed_everywhere": ("wine", lambda t: _with(t, "s3:GetObject")["Resource"].append("*")),
    "a_role_is_passed_to_one_service": ("wine", lambda t: _with(t, "iam:PassRole").pop("Condition")),
    "a_key_is_granted_to_services": ("wine", lambda t: _with(t, "kms:CreateGrant").pop("Condition")),
    "a_pipeline_waits_for_its_policy": ("wine", lambda t: _of(t, "AWS::SageMaker::Pipeline").pop("DependsOn")),
    "what_is_replaced_has_no_fixed_name": (
        "served", lambda t: _of(t, "AWS::SageMaker::Model")["Properties"].update(ModelName="churn")
    ),
    "what_serves_is_in_the_network_and_under_the_key": (
        "served", lambda t: _of(t, "AWS::SageMaker::EndpointConfig")["Properties"].pop("KmsKeyId")
    ),
    "a_canary_is_taken_back_by_alarms": (
        "served", lambda t: _of(t, "AWS::SageMaker::Endpoint")["Properties"]["DeploymentConfig"].pop(
            "AutoRollbackConfiguration"
        ),
    ),
    "a_notebook_is_closed": (
        "declared", lambda t: _of(t, "AWS::SageMaker::NotebookInstance")["Properties"].update(RootAccess="Enabled")
    ),
}  # fmt: skip
"""By rule: a template, and what is done to it that the rule, and no other one, has to find."""


def test_each_of_our_own_rules_finds_what_it_is_for(templates: Mapping[str, Path]) -> None:
    broken = []
    for name, spoil in BROKEN.values():
        template = copy.deepcopy(json.loads(templates[name].read_text()))
        spoil(template)
        broken.append(template)
    assert [which(answer, "FAIL") for answer in guarded(*broken)] == [[rule] for rule in BROKEN]


def test_the_goldens_are_these_templates(templates: Mapping[str, Path]) -> None:
    assert {file.stem for file in STACKS.glob("*.yaml")} == set(EXAMPLES) < set(templates)

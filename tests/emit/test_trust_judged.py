"""Who may take the roles of CI on, by the claims of a token, under an evaluator that is not ours."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from mlops.emit.policies.bootstrapping import web_trust
from mlops.ir.surroundings import Surroundings
from mlops.project.ci_identity import Ci
from mlops.use_cases.bootstrap import subjects
from tests.emit.simulated import ALLOWED, DENIED, PACKAGE
from tests.npm import installed

pytestmark = [pytest.mark.proof("iam"), pytest.mark.xdist_group("iam")]
ACCOUNT = "111122223333"
AROUND = Surroundings("prod", "us-east-1", f"arn:aws:iam::{ACCOUNT}:role/team/pipelines", "ours")
_SCRIPT = """
import { readFileSync } from "node:fs";
import { loadPolicy } from "@cloud-copilot/iam-policy";
// What the package offers leaves out claims of tokens, since the reference lists them for no action.
const engine = "./node_modules/@cloud-copilot/iam-simulate/dist/esm/";
const { authorize } = await import(engine + "core_engine/CoreSimulatorEngine.js");
const { AwsRequestImpl } = await import(engine + "request/request.js");
const { RequestContextImpl } = await import(engine + "requestContext.js");
const told = [];
for (const [trust, provider, claims, role] of JSON.parse(readFileSync(0, "utf8"))) {
  const resource = { resource: role, accountId: role.split(":")[4] };
  const action = "sts:AssumeRoleWithWebIdentity";
  told.push(authorize({
    request: new AwsRequestImpl(provider, resource, action, new RequestContextImpl(claims)),
    identityPolicies: [], serviceControlPolicies: [], resourceControlPolicies: [],
    resourcePolicy: loadPolicy(trust, { name: "trust" }),
    simulationParameters: { simulationMode: "Strict", strictConditionKeys: new Set() },
  }).result);
}
console.log(JSON.stringify(told));
"""
PULL, MAIN = "repo:acme/churn:pull_request", "repo:acme/churn:ref:refs/heads/main"
PROD = "repo:acme/churn:environment:prod"
STRANGE = (
    "repo:evil/churn:environment:prod",
    "repo:acme/churn-2:environment:prod",
    "repo:acme/churn:environment:prod2",
    "repo:acme/churn:ref:refs/heads/other",
    "repo:acme/churn:ref:refs/tags/main",
    "repo:ACME/churn:pull_request",
)
LAB = "project_path:acme/churn:ref_type:branch:ref:"
ELSEWHERE = (
    "project_path:evil/churn:ref_type:branch:ref:main",
    "project_path:acme/churn2:ref_type:branch:ref:main",
    "project_path:acme/churn:ref_type:tag:ref:main",
)
GITHUB = (Ci(github="acme/churn"), "token.actions.githubusercontent.com", "sts.amazonaws.com")
GITLAB = (Ci(gitlab="acme/churn"), "gitlab.com", "https://gitlab.com")
CASES: dict[str, tuple[Any, str, tuple[str, ...], tuple[str, ...]]] = {
    "GitHub plans": (GITHUB, "plan", (PULL, MAIN), (PROD, *STRANGE)),
    "GitHub upserts": (GITHUB, "upsert", (PROD,), (PULL, MAIN, *STRANGE)),
    "GitHub promotes": (GITHUB, "promote", (PROD,), (PULL, MAIN, *STRANGE)),
    "GitLab plans": (GITLAB, "plan", (f"{LAB}main", f"{LAB}feature/x"), ELSEWHERE),
    "GitLab upserts": (GITLAB, "upsert", (f"{LAB}main",), (f"{LAB}feature/x", *ELSEWHERE)),
    "GitLab promotes": (GITLAB, "promote", (f"{LAB}main",), (f"{LAB}feature/x", *ELSEWHERE)),
}


def claims(host: str, audience: str, subject: str) -> dict[str, str]:
    return {f"{host}:aud": audience, f"{host}:sub": subject}


def questions() -> Iterator[tuple[str, str, list[Any]]]:
    """What it is, what is wanted, and what is asked."""
    for name, ((ci, host, audience), what, allowed, denied) in CASES.items():
        trust = web_trust(host, audience, subjects(ci, what, "prod"), AROUND)
        role = f"{AROUND.role}-{what}"
        at = f"arn:aws:iam::{ACCOUNT}:oidc-provider/"
        for subject in allowed:
            yield f"{name}: {subject}", ALLOWED, [trust, at + host, claims(host, audience, subject), role]
        for subject in denied:
            yield f"{name}: {subject}", DENIED, [trust, at + host, claims(host, audience, subject), role]
        sound = claims(host, audience, allowed[0])
        yield f"{name}: another audience", DENIED, [trust, at + host, claims(host, "another", allowed[0]), role]
        yield f"{name}: no audience", DENIED, [trust, at + host, {f"{host}:sub": allowed[0]}, role]
        yield f"{name}: no subject", DENIED, [trust, at + host, {f"{host}:aud": audience}, role]
        yield f"{name}: another provider", DENIED, [trust, f"{at}tokens.example.org", sound, role]


def test_only_the_tokens_that_are_meant_take_a_role_on() -> None:
    there = installed(PACKAGE)
    (there / "trust.mjs").write_text(_SCRIPT)
    found = list(questions())
    text = json.dumps([asked for _, _, asked in found])
    done = subprocess.run(
        ["node", "trust.mjs"], cwd=there, input=text, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    wrong = [f"{name}: {said}" for (name, wanted, _), said in zip(found, told, strict=True) if said != wanted]
    assert wrong == [] and len(found) > 60

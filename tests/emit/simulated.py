"""Requests under policies, decided by an evaluator that is not ours: iam-simulate, with the actions, resource types and
condition keys of AWS's service authorization reference. One process of Node decides them all."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.npm import installed

PACKAGE = "@cloud-copilot/iam-simulate@0.1.173"
"""AGPL: for tests alone. Of a key it asks the key's policy too, which is the one that a key has by default."""
ALLOWED, DENIED = "Allowed", "ImplicitlyDenied"
_SCRIPT = """
import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";
const { policies, principal, questions } = JSON.parse(readFileSync(0, "utf8"));
const told = [];
const byDefault = (accountId) => ({
  Version: "2012-10-17",
  Statement: [
    { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: "kms:*", Resource: "*" },
  ],
});
for (const [policy, action, resource, accountId, contextVariables] of questions) {
  const found = await runSimulation({
    request: { principal, action, resource: { resource, accountId }, contextVariables },
    identityPolicies: [{ name: "judged", policy: policies[policy] }],
    serviceControlPolicies: [], resourceControlPolicies: [],
    ...(action.startsWith("kms:") ? { resourcePolicy: byDefault(accountId) } : {}),
  }, {});
  told.push(found.resultType === "error" ? JSON.stringify(found.errors) : found.overallResult);
}
console.log(JSON.stringify(told));
"""


@dataclass(frozen=True, slots=True)
class Request:
    """``why`` is the call that it belongs to, for whoever reads a failure."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict, hash=False)
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        told = f"{self.action} on {self.resource}"
        return f"{told}{f' with {dict(self.context)}' if self.context else ''} ({self.why})"


@dataclass(frozen=True, slots=True)
class Judged:
    """A policy document, what it has to allow, and what it may not."""

    document: Mapping[str, Any]
    requests: tuple[Request, ...]
    refused: tuple[Request, ...]

    def without_an_action(self) -> Iterator[tuple[str, Mapping[str, Any], tuple[Request, ...]]]:
        """For each action of each statement: which one, the document without it, and the requests that ask for it."""
        for at, statement in enumerate(self.document["Statement"]):
            for action in statement["Action"]:
                less = [dict(item) for item in self.document["Statement"]]
                less[at]["Action"] = [item for item in statement["Action"] if item != action]
                left = [item for item in less if item["Action"]]
                asking = tuple(item for item in self.requests if item.action == action)
                yield f"{statement['Sid']} {action}", {**self.document, "Statement": left}, asking


@dataclass(frozen=True, slots=True)
class Verdict:
    """``denied`` of what has to be allowed, ``allowed`` of what may not be, each with what the evaluator said, and
    actions that nothing asks for."""

    denied: list[str]
    allowed: list[str]
    needless: list[str]


def _decided(questions: Sequence[tuple[Mapping[str, Any], Request]], principal: str) -> list[str]:
    there = installed(PACKAGE)
    policies: list[Mapping[str, Any]] = []
    numbers: dict[str, int] = {}
    (there / "judge.mjs").write_text(_SCRIPT)
    asked = []
    for document, request in questions:
        text = json.dumps(document)
        if text not in numbers:
            numbers[text] = len(policies)
            policies.append(document)
        owner = principal.split(":")[4]
        asked.append([numbers[text], request.action, request.resource, owner, dict(request.context)])
    done = subprocess.run(
        ["node", "judge.mjs"],
        cwd=there, input=json.dumps({"policies": policies, "principal": principal, "questions": asked}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def verdicts(cases: Mapping[str, Judged], principal: str) -> Mapping[str, Verdict]:
    """By name. An action is needless where the policy without it allows all that it allowed before."""
    questions: list[tuple[Mapping[str, Any], Request]] = []
    spans: dict[str, tuple[range, range, list[tuple[str, range]]]] = {}

    def add(document: Mapping[str, Any], requests: Iterable[Request]) -> range:
        before = len(questions)
        questions.extend((document, request) for request in requests)
        return range(before, len(questions))

    for name, case in cases.items():
        spans[name] = (
            add(case.document, case.requests),
            add(case.document, case.refused),
            [(which, add(document, asking)) for which, document, asking in case.without_an_action()],
        )
    told = _decided(questions, principal)

    def but(span: range, wanted: str) -> list[str]:
        return [f"{questions[at][1]}: {told[at]}" for at in span if told[at] != wanted]

    return {
        name: Verdict(
            but(asked, ALLOWED),
            but(refused, DENIED),
            [which for which, span in less if all(told[at] == ALLOWED for at in span)],
        )
        for name, (asked, refused, less) in spans.items()
    }

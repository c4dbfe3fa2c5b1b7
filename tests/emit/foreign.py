"""Definitions of others as templates, judged; also those in which our rules find errors, which `mlops emit` refuses.

``python -m tests.emit.foreign FOLDER`` takes those that ``foreign.txt`` names by name and hash from a folder that holds
them; ``--write`` names the first hundred of it that can be emitted.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlops.check.programs import compile_program
from mlops.check.sources import open_one
from mlops.check.templates.judging import judge
from mlops.declare.constructors import constructors
from mlops.emit.targets.cloudformation import TARGET
from mlops.emit.targets.definition_json import emit as definition_json
from mlops.ir import MlopsError, Severity
from mlops.ir.target import Language, Source
from mlops.project.surroundings import surroundings
from mlops.use_cases.beside import beside
from tests.emit.stacked import ENVIRONMENT, project
from tests.emit.templates import read

NAMED = Path(__file__).with_name("foreign.txt")
HUNDRED = 100


def wrong(text: str, region: str = "us-east-1") -> Iterator[str]:
    """Errors of cfn-lint, and of our own rules for templates."""
    # A second to load, and others want the names alone.
    from cfnlint import api
    from cfnlint.config import ManualArgs

    for match in api.lint(text, config=ManualArgs(regions=[region])):
        if match.rule.severity == "error":
            yield f"{match.rule.id} {match.message}"
    for finding in judge(text.encode(), "template.yaml"):
        if finding.severity is Severity.ERROR and finding.code.startswith("T"):
            yield f"{finding.code} {finding.message}"


def asked(file: Path) -> Iterator[str]:
    """What is wrong with the template of a definition; raises MlopsError where there is none."""
    opened = open_one(str(file), ENVIRONMENT)
    checked, environment = opened.pipelines[0], opened.project.environment(ENVIRONMENT)
    source = Source(
        checked,
        lambda: surroundings(environment),
        lambda: beside(checked, (), environment, opened.root),
        Language(compile_program, constructors),
        chosen="yaml",
    )
    text = TARGET.write(source)
    yield from wrong(text)
    body = definition_json(checked.definition)
    told = read(text)["Resources"]["Pipeline"]["Properties"]["PipelineDefinition"]
    if "PipelineDefinitionBody" in told:
        if told["PipelineDefinitionBody"] != body:
            yield "the body is another one"
    elif hashlib.sha256(body.encode()).hexdigest() not in told["PipelineDefinitionS3Location"]["Key"]:
        yield "the body's place is not by its content"


def main(folder: Path, *, writing: bool) -> int:
    named = dict(line.split() for line in NAMED.read_text().splitlines()) if not writing else {}
    files = sorted(folder.glob("*.json")) if writing else [folder / name for name in named]
    found: list[str] = []
    failed = 0
    with tempfile.TemporaryDirectory() as where:
        there = project(Path(where))
        for file in files:
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if named.get(file.name, digest) != digest:
                print(f"{file.name}: another content")
                failed += 1
                continue
            (there / file.name).write_bytes(content)
            try:
                told = list(asked(there / file.name))
            except MlopsError as error:
                told = [] if writing else [error.message]
                print(f"{file.name}: no template: {error.message}")
            else:
                found.append(f"{file.name} {digest}")
            failed += bool(told)
            for line in told:
                print(f"{file.name}: {line}")
    if writing:
        NAMED.write_text("".join(f"{line}\n" for line in found[:HUNDRED]))
    print(f"{len(found)} templates, {failed} of them wrong")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), writing="--write" in sys.argv))

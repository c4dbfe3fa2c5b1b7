"""Amazon's own processing containers: Model Monitor, Clarify, Spark, Data Wrangler and Debugger, by what is known of
each (``mlops.knowledge.containers``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops.check.expressions import fold, literal
from mlops.check.images import parse
from mlops.check.jobs import PROCESSING, TRAINING, Container, Job
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.dataclass import dataclass
from mlops.ir.members import get
from mlops.ir.values import pointer
from mlops.knowledge.framework_images import needs_script

if TYPE_CHECKING:
    from mlops.knowledge.containers import Contract, Port, Program, Variable


@dataclass(frozen=True, slots=True)
class _Use:
    """A processing job that runs a container which is known; ``region`` is that of the image."""

    contract: Contract
    region: str
    account: str
    container: Container
    job: Job

    @property
    def placed(self) -> Placed:
        return self.job.placed


def contract_of(subject: Subject, image: Value) -> tuple[Contract, str, str] | None:
    """With the region and the account of the image."""
    text = literal(subject, image)
    if not isinstance(text, str) or "/sagemaker-" not in text or needs_script(text):
        return None
    parsed = parse(text)
    if parsed is None:
        return None
    # Most pipelines have none, and need not wait for the reader of TOML.
    from mlops.knowledge.containers import contract

    known = contract(parsed.repository)
    return None if known is None else (known, parsed.region, parsed.account)


@lru_cache(maxsize=1)
def _uses(subject: Subject) -> tuple[_Use, ...]:
    """Worked out once for the rules below."""
    return tuple(_find(subject))


def _find(subject: Subject) -> Iterator[_Use]:
    for container in subject.containers:
        if container.job is None or container.named != PROCESSING.image:
            continue
        known = contract_of(subject, container.image)
        if known is not None:
            yield _Use(*known, container, container.job)


@rule(
    "X880",
    "container-environment",
    Severity.ERROR,
    source="contracts of Amazon's processing containers: developer guide, official SDK",
)
def container_environment(subject: Subject) -> Iterator[Fault]:
    """One of Amazon's processing containers misses a variable of its environment without which it does not start, or
    gets one that it cannot read or does not know. A value that it may pass over, a misspelt variable, a path that no
    input brings and predictions of which nothing says where they are are a warning.

    Bad:  "dataset_format": "csv" for Model Monitor
    Good: "dataset_format": "{\\"csv\\": {\\"header\\": true}}"
    """
    for use in _uses(subject):
        values = use.job.request.get("Environment", {})
        variables = use.contract.environment
        if not variables or not isinstance(values, Mapping):
            continue
        at, title = f"{use.job.at}/Environment", use.contract.title
        misspelt: set[str] = set()
        for name in values.keys() - variables.keys():
            guess = did_you_mean(name, variables.keys() - values.keys())
            if guess is not None:
                misspelt.add(guess)
                where = at + pointer(name)
                message = f"{title} does not read {name}"
                yield Fault(where, message, guess, use.placed, severity=Severity.WARNING)
        check = use.placed.step.members.get("CheckType") or values.get("analysis_type")
        for variable in variables.values():
            wanted = variable.required or check in variable.required_for
            guessed = any(f"{variable.name!r}" in guess for guess in misspelt)
            if wanted and values.get(variable.name) is None and not guessed:
                why = "" if variable.required else f" for {check}"
                help_text = f"e.g. {_example(variable)}" if variable.json or variable.one_of else "add it"
                yield Fault(f"{at}/{variable.name}", f"{title} wants {variable.name}{why}", help_text, use.placed)
        for name, others in use.contract.beside.items():
            if values.get(name) is not None and not any(values.get(other) is not None for other in others):
                message = f"{title} compares {name} with {' or '.join(others)}, and none of these is given"
                help_text = "say in which column the predictions are"
                yield Fault(f"{at}/{others[0]}", message, help_text, use.placed, severity=Severity.WARNING)
        kinds, said = variables.get("analysis_type"), values.get("analysis_type")
        if kinds is not None and said != check and check in kinds.one_of and said in kinds.one_of:
            message = f"the step checks {check}, and analysis_type is {said}"
            yield Fault(f"{at}/analysis_type", message, f"write {check}", use.placed, severity=Severity.WARNING)
        for name, value in values.items():
            if name in variables and isinstance(value, str):
                yield from _value(use, f"{at}{pointer(name)}", variables[name], value)


def _example(variable: Variable) -> str:
    return json.dumps({variable.json[0]: {}}) if variable.json else variable.one_of[-1]


def _value(use: _Use, at: str, variable: Variable, value: str) -> Iterator[Fault]:
    if variable.json:
        try:
            found = json.loads(value)
        except ValueError:
            message = f"{variable.name} is {shown(value)}, JSON is wanted"
            yield Fault(at, message, f"e.g. {_example(variable)}", use.placed)
            return
        keys = list(found) if isinstance(found, dict) else []
        if len(keys) != 1 or keys[0] not in variable.json:
            message = f"{variable.name} says none of {', '.join(variable.json)}"
            help_text = did_you_mean(keys[0], variable.json) if keys else f"e.g. {_example(variable)}"
            yield Fault(at, message, help_text, use.placed)
        elif not isinstance(found[keys[0]], dict):
            message = f"{keys[0]} in {variable.name} is {shown(found[keys[0]])}, an object is wanted"
            yield Fault(at, message, f'e.g. {{"{keys[0]}": {{}}}}', use.placed)
    elif variable.one_of and value not in variable.one_of:
        message = f"{variable.name} is {shown(value)}, one of {', '.join(variable.one_of)} is wanted"
        help_text = did_you_mean(value, variable.one_of)
        severity = None if variable.refused else Severity.WARNING
        yield Fault(at, message, help_text, use.placed, severity=severity)
    elif variable.share and not _is_share(value):
        message = f"{variable.name} is {shown(value)}, a number from 0 to 1 is wanted"
        yield Fault(at, message, "e.g. 0.5", use.placed, severity=Severity.WARNING)
    elif variable.in_input:
        sources = ("S3Input", "DatasetDefinition")
        items = [item for _, item in entries(use.job.request, "ProcessingInputs")]
        paths = [get(item, source, "LocalPath") for item in items for source in sources if source in item]
        known = [path for path in paths if isinstance(path, str)]
        if len(known) == len(paths) and not any(value.startswith(f"{path.rstrip('/')}/") for path in known):
            message = f"no input brings {value}"
            yield Fault(at, message, "use the input's LocalPath", use.placed, severity=Severity.WARNING)


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


@rule(
    "X881",
    "container-port",
    Severity.ERROR,
    source="contracts of Amazon's processing containers: developer guide, official SDK",
)
def container_port(subject: Subject) -> Iterator[Fault]:
    """One of Amazon's processing containers lacks an input or an output that it finds by name, or the network that it
    asks; or (a warning) gets one in a form or a folder that it does not read.

    Bad:  "InputName": "config" for Clarify
    Good: "InputName": "analysis_config"
    """
    for use in _uses(subject):
        request = use.job.request
        if not use.contract.takes_isolation and get(request, "NetworkConfig", "EnableNetworkIsolation") is True:
            message = f"{use.contract.title} asks a model over the network, and the job is isolated from it"
            where = f"{use.job.at}/NetworkConfig/EnableNetworkIsolation"
            yield Fault(where, message, "leave it out", use.placed)
        for members, key, ports in (
            (("ProcessingInputs",), "InputName", use.contract.inputs),
            (("ProcessingOutputConfig", "Outputs"), "OutputName", use.contract.outputs),
        ):
            holder = get(request, *members)
            listed = list(entries(request, *members))
            names = {name: (use.job.at + at, item) for at, item in listed if isinstance(name := item.get(key), str)}
            is_known = all(isinstance(item.get(key), str) for _, item in listed)
            if (holder is not None and not isinstance(holder, tuple)) or not is_known:
                continue
            others = [name for name in names if name not in ports]
            for port in ports.values():
                if port.name in names:
                    yield from _port(use, port, *names[port.name])
                elif port.required or port.expected:
                    noun = "input" if key == "InputName" else "output"
                    at = f"{names[others[0]][0]}/{key}" if len(others) == 1 else use.job.at + pointer(*members)
                    message = f"{use.contract.title} looks for an {noun} {port.name!r}"
                    help_text = f"rename {others[0]!r}" if len(others) == 1 else f"add one of that {key}"
                    severity = None if port.required else Severity.WARNING
                    yield Fault(at, message, help_text, use.placed, severity=severity)


def _port(use: _Use, port: Port, at: str, item: Mapping[str, Value]) -> Iterator[Fault]:
    side = "S3Input" if "S3Input" in item else "S3Output"
    uri, path = get(item, side, "S3Uri"), get(item, side, "LocalPath")
    last = uri.rpartition("/")[2] if isinstance(uri, str) and side == "S3Input" else ""
    if port.ending is not None and "." in last and not last.endswith(port.ending):
        message = f"{port.name} is {shown(last)}, a {port.ending} file is wanted"
        yield Fault(f"{at}/{side}/S3Uri", message, None, use.placed, severity=Severity.WARNING)
    if port.file is not None and "." in last and last != port.file:
        message = f"{use.contract.title} reads {port.file} of {port.name}, and {shown(last)} comes there"
        yield Fault(f"{at}/{side}/S3Uri", message, f"name it {port.file}", use.placed, severity=Severity.WARNING)
    if port.path is not None and isinstance(path, str) and path.rstrip("/") != port.path:
        message = f"{use.contract.title} has its {port.name} in {port.path}, not in {path}"
        place = f"{at}/{side}/LocalPath"
        yield Fault(place, message, f"write {port.path}", use.placed, severity=Severity.WARNING)
    for member, wanted in port.s3.items():
        given = get(item, side, member)
        if isinstance(given, str) and given != wanted:
            does = "reads" if side == "S3Input" else "writes"
            message = f"{use.contract.title} {does} {port.name} with {member} {wanted}, not {given}"
            place = f"{at}/{side}/{member}"
            yield Fault(place, message, f"write {wanted}", use.placed, severity=Severity.WARNING)


@rule(
    "X882",
    "container-command",
    Severity.WARNING,
    source="sagemaker-spark-container: smspark-submit; developer guide: Clarify takes no entrypoint",
)
def container_command(subject: Subject) -> Iterator[Fault]:
    """One of Amazon's processing containers is started by another program than its own, with options that this does not
    know or with files that it cannot find, or with a command where it takes none.

    Bad:  ["spark-submit", "--conf", "spark.executor.memory=4g", "/opt/ml/processing/input/code/prepare.py"]
    Good: ["smspark-submit", "/opt/ml/processing/input/code/prepare.py"]
    """
    for use in _uses(subject):
        settings, at = use.container.settings, use.container.at
        if not use.contract.takes_command:
            for name in ("ContainerEntrypoint", "ContainerArguments"):
                if settings.get(name) is not None:
                    yield Fault(f"{at}/{name}", f"{use.contract.title} takes no {name}", "remove it", use.placed)
        elif use.contract.program is not None:
            yield from _command(subject, use, use.contract.program)


def _command(subject: Subject, use: _Use, program: Program) -> Iterator[Fault]:
    at = f"{use.container.at}/ContainerEntrypoint"
    command = use.container.settings.get("ContainerEntrypoint")
    if command is None:
        yield Fault(
            at, f"nothing says what {use.contract.title} runs", f'e.g. ["{program.name}", "<script>"]', use.placed
        )
    if not isinstance(command, tuple) or not command:
        return
    arguments = use.container.settings.get("ContainerArguments")
    more = arguments if isinstance(arguments, tuple) else ()
    words = [fold(subject, word) for word in (*command, *more)]
    places = [f"{at}/{number}" for number in range(len(command))]
    places += [f"{use.container.at}/ContainerArguments/{number}" for number in range(len(more))]
    if words[0] is not None and words[0] != program.name:
        message = f"{use.contract.title}'s cluster is started by {program.name}, not by {shown(words[0])}"
        yield Fault(f"{at}/0", message, f"write {program.name}", use.placed)
        return
    index, classed = 1, False
    while index < len(words):
        word = words[index]
        if word is None or not word.startswith("-"):
            break
        if word not in program.options and word not in program.flags:
            message = f"{program.name} has no option {word}"
            help_text = did_you_mean(word, program.options) or f"it has {', '.join(program.options)}"
            yield Fault(places[index], message, help_text, use.placed)
            return
        value = words[index + 1] if index + 1 < len(words) and word in program.options else None
        if word in program.files and value is not None and not value.startswith(("s3://", "s3a://", "/", "file:///")):
            message = f"{word} wants an absolute path or an S3 URI, this is {shown(value)}"
            yield Fault(places[index + 1], message, "bring the files by an input", use.placed)
        classed = classed or word == "--class"
        index += 1 if word in program.flags else 2
    application = words[index] if index < len(words) else ""
    if application == "" and (arguments is None or isinstance(arguments, tuple)):
        yield Fault(at, f"{program.name} is given no application", "add the script", use.placed)
    elif application:
        yield from _application(places[index], application, classed, program, use.placed)


def _application(at: str, application: str, classed: bool, program: Program, placed: Placed) -> Iterator[Fault]:
    if not application.endswith(program.applications):
        message = f"{shown(application)} is no application of {program.name}"
        yield Fault(at, message, f"give a {' or '.join(program.applications)} file", placed)
    elif not application.startswith(("/", "s3://", "s3a://", "file:///", "local:///")):
        message = f"{shown(application)} is on the author's machine"
        yield Fault(at, message, "bring it by an input, give its path in the container", placed)
    elif application.endswith(".jar") and not classed:
        yield Fault(at, "a .jar without --class", "name its main class", placed)


@rule(
    "X883",
    "container-of-another-check",
    Severity.ERROR,
    source="official SDK: images of check steps; accounts of its image_uri_config",
)
def container_of_another_check(subject: Subject) -> Iterator[Fault]:
    """A QualityCheck runs Clarify's container, or a ClarifyCheck Model Monitor's; or one of Amazon's processing images,
    or Debugger's of a training job, is of an account that does not hold it in its region.

    Bad:  "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0" in a QualityCheck
    Good: "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
    """
    for use in _uses(subject):
        kind, at = use.placed.step.type, use.container.image_at
        if kind in ("QualityCheck", "ClarifyCheck") and kind not in use.contract.steps:
            message = f"{use.contract.title}'s container does not do a {kind}"
            help_text = _INSTEAD[kind]
            yield Fault(at, message, f"use {help_text}", use.placed)
            continue
        yield from _foreign(use.contract, use.region, use.account, at, use.placed)
    for start, job, placed in subject.jobs[TRAINING]:
        for member in ("DebugRuleConfigurations", "ProfilerRuleConfigurations"):
            for where, item in entries(job, member):
                known = contract_of(subject, item.get("RuleEvaluatorImage"))
                if known is not None:
                    yield from _foreign(*known, f"{start}{where}/RuleEvaluatorImage", placed)


def _foreign(contract: Contract, region: str, account: str, at: str, placed: Placed) -> Iterator[Fault]:
    wanted = contract.accounts.get(region)
    if wanted is not None and account != wanted and _is_amazons(account):
        yield Fault(at, f"account {account} does not hold {contract.name} in {region}", f"use account {wanted}", placed)


def _is_amazons(account: str) -> bool:
    """Whether it holds another of the containers or the same of another region; anybody may have a copy of his own."""
    from mlops.knowledge.containers import contract, names

    known = (contract(name) for name in names())
    return any(item is not None and account in item.accounts.values() for item in known)


_INSTEAD = {"QualityCheck": "sagemaker-model-monitor-analyzer", "ClarifyCheck": "sagemaker-clarify-processing"}

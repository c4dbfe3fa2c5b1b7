"""The user's file, run, and the pipelines that it makes or that its function gives."""

from __future__ import annotations

import ast
import inspect
import os
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.compose.answers import Answers, Asked
from mlops.compose.notebook_magics import names_of_a_notebook
from mlops.compose.order import Order
from mlops.declare.declaring import declaring
from mlops.declare.load import MODULE, raised, syntax
from mlops.declare.mistakes import MISTAKES
from mlops.declare.misuse import MisuseError, collecting
from mlops.declare.pipeline import Pipeline, recording
from mlops.declare.time_limit import TimeIsUp, limited
from mlops.ir import Finding, Where
from mlops.ir.choices import near
from mlops.ir.dataclass import dataclass
from mlops.project.program_text import NOTEBOOK, program_text

if TYPE_CHECKING:
    from mlops.declare.resources.base import DeclaredResource

FUNCTION = "get_pipeline"
"""How SageMaker's project templates call the function that builds the pipeline."""


_ASKED_BY_THE_SDK = ("ListBuckets",)
"""What it asks by itself, whatever the answer."""


@dataclass(slots=True)
class Ran:
    """What running the file gave: pipelines of the official SDK, or what is declared in our own language, and what was
    wrong."""

    pipelines: list[Any] = field(default_factory=list)
    declared: list[Pipeline] = field(default_factory=list)
    resources: list[DeclaredResource] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        return bool(self.declared or self.resources)


def run(order: Order, answers: Answers) -> Ran:
    """Of the SDK's pipelines those that the order's name chooses; of ours all."""
    ran = Ran()
    try:
        text = program_text(order.file)
        tree = ast.parse(text, str(order.file))
        code = compile(tree, str(order.file), "exec", dont_inherit=True)
    except SyntaxError as error:
        ran.findings.append(syntax(error, order.file))
        return ran
    except (OSError, ValueError, RecursionError) as error:
        ran.findings.append(_finding(f"cannot be read: {error}", Where(str(order.file), 1), code="D100"))
        return ran
    with collecting() as mistakes:
        try:
            with limited(order.seconds, str(order.file)):
                namespace = _executed(order, code, answers, ran)
                if namespace is not None and not ran.is_ours:
                    ran.pipelines = _chosen(namespace, order, answers, ran)
                    if _is_asleep(ran, namespace):
                        ran.pipelines = _main(tree, namespace, order, answers, ran)
        except TimeIsUp as error:
            ran.findings.append(told_of(error, order, answers, None))
    ran.findings[:0] = mistakes
    return ran


def _is_asleep(ran: Ran, namespace: Mapping[str, Any]) -> bool:
    return not ran.pipelines and not ran.is_ours and not ran.findings and FUNCTION not in namespace


def _main(tree: ast.Module, namespace: dict[str, Any], order: Order, answers: Answers, ran: Ran) -> list[Any]:
    """A driver may do all its work under ``if __name__ == "__main__":``; what stands there is run where the rest of the
    file makes no pipeline."""
    guards = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.dump(node.test)]
    if not guards:
        return []
    code = compile(ast.Module(list(guards), []), str(order.file), "exec", dont_inherit=True)
    namespace["__name__"] = "__main__"
    sys.argv = [str(order.file)]
    with recording() as declared, declaring() as resources:
        _attempt(code, namespace, order, answers, ran, made=declared)
    ran.declared += declared
    ran.resources += resources
    return [] if ran.is_ours else _chosen(namespace, order, answers, ran)


def _chosen(namespace: Mapping[str, Any], order: Order, answers: Answers, ran: Ran) -> list[Any]:
    made = _declared({id(item): item for item in namespace.values() if _is_pipeline(item)}, answers)
    # Those that a function made and put into the account, and that no variable holds.
    names = [text(item.name) for item in made.values()]
    put = [Document(name, said) for name, said in answers.documents.items() if name not in names]
    listed = [*made.values(), *put]
    function = namespace.get(FUNCTION)
    if order.name is None:
        return _called(function, order, answers, ran) if not listed and inspect.isfunction(function) else listed
    named = [item for item in listed if text(item.name) == order.name]
    if named:
        return named
    chosen = namespace.get(order.name)
    if _is_pipeline(chosen):
        return [chosen]
    if inspect.isfunction(chosen):
        return _called(chosen, order, answers, ran)
    return _of_that_name(order.name, listed, function, order, answers, ran)


def _declared(made: Mapping[int, Any], answers: Answers) -> dict[int, Any]:
    """Without those that have no steps, and by whose name the file only asks for another one: the SDK's
    ``Pipeline(name="churn").list_executions()``."""
    whole = {text(item.name) for item in made.values() if getattr(item, "steps", None)} | answers.documents.keys()
    return {key: item for key, item in made.items() if getattr(item, "steps", None) or text(item.name) not in whole}


@dataclass(frozen=True, slots=True)
class Document:
    """A pipeline that is known by what was put into the account."""

    name: str
    said: str

    def definition(self) -> str:
        return self.said


def _of_that_name(name: str, made: list[Any], function: object, order: Order, answers: Answers, ran: Ran) -> list[Any]:
    """Of what ``get_pipeline`` gives, or a mistake that names what is there."""
    if not made and inspect.isfunction(function):
        made = _called(function, order, answers, ran)
        if not made:
            return []
    named = [item for item in made if text(item.name) == name]
    if not named and not ran.findings:
        known = sorted(text(item.name) for item in made)
        there, guess = ", ".join(known), near(name, known)
        meant = f"; did you mean {guess!r}?" if guess is not None else ""
        help = (
            f"here is {there}{meant}" if there else "leave it in a variable, or give it from a function get_pipeline()"
        )
        message = f"no pipeline and no function is called {name!r}"
        ran.findings.append(_finding(message, Where(str(order.file), 1), help))
    return named


def _executed(order: Order, code: Any, answers: Answers, ran: Ran) -> dict[str, Any] | None:
    """The file's names. It runs where it lies; where a file is not found from there, in the project's root again."""
    package = _package(order.file)
    top = order.file.parents[package.count(".") + 1 if package else 0]
    sys.path[:0] = list(dict.fromkeys(map(str, (order.file.parent, top, order.root))))
    for folder in dict.fromkeys((order.file.parent, order.root)):
        os.chdir(folder)
        module = types.ModuleType(MODULE)
        sys.modules[MODULE] = module  # dataclasses look the module of a class up
        namespace = module.__dict__
        namespace |= {"__file__": str(order.file), "__package__": package, "__builtins__": __builtins__}
        if order.file.suffix == NOTEBOOK:
            namespace |= names_of_a_notebook(answers)
        before = len(ran.findings), len(answers.changes), len(answers.unknown)
        with recording() as declared, declaring() as resources:
            error = _attempt(code, namespace, order, answers, ran, made=declared)
        if folder != order.root and not answers.stands and _lies_in(order.root, folder, error):
            del ran.findings[before[0] :], answers.changes[before[1] :], answers.unknown[before[2] :]
            continue
        ran.declared, ran.resources = declared, resources
        return namespace if error is None or answers.stands else None
    return None


def _lies_in(root: Path, folder: Path, error: BaseException | None) -> bool:
    """Whether what was not found is named from the project's root. Only then is the file run a second time."""
    if not isinstance(error, OSError | ValueError):
        return False
    for word in re.split(r"[\s'\"`,;()\[\]]+", str(error)):
        name = word.removeprefix("file://").rstrip(".:")
        path = Path(name).relative_to(folder) if name.startswith(f"{folder}/") else Path(name)
        if name and not path.is_absolute() and (root / path).exists() and not (folder / path).exists():
            return True
    return False


def _attempt(
    code: Any, namespace: dict[str, Any], order: Order, answers: Answers, ran: Ran, *, made: list[Pipeline]
) -> BaseException | None:
    """Runs it; what was raised is told, and given back."""
    try:
        exec(code, namespace)  # noqa: S102 - a pipeline file is a program
    except MisuseError as error:
        ran.findings.append(error.finding)
        return error
    except BaseException as error:
        if isinstance(error, SystemExit) and (answers.stands or made) and not error.code:
            return error
        ran.findings.append(told_of(error, order, answers, None))
        return error
    return None


def _package(file: Path) -> str:
    """The dotted package of a file that lies in one, so that its relative imports work."""
    names: list[str] = []
    folder = file.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _is_pipeline(item: object) -> bool:
    kind = type(item)
    bases = [base for base in kind.__mro__ if base.__name__ == "Pipeline" and base.__module__.startswith("sagemaker")]
    return bool(bases) and callable(getattr(item, "definition", None))


def _called(function: Callable[..., Any], order: Order, answers: Answers, ran: Ran) -> list[Any]:
    """What ``get_pipeline`` gives; its arguments are the environment's, by the names that project templates use."""
    facts = order.facts
    known = {
        "region": facts["region"],
        "region_name": facts["region"],
        "aws_region": facts["region"],
        "role": facts["role"],
        "role_arn": facts["role"],
        "execution_role": facts["role"],
        "execution_role_arn": facts["role"],
        "sagemaker_role": facts["role"],
        "sagemaker_role_arn": facts["role"],
        "account_id": facts["account"],
        "sagemaker_project_name": facts["project"],
        "project_name": facts["project"],
        "pipeline_name": facts["project"],
        "default_bucket": facts["bucket"],
        "bucket": facts["bucket"],
    }
    given: dict[str, Any] = {}
    where = Where(str(order.file), function.__code__.co_firstlineno)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in known and parameter.default in (parameter.empty, None):
            given[parameter.name] = known[parameter.name]
        elif parameter.default is parameter.empty:
            message = f"{function.__name__} wants {parameter.name!r}, and nothing here knows it"
            ran.findings.append(_finding(message, where, f"give {parameter.name} a default"))
            return []
    try:
        made = function(**given)
    except (Exception, SystemExit) as error:
        ran.findings.append(told_of(error, order, answers, None))
        return []
    listed = list(made) if isinstance(made, list | tuple) else [made]
    pipelines = [item for item in listed if _is_pipeline(item)]
    if not pipelines:
        message = f"{function.__name__} gives no pipeline but {type(made).__name__}"
        ran.findings.append(_finding(message, where))
    return pipelines


def told_of(error: BaseException, order: Order, answers: Answers, doing: str | None) -> Finding:
    """The finding of what the file or the SDK raised, with the mend where we know one."""
    found = raised(error, order.file)
    where = _place(error, order) or found.where
    said = found.message.removeprefix("running the file failed: ")
    if found.code != "D102":
        return found.at(where)
    if answers.stands and doing is None:
        message = f"what follows after the pipeline stands is no part of composing, and ended: {said}"
        return _finding(message, where, code="D106")
    started = answers.jobs
    if started and "step_args" in said:
        return _at_once(started[-1])
    asked = _unanswered(error, answers.unknown, where)
    if asked is not None:
        return _not_known(asked, said, order)
    message = found.message if doing is None else f"{doing}: {said}"
    return _finding(message, where, _help(error, order), step=found.step)


def _help(error: BaseException, order: Order) -> str | None:
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == "sagemaker":
        return _of_version("module", order)
    if _of_the_sdk_itself(error):
        return _of_version("name", order)
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "it").partition(".")[0]
        return f"install {module} beside mlops; nothing is installed while a file is composed"
    if isinstance(error, KeyError) and _is_of_the_environment(error):
        return f"set the variable {error}, or give it a default: os.environ.get({error}, …)"
    if isinstance(error, FileNotFoundError) and not Path(str(error.filename)).is_absolute():
        return (
            f"put {error.filename} beside the file, or where it finds it: nothing is fetched while a file is composed"
        )
    if isinstance(error, EOFError):
        return "nobody answers while a file is composed: take it from a variable of the environment with a default"
    if isinstance(error, SystemExit) and error.code:
        return (
            "arguments of its own command line need defaults; a function get_pipeline() is called with the "
            "environment's facts"
        )
    return None


def _is_of_the_environment(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename in ("<frozen os>", os.__file__) and frame.name == "__getitem__" for frame in frames)


_OF_SDK_3 = re.compile(r"\bsagemaker\.(?:core|train|mlops)\b")


def _of_version(kind: str, order: Order) -> str:
    """Of what is installed, and which of its versions has the modules and names (``kind``) that the file uses."""
    try:
        version = metadata.version("sagemaker")
    except metadata.PackageNotFoundError:
        meant = ">=3" if _OF_SDK_3.search(program_text(order.file)) else "<3"
        return f"the official SDK is not installed beside mlops: pip install 'sagemaker{meant}', as the file has it"
    major = int(version.partition(".")[0]) if version.partition(".")[0].isdecimal() else 0
    other = "<3" if major >= 3 else ">=3"
    return f"SDK {version} is installed and has no such {kind}: the file may be written for 'sagemaker{other}'"


def _of_the_sdk_itself(error: BaseException) -> bool:
    """``from sagemaker import Session``, ``sagemaker.Session()``: SDK 3 has nothing there, SDK 2 no parts of SDK 3."""
    if isinstance(error, ImportError):
        said = re.fullmatch(r"cannot import name '(\w+)' from 'sagemaker'.*", str(error))
        return said is not None and _is_of_another(said[1])
    if isinstance(error, AttributeError) and isinstance(error.obj, types.ModuleType):
        return error.obj.__name__ == "sagemaker" and _is_of_another(error.name)
    return False


def _is_of_another(name: str | None) -> bool:
    """A version of the SDK than the one that is installed."""
    return not metadata.version("sagemaker").startswith(("1.", "2.")) or name in ("core", "train", "mlops")


def _place(error: BaseException, order: Order) -> Where | None:
    """The innermost line of the file itself, rather than of a module of the project."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == str(order.file)]
    return Where(own[-1].filename, own[-1].lineno) if own and not isinstance(error, SyntaxError) else None


def _unanswered(error: BaseException, unknown: Sequence[Asked], where: Where) -> Asked | None:
    """The question for want of whose answer the file failed: it says so itself, or was asked where the file failed, or
    its answer was taken apart, or the file itself gave up after it."""
    chain = " ".join(_chain(error))
    asked = [each for each in reversed(unknown) if each.operation not in _ASKED_BY_THE_SDK]
    for each in asked:
        if f"{each}: not known while composing" in chain or f"s3://{each.about} was not uploaded" in chain:
            return each
    for each in asked:
        if each.where == where:
            return each
    takes_apart = isinstance(error, IndexError | KeyError | StopIteration | AttributeError | TypeError | ValueError)
    return asked[0] if asked and (takes_apart or _raises_itself(error, where)) else None


def _raises_itself(error: BaseException, where: Where) -> bool:
    """The file gave up by a ``raise``, an ``assert`` or an exit of its own."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and (frames[-1].filename, frames[-1].lineno) == (where.file, where.line)


def _chain(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _not_known(asked: Asked, said: str, order: Order) -> Finding:
    name = order.environment["name"]
    message = (
        f"the file asks {_who(asked)}, and nothing is asked while composing"
        if "not known while composing" in said or "HubContent" in asked.operation
        else f"the file asks {_who(asked)}, and nothing is asked while composing; without the answer: {said}"
    )
    is_here = order.environment["state"] is not None
    here = "or put it into the local account, which is asked (`mlops local exec -- COMMAND`); " if is_here else ""
    help = (
        f'give the answer in mlops.toml, [env.{name}.answers]: "{asked}" = {{ {_members(asked)} }}; {here}'
        "or let the file take it from a variable of the environment with a default"
    )
    return _finding(message, asked.where, help)


def _who(asked: Asked) -> str:
    if "HubContent" in asked.operation or "jumpstart" in asked.about.lower():
        return f"SageMaker's hub for a model ({asked})"
    return f"the account ({asked})"


def _members(asked: Asked) -> str:
    """What of the answer is most likely wanted, as an example."""
    known = {
        "GetSecretValue": 'SecretString = "…"',
        "GetParameter": 'Parameter = { Value = "…" }',
        "GetParameters": 'Parameters = [{ Name = "…", Value = "…" }]',
        "GetObject": 'Body = "…"',
        "ListModelPackages": 'ModelPackageSummaryList = [{ ModelPackageArn = "…" }]',
        "DescribeStacks": 'Stacks = [{ Outputs = [{ OutputKey = "…", OutputValue = "…" }] }]',
        "DescribeRepositories": 'repositories = [{ repositoryUri = "…" }]',
        "DescribeImages": 'imageDetails = [{ imageTags = ["…"] }]',
        "ListStateMachines": 'stateMachines = [{ name = "…", stateMachineArn = "…" }]',
        "DescribeStateMachine": 'stateMachineArn = "…"',
    }
    return known.get(asked.operation, "the members of the reply that the file reads")


def _at_once(job: Asked) -> Finding:
    message = f"this starts a job at once ({job.operation}), so there is nothing of which a step could be made"
    help = (
        "give the processor, estimator or transformer sagemaker_session=PipelineSession(): then its call is the step's"
    )
    return _finding(message, job.where, help, code="D110")


def _finding(
    message: str,
    where: Where,
    help: str | None = None,
    *,
    code: str = "D102",
    step: str | None = None,
) -> Finding:
    return Finding(code, MISTAKES[code].name, MISTAKES[code].severity, message, help=help, step=step, where=where)


def text(name: object) -> str:
    """A pipeline's name may be a parameter of the SDK with a default."""
    return name if isinstance(name, str) else str(getattr(name, "default_value", name))

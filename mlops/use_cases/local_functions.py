"""Functions of this project in the local account, as their sources are now."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mlops.account import Account
from mlops.account.answers import Refused, answers
from mlops.ir import Listener, UsageError
from mlops.ir.function_arn import function_name
from mlops.project.content_address import collect
from mlops.project.environments import Environment
from mlops.project.python_files import imported, parsed
from mlops.use_cases.connecting import Connected
from mlops.use_cases.news import Said

_SECONDS = 120  # what the official SDK gives a function behind a step
_MEGABYTES = 128
_ROLE = "arn:aws:iam::000000000000:role/functions"
_OLDEST = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier time, and the same files are to make the same bytes


def placed(connected: Connected, listener: Listener) -> None:
    """All that ``functions`` of the environment name. What is there already with the same code stays. Raises
    UsageError for a source that is not there."""
    declared = connected.environment.functions
    if not declared:
        return
    archives = {name: _archive(connected.root, name, source) for name, source in declared.items()}
    client = connected.account.client("lambda")
    for name, (archive, handler) in archives.items():
        digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
        with answers():
            try:
                found = client.get_function_configuration(FunctionName=name)
            except client.exceptions.ResourceNotFoundException:
                client.create_function(
                    FunctionName=name,
                    Runtime="python3.12",
                    Role=_ROLE,
                    Handler=handler,
                    Code={"ZipFile": archive},
                    Timeout=_SECONDS,
                    MemorySize=_MEGABYTES,
                )
                listener(Said(text=f"function {name} of the local account is {declared[name]}"))
                continue
            if found["CodeSha256"] != digest:
                client.update_function_code(FunctionName=name, ZipFile=archive)
                listener(Said(text=f"function {name} of the local account is {declared[name]} as it is now"))
            if found["Handler"] != handler:
                client.update_function_configuration(FunctionName=name, Handler=handler)


def known(environment: Environment, account: Callable[[], Account], arn: str) -> bool:
    """Whether the local account has that function, or will be brought it. One that nobody used yet is not made."""
    if function_name(arn) in environment.functions:
        return True
    if environment.state is None or not environment.state.exists():
        return False
    try:
        with answers():
            account().client("lambda").get_function_configuration(FunctionName=function_name(arn))
    except Refused:
        return False
    return True


def _archive(root: Path, name: str, source: str) -> tuple[bytes, str]:
    """The file with what it imports from beside it; and the handler as Lambda writes it."""
    written, _, function = source.partition(":")
    file = root / written
    if not file.is_file():
        raise UsageError(
            f"functions of the local environment: {name} is {source}, and there is no {written}",
            hint=f"it is looked for in {root}",
        )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for relative, path in sorted(set(_travelling(file))):
            archive.writestr(zipfile.ZipInfo(relative, _OLDEST), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue(), f"{file.stem}.{function}"


def _travelling(file: Path) -> Iterator[tuple[str, Path]]:
    folder, waiting, seen = file.parent, [file], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        yield path.relative_to(folder).as_posix(), path
        for module in _imports(path):
            beside, package = folder / f"{module}.py", folder / module
            if beside.is_file():
                waiting.append(beside)
            elif (package / "__init__.py").is_file():
                # A package goes with all that lies in it, also what is no Python.
                for relative, inside in collect(package):
                    yield f"{module}/{relative}", inside
                    if inside.suffix == ".py":
                        waiting.append(inside)


def _imports(path: Path) -> set[str]:
    tree = parsed(path)
    return set() if tree is None else {name.outermost for node in ast.walk(tree) for name in imported(node)}

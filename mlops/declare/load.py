"""A user's pipeline file to the pipelines that it declares. Runs the file; everything wrong with it is a finding."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import tokenize
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mlops.declare.declaring import declaring
from mlops.declare.mistakes import MISTAKES
from mlops.declare.misuse import MisuseError, collecting
from mlops.declare.pipeline import Pipeline, recording
from mlops.declare.reaching_out import ReachesOut, watched
from mlops.declare.time_limit import TimeIsUp, limited
from mlops.ir import Finding, Severity, Where
from mlops.ir.dataclass import dataclass
from mlops.project.bytecode import keep_own_bytecode

if TYPE_CHECKING:
    from mlops.declare.resources.base import DeclaredResource

FUNCTION = "get_pipeline"
MODULE = "mlops_pipeline_file"
"""The ``__name__`` of the file while it runs: not ``__main__``, so that a guarded main block stays asleep."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file declares. ``pipelines`` and ``resources`` are in the order of making and may be incomplete where
    findings are."""

    file: Path
    pipelines: tuple[Pipeline, ...]
    findings: tuple[Finding, ...]
    resources: tuple[DeclaredResource, ...] = ()


def load(file: Path, seconds: float | None = None) -> Loaded:
    """``file`` exists. What it prints goes to standard error: standard output belongs to results. Where it takes longer
    than ``seconds``, that is a finding. Raises :class:`ReachesOut` for a file that would do more than declare, before
    it does."""
    path = file.resolve()
    with collecting() as findings, recording() as pipelines, declaring() as resources:
        try:
            with tokenize.open(path) as source:
                code = compile(source.read(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            findings.append(syntax(error, path))
        except UnicodeDecodeError as error:
            message = f"Python cannot read this: byte {error.start} is not {error.encoding}"
            findings.append(_finding("D101", message, Where(str(path), 1), "save the file in UTF-8"))
        except RecursionError:
            help = "split what is nested into parts with names"
            findings.append(_finding("D101", "Python cannot read this: nested too deeply", Where(str(path), 1), help))
        except (OSError, ValueError) as error:
            told = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            help = "it has to be a text file that you may read"
            findings.append(_finding("D100", f"cannot be read: {told}", Where(str(path)), help))
        else:
            with _importable(path.parent), _standard_output_to_error(), staying_alive(), watched() as reached:
                _execute(code, path, pipelines, findings, seconds)
            what = reached()
            if what is not None:
                raise ReachesOut(what)
        if not pipelines and not resources and not findings:
            findings.append(
                _finding(
                    "D103",
                    "no pipeline is declared here",
                    Where(str(path), 1),
                    help='declare one with `with Pipeline("name") as pipeline:`',
                )
            )
    return Loaded(path, tuple(pipelines), tuple(findings), tuple(resources))


def _execute(
    code: object, path: Path, pipelines: Sequence[Pipeline], findings: list[Finding], seconds: float | None
) -> None:
    """A file that declares no pipeline itself may have a function ``get_pipeline`` that does, as SageMaker's own
    templates have."""
    module = types.ModuleType(MODULE)
    module.__file__ = str(path)
    sys.modules[MODULE] = module  # dataclasses look the module of a class up; _importable forgets it again
    try:
        with limited(seconds, str(path)):
            exec(code, module.__dict__)  # type: ignore[arg-type]  # noqa: S102 - a pipeline file is a program
            if not pipelines and not findings and inspect.isfunction(make := module.__dict__.get(FUNCTION)):
                _call(make, path, findings)
    except (KeyboardInterrupt, ReachesOut):
        raise
    except MisuseError as error:
        findings.append(error.finding)
    except BaseException as error:
        findings.append(raised(error, path))


def _call(make: Callable[..., object], path: Path, findings: list[Finding]) -> None:
    wanted = [item.name for item in inspect.signature(make).parameters.values() if item.default is item.empty]
    if not wanted:
        make()
        return
    where = Where(str(path), make.__code__.co_firstlineno)
    message = f"no pipeline is declared here, and {FUNCTION}() wants {', '.join(wanted)}"
    help = "give its parameters defaults, or call it in the file: mlops.toml has what differs between environments"
    findings.append(_finding("D103", message, where, help))


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules beside the file can be imported by it, and are forgotten after: two folders may share names."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    wrote_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote_bytecode
        keep_own_bytecode(set(sys.modules) - before)
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            # A folder without __init__.py is a package that has no file.
            origin = getattr(module, "__file__", None)
            places = [origin] if origin else [*getattr(module, "__path__", ())]
            if any(Path(place).resolve().is_relative_to(folder) for place in places):
                del sys.modules[name]


class _ProcessEnd(BaseException):
    """The file called ``os._exit``."""

    def __str__(self) -> str:
        return "the file ends the process (os._exit)"


@contextlib.contextmanager
def staying_alive() -> Iterator[None]:
    """``os._exit(0)`` in a file would end a check as if there were nothing to say. A child that the file forks may
    end so; what C code does behind Python's back, nobody in this process sees."""
    process, end = os.getpid(), os._exit
    modules = [sys.modules[name] for name in ("os", "posix", "nt") if name in sys.modules]

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:
            end(status)
        raise _ProcessEnd

    for module in modules:
        module._exit = refuse  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in modules:
            module._exit = end  # type: ignore[attr-defined]


@contextlib.contextmanager
def _standard_output_to_error() -> Iterator[None]:
    """Also for programs that the file starts: they write to the descriptor, not to ``sys.stdout``."""
    sys.stdout.flush()
    try:
        kept, error = os.dup(1), sys.stderr.fileno()
    except (OSError, ValueError):  # no real descriptors here, e.g. in a notebook
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    os.dup2(error, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def syntax(error: SyntaxError, path: Path) -> Finding:
    line, column = (number if number and number > 0 else None for number in (error.lineno, error.offset))
    where = Where(error.filename or str(path), line or 1, column)
    return _finding("D101", f"Python cannot read this: {error.msg}", where, "mend the line, or the one before it")


def raised(error: BaseException, path: Path) -> Finding:
    """The user's own innermost line counts, not the library's that raised."""
    from mlops.declare.raised import help_of, said_of  # only an exception needs it

    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(path.parent)]
    frame = own[-1] if own else None
    if isinstance(error, SyntaxError):
        return syntax(error, path)
    where = Where(frame.filename if frame else str(path), frame.lineno if frame else None)
    if isinstance(error, TimeIsUp):
        help = "what takes long belongs into a step; `time_limit` of [project] in mlops.toml gives more seconds"
        return _finding("D107", f"running the file was given up: {error}", where, help)
    if isinstance(error, SystemExit | _ProcessEnd):
        text = "the file ends the process (SystemExit)" if isinstance(error, SystemExit) else str(error)
        help = 'below `if __name__ == "__main__":` it would end only a program of its own'
        return _finding("D102", f"running the file failed: {text}", where, help)
    return _finding("D102", f"running the file failed: {said_of(error)}", where, help_of(error, path))


def _finding(code: str, message: str, where: Where, help: str | None = None) -> Finding:
    return Finding(code, MISTAKES[code].name, Severity.ERROR, message, help=help, where=where)

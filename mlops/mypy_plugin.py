"""For mypy: a step function takes references of the types that it is annotated with, and nothing else.

    [tool.mypy]
    plugins = ["mlops.mypy_plugin"]

Without it mypy lets a call pass whatever it is given, since the type system has no word for "each parameter's type, or
a reference to it"; wrong arguments are then found when the pipeline is loaded. Only mypy imports this file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mypy.checker import TypeChecker
from mypy.nodes import TypeInfo
from mypy.plugin import MethodSigContext, Plugin
from mypy.types import FunctionLike, Instance, NoneType, Parameters, Type, UnionType, get_proper_type

CALL = "mlops.declare.functions.step.Function.__call__"
_REFERENCES = "mlops.declare.references"
_PROCESSING = "mlops.declare.steps.processing"
_DATA = (
    f"{_REFERENCES}.DataReference",
    f"{_REFERENCES}.ModelReference",
    f"{_REFERENCES}.StringReference",
    f"{_REFERENCES}.ReportReference",
)

TAKES: Mapping[str, Sequence[str]] = {
    "builtins.int": (f"{_REFERENCES}.IntegerReference",),
    "builtins.float": (f"{_REFERENCES}.NumberReference",),
    "builtins.bool": (f"{_REFERENCES}.BooleanReference",),
    "builtins.str": _DATA,
    "pathlib.Path": (
        *_DATA,
        "builtins.str",
        f"{_PROCESSING}.Input",
        f"{_PROCESSING}.Athena",
        f"{_PROCESSING}.Redshift",
    ),
}
"""What stands for a value of a type, as declare/functions/arguments.py asks it of the values."""


def with_references(context: MethodSigContext) -> FunctionLike:
    """The signature of a call, each parameter of it widened."""
    signature, function = context.default_signature, get_proper_type(context.type)
    parameters = get_proper_type(function.args[0]) if isinstance(function, Instance) and function.args else None
    if not isinstance(parameters, Parameters):
        return signature
    return signature.copy_modified(
        arg_types=[_widened(given, context) for given in parameters.arg_types],
        arg_kinds=parameters.arg_kinds,
        arg_names=parameters.arg_names,
    )


def _widened(given: Type, context: MethodSigContext) -> Type:
    proper = get_proper_type(given)
    kinds = proper.items if isinstance(proper, UnionType) else [given]
    own = [kind for kind in map(get_proper_type, kinds) if not isinstance(kind, NoneType)]
    if len(own) != 1 or not isinstance(own[0], Instance):
        return given
    names = TAKES.get(own[0].type.fullname, ())
    return UnionType.make_union([given, *(kind for name in names if (kind := _instance(name, context)) is not None)])


def _instance(name: str, context: MethodSigContext) -> Instance | None:
    """Through the module itself: mypy's own look-up wants each package to have its modules as names."""
    module, _, own = name.rpartition(".")
    modules = context.api.modules if isinstance(context.api, TypeChecker) else {}
    symbol = modules[module].names.get(own) if module in modules else None
    return Instance(symbol.node, []) if symbol is not None and isinstance(symbol.node, TypeInfo) else None


class _StepFunctions(Plugin):
    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        return with_references if fullname == CALL else None


def plugin(version: str) -> type[Plugin]:
    """mypy asks for it by this name."""
    return _StepFunctions

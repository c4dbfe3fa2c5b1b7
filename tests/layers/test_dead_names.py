"""Every name that is defined in the package is used in it, or somebody else asks for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import mlops
from tests.layers.sources import nodes_of

pytestmark = pytest.mark.xdist_group("layers")

ROOT = Path(mlops.__file__).parent

ASKED_FOR_BY = {
    "ssl": {"check_hostname", "verify_mode"},
    "pytest": {"pytest_addoption", "pytest_configure"},
    "click": {"_custom_shell_complete", "case_sensitive", "format_commands", "get_command"},
    "mypy": {"get_method_signature_hook"},
    "pydantic": {"_fires", "_is_known", "model_config"},
    "notebooks": {"_repr_html_", "_repr_pretty_", "_repr_svg_"},
    "botocore": {"list_available_services"},
    "asyncio": {
        "connection_lost",
        "connection_made",
        "data_received",
        "eof_received",
        "pause_writing",
        "resume_writing",
    },
    "http.server": {
        *("close_connection", "do_GET", "do_POST", "log_message", "protocol_version"),
        *("daemon_threads", "disable_nagle_algorithm", "wbufsize"),
    },
    "sqlite3": {"row_factory"},
    "xgboost": {"after_iteration"},
    "tarfile": {"uid", "gid", "uname", "gname", "pax_headers"},
    "socket": {"getaddrinfo"},
    "http.client": {"sock"},
    "subprocess": {"_child_created", "_communication_started", "fork_exec"},
    "tempfile": {"tempdir"},
    "importlib": {"find_spec"},
    "handlers of models, as the inference toolkit has them": {"get_request_header", "system_properties"},
    "handlers of functions, as Lambda's runtime has them": {
        *("client_context", "identity", "function_version", "invoked_function_arn", "memory_limit_in_mb"),
        *("log_group_name", "log_stream_name", "aws_request_id", "get_remaining_time_in_millis", "function_name"),
    },
    "authors, by the documents": {"secret_permissions"},
    "boto3, which refreshes by it": {"_credentials"},
    "who reads the record of a request, by column": {
        *("bytes_in", "bytes_out", "model_microseconds", "overhead_microseconds"),
    },
    "step types that state their members": {"TRAINED"},
}

_READ = frozenset({"property", "staticmethod", "classmethod", "cache"})
"""Decorators of what is still to be named; others hand the function on."""


def defined(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if all(isinstance(item, ast.Name) and item.id in _READ for item in node.decorator_list):
                yield node.name, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def used(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """By name, as an attribute, in a pattern, or in a short string."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.MatchClass):
            yield from node.kwd_attrs
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 60:
            yield from re.findall(r"\w+", node.value)


def dead(root: Path) -> list[str]:
    sources = {file: nodes_of(file) for file in root.rglob("*.py") if "use_cases/templates" not in file.as_posix()}
    known = {name for nodes in sources.values() for name in used(nodes)}
    for page in root.rglob("page.html"):  # what a template tells
        known.update(re.findall(r"\w+", page.read_text(encoding="utf-8")))
    return sorted(
        f"{file.relative_to(root)}:{line} {name}"
        for file, nodes in sources.items()
        for name, line in defined(nodes)
        if name not in known and name.strip("_") and not name.startswith("__")
    )


def test_no_name_is_dead() -> None:
    asked = {name for names in ASKED_FOR_BY.values() for name in names}
    assert [item for item in dead(ROOT) if item.rpartition(" ")[2] not in asked] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("LIMIT = 3\n", ["LIMIT"]),
        ("LIMIT = 3\nprint(LIMIT)\n", []),
        ("class A:\n    def __init__(self): self.kept = 1\nA()\n", ["kept"]),
        ("class A:\n    @property\n    def size(self): return 1\nA()\n", ["size"]),
        ("class A:\n    size: int = 0\nprint(A().size)\n", []),
        ("@rule\ndef found(subject): ...\n", []),
        ("def late(): ...\ngetattr(module, 'late')\n", []),
    ],
)
def test_what_is_used_nowhere_is_dead(tmp_path: Path, text: str, found: list[str]) -> None:
    (tmp_path / "a.py").write_text(text)
    assert [item.rpartition(" ")[2] for item in dead(tmp_path)] == found

"""Reads CloudFormation's YAML: tags are the functions that they stand for."""

from __future__ import annotations

from typing import Any

import yaml


class Functions(yaml.SafeLoader):
    pass


def _function(loader: Functions, suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            inside: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            inside = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            inside = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt":
        inside = inside.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": inside}


Functions.add_multi_constructor("!", _function)


def read(text: str) -> Any:
    return yaml.load(text, Loader=Functions)

"""An OpenSearch with Index State Management, as far as setting up asks it: policies are judged by the plugin's own
rules, and an index goes by the version of the policy that it was given, whatever becomes of that."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mlops.observe.search.asking import Answered, Body
from tests.observe.search import plugin_judge

_ALIAS = "plugins.index_state_management.rollover_alias"


class Door:
    """``refuses``: indices that it does not take under a policy."""

    def __init__(self, *, managed: bool = True, refuses: tuple[str, ...] = ()) -> None:
        self.managed = managed
        self._refuses = refuses
        self._templates: dict[str, Any] = {}
        self._policies: dict[str, tuple[int, Any]] = {}
        self.indices: dict[str, dict[str, Any]] = {}
        self.by: dict[str, tuple[str, int]] = {}
        self._number = 0

    def ask(self, method: str, path: str, body: Body) -> Mapping[str, Any]:
        where, _, query = path.removeprefix("/").partition("?")
        parts = where.split("/")
        if parts[0] == "_plugins" and not self.managed:
            raise Answered("no handler found for it", 400)
        match method, parts:
            case "GET", ["_index_template", name]:
                return {"index_templates": [{"index_template": self._found(self._templates, name)}]}
            case "PUT", ["_index_template", name]:
                self._templates[name] = body
            case "GET", ["_plugins", "_ism", "policies", name]:
                number, policy = self._found(self._policies, name)
                return {"policy": policy, "_seq_no": number, "_primary_term": 1, "_version": 1, "_id": name}
            case "PUT", ["_plugins", "_ism", "policies", name]:
                return self._put(name, body, query)
            case "GET", ["_plugins", "_ism", "explain", names]:
                return {
                    **{name: self._explained(name) for name in names.split(",")},
                    "total_managed_indices": len(self.by),
                }
            case "POST", ["_plugins", "_ism", "add" | "change_policy" as how, name]:
                return self._manage(how, name, body)
            case "GET", ["_alias", alias]:
                behind = {n: {"aliases": its["aliases"]} for n, its in self.indices.items() if alias in its["aliases"]}
                if not behind:
                    raise Answered("missing", 404)
                return behind
            case "GET", [name, "_mapping"]:
                return {name: {"mappings": self._found(self.indices, name)["mappings"]}}
            case "PUT", [name, "_settings"]:
                assert isinstance(body, Mapping)
                self.indices[name]["settings"] |= body
            case "PUT", [name]:
                self._make(name, body)
            case _:
                raise AssertionError((method, path))
        return {"acknowledged": True}

    def _make(self, name: str, body: Body) -> None:
        """Whatever was made before a policy goes by none."""
        assert isinstance(body, Mapping)
        (template,) = self._templates.values()
        made = template["template"]
        self.indices[name] = {
            "aliases": body["aliases"], "mappings": made["mappings"], "settings": dict(made["settings"])
        }  # fmt: skip
        for policy, (number, told) in self._policies.items():
            patterns = [pattern for it in told["ism_template"] for pattern in it["index_patterns"]]
            if any(name.startswith(pattern.rstrip("*")) for pattern in patterns):
                self.by[name] = (policy, number)

    def _put(self, name: str, body: Body, query: str) -> Mapping[str, Any]:
        try:
            plugin_judge.policy(body)
        except plugin_judge.Refused as refused:
            raise Answered(str(refused), 400) from None
        assert isinstance(body, Mapping)
        there = self._policies.get(name)
        given = dict(pair.split("=") for pair in query.split("&") if pair)
        if there is not None and given.get("if_seq_no") != str(there[0]):
            raise Answered("version conflict", 409)
        self._number += 1
        told = copy.deepcopy(body["policy"])
        told |= {"policy_id": name, "last_updated_time": 1, "schema_version": 21, "error_notification": None}
        for action in (action for state in told["states"] for action in state["actions"]):
            action["retry"] = {"count": 3, "backoff": "exponential", "delay": "1m"}
        self._policies[name] = (self._number, told)
        return {"_id": name, "policy": {"policy": told}}

    def _explained(self, name: str) -> Mapping[str, Any]:
        policy, number = self.by.get(name, (None, None))
        told = {"index": name, "policy_id": policy, "policy_seq_no": number} if policy is not None else {}
        return {"index.plugins.index_state_management.policy_id": policy, **told, "enabled": policy is not None or None}

    def _manage(self, how: str, name: str, body: Body) -> Mapping[str, Any]:
        assert isinstance(body, Mapping) and [*body] == ["policy_id"]
        if name in self._refuses or (name in self.by) != (how == "change_policy"):
            failed = [{"index_name": name, "index_uuid": "u", "reason": "This index is not to be had"}]
            return {"updated_indices": 0, "failures": True, "failed_indices": failed}
        self.by[name] = (str(body["policy_id"]), self._policies[str(body["policy_id"])][0])
        return {"updated_indices": 1, "failures": False, "failed_indices": []}

    def rolls_over(self, name: str) -> bool:
        """Whether the rollover of its policy finds the alias."""
        its = self.indices[name]
        return name in self.by and its["settings"].get(_ALIAS) in its["aliases"]

    @staticmethod
    def _found(table: Mapping[str, Any], name: str) -> Any:
        if name not in table:
            raise Answered("missing", 404)
        return table[name]

"""A template of CloudFormation as one configuration of Terraform, for the environment that the template is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from mlops.emit.terraform.arguments import Arguments, Unspelt
from mlops.emit.terraform.expressions import Expressions, escaped, inside_quotes, is_function
from mlops.emit.terraform.names import names, snake
from mlops.emit.terraform.variables import is_switch, variables
from mlops.ir import UsageError
from mlops.ir.dataclass import dataclass
from mlops.ir.secrecy import is_filled_in, is_secret_name
from mlops.ir.surroundings import Surroundings
from mlops.knowledge.terraform import CLOUD_CONTROL, Spelling, provider, schema, spelling

TERRAFORM = ">= 1.5"
"""Since then a variable's validation, postconditions and import blocks are all there (Terraform's changelog)."""
_PSEUDO = {
    "AWS::AccountId": ("aws_caller_identity", "account_id"),
    "AWS::Partition": ("aws_partition", "partition"),
    "AWS::Region": ("aws_region", "region"),
}
Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """``document`` is the JSON syntax's; ``notes`` are what whoever applies it has to know."""

    document: Mapping[str, Any]
    notes: Sequence[str]


@dataclass(slots=True)
class Configuration:
    """Of ``template``, in ``around``. What is written of one resource goes beside it: ``locals`` are its texts of
    several lines and JSON texts, ``variables`` its ``secrets``, which are kept by variable, so that two are not one."""

    template: Template
    around: Surroundings
    described: str
    locals: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    kinds: dict[str, Spelling | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def written(self) -> Written:
        self.names = names(self.resources)
        self.kinds = {name: self._kind(name, told) for name, told in self.resources.items()}
        self.variables |= variables(self.template.get("Parameters", {}))
        made: dict[str, dict[str, Any]] = {}
        for name, told in self.resources.items():
            for kind, called, body in self._resource(name, told):
                made.setdefault(kind, {})[called] = body
        outputs = {
            snake(name): {
                **({"description": told["Description"]} if "Description" in told else {}),
                "value": self._expressions("").told(told["Value"]),
            }
            for name, told in self.template.get("Outputs", {}).items()
        }
        document = {
            "//": self.described,
            "terraform": {
                "required_version": TERRAFORM,
                "required_providers": {"aws": {"source": "hashicorp/aws", "version": _versions()}},
            },
            **({"variable": self.variables} if self.variables else {}),
            "data": self._asked(),
            **({"locals": self.locals} if self.locals else {}),
            **({"resource": made} if made else {}),
            **({"output": outputs} if outputs else {}),
        }
        return Written(document, self.notes)

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.template["Resources"]
        return found

    def _kind(self, name: str, told: Mapping[str, Any]) -> Spelling | None:
        """None for one that goes by Cloud Control, since the provider has no type for it or no argument for what it
        says."""
        kind = spelling(told["Type"])
        if kind is None:
            self.notes.append(
                f"the AWS provider has no type that is known here for {told['Type']}: {name} is {CLOUD_CONTROL}"
            )
            return None
        try:
            for _, part, properties in ((name, kind, told["Properties"]), *_parts(kind, name, told["Properties"])):
                Arguments(part, _TRIED, lambda _argument, _value: "local.tried").of(properties)
        except Unspelt as missing:
            self.notes.append(f"{kind.type} has {missing}: {name} is {CLOUD_CONTROL}")
            return None
        return kind

    def _resource(self, name: str, told: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        kind, called = self.kinds[name], self.names[name]
        properties = told["Properties"]
        if kind is None:
            desired = self._kept_apart(called, "desired_state", self._expressions(name).told(properties))
            arguments = {"type_name": told["Type"], "desired_state": f"${{jsonencode({desired})}}"}
            yield CLOUD_CONTROL, called, {**self._about(told), **arguments, **self._cycle(told, before=False)}
            return
        arguments = self._of(name, kind, called, properties)
        # Two of one name cannot be there together.
        before = kind.before and kind.named not in arguments
        yield kind.type, called, {**self._about(told), **arguments, **self._cycle(told, before=before)}
        for part_called, part, inside in _parts(kind, called, properties):
            link = {argument: f"${{{self._address(name)}.{attribute}}}" for argument, attribute in part.link.items()}
            yield part.type, part_called, {**self._count(told), **link, **self._of(name, part, part_called, inside)}

    def _of(self, name: str, kind: Spelling, called: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        def apart(argument: str, value: Any) -> str:
            return self._kept_apart(called, argument, value)

        return Arguments(kind, self._expressions(name), apart).of(properties)

    def _about(self, told: Mapping[str, Any]) -> dict[str, Any]:
        needed = told.get("Metadata", {}).get("NeededBy")
        return {**({"//": {"NeededBy": needed}} if needed else {}), **self._count(told)}

    def _count(self, told: Mapping[str, Any]) -> dict[str, Any]:
        return {"count": f"${{{self._condition(told['Condition'])} ? 1 : 0}}"} if "Condition" in told else {}

    def _cycle(self, told: Mapping[str, Any], *, before: bool) -> dict[str, Any]:
        waits = [self._plain_address(name) for name in _listed(told.get("DependsOn", ()))]
        cycle = {
            **({"create_before_destroy": True} if before else {}),
            **({"prevent_destroy": True} if told.get("DeletionPolicy") == "Retain" else {}),
        }
        return {**({"depends_on": waits} if waits else {}), **({"lifecycle": cycle} if cycle else {})}

    def _kept_apart(self, called: str, argument: str, value: Any) -> str:
        wanted = f"{called}_{argument}"
        name, number = wanted, 1
        while name in self.locals:
            number += 1
            name = f"{wanted}_{number}"
        self.locals[name] = value
        return f"local.{name}"

    def _expressions(self, name: str) -> Expressions:
        return Expressions(
            self._ref,
            self._attribute,
            self._condition,
            self._mapping,
            lambda member, text: self._secret(name, member, text),
        )

    def _mapping(self, name: str) -> str:
        self.locals[snake(name)] = self.template["Mappings"][name]
        return f"local.{snake(name)}"

    def _secret(self, name: str, member: str, text: str) -> str | None:
        """By its name alone, which is the same wherever this runs."""
        if not is_secret_name(member) or not is_filled_in(text):
            return None
        wanted = f"{self.names.get(name, snake(name))}_{snake(member)}"
        called, number = wanted, 1
        while self.secrets.setdefault(called, text) != text:
            number += 1
            called = f"{wanted}_{number}"
        if called not in self.variables:
            told = f"{member} of {name}, which is not written here"
            self.variables[called] = {"type": "string", "nullable": False, "sensitive": True, "description": told}
            self.notes.append(
                f"{told}: give it as TF_VAR_{called}; Terraform's state holds it, so let the service read a secret"
            )
        return f"var.{called}"

    def _ref(self, name: str) -> str:
        if name in self.resources:
            kind = self.kinds[name]
            return f"{self._address(name)}.{'id' if kind is None else kind.ref}"
        if name in _PSEUDO:
            source, attribute = _PSEUDO[name]
            self.asked.add(source)
            return f"data.{source}.current.{attribute}"
        return f"var.{snake(name)}"

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self.kinds[name]
        if kind is None:
            inside = "".join(f'["{part}"]' for part in attribute.split("."))
            return f"jsondecode({self._address(name)}.properties){inside}"
        known = schema(kind.type)["attributes"]
        found = kind.told.get(attribute, snake(attribute))
        if found not in known:
            raise UsageError(f"{kind.type} does not tell {attribute}, which {name} is asked for")
        return f"{self._address(name)}.{found}"

    def _plain_address(self, name: str) -> str:
        kind = self.kinds[name]
        return f"{CLOUD_CONTROL if kind is None else kind.type}.{self.names[name]}"

    def _address(self, name: str) -> str:
        return self._plain_address(name) + ("[0]" if "Condition" in self.resources[name] else "")

    def _condition(self, name: str) -> str:
        return self._holds(self.template["Conditions"][name])

    def _holds(self, condition: Any) -> str:
        match condition:
            case {"Fn::Equals": [{"Ref": str(name)}, "true"]} if is_switch(self.template["Parameters"].get(name, {})):
                return f"var.{snake(name)}"
            case {"Fn::Equals": [one, other]}:
                expressions = self._expressions("")
                return f"({expressions.expression(one)} == {expressions.expression(other)})"
            case {"Fn::Not": [inside]}:
                return f"!{self._holds(inside)}"
            case {"Fn::And": list(parts)}:
                return f"({' && '.join(map(self._holds, parts))})"
            case {"Fn::Or": list(parts)}:
                return f"({' || '.join(map(self._holds, parts))})"
            case {"Condition": str(name)}:
                return self._condition(name)
        raise UsageError(f"a condition of a template has no form in Terraform: {condition}")

    def _asked(self) -> dict[str, Any]:
        """Which account and region it is for, so that nowhere else is changed anything."""
        held = {"aws_region": ("region", self.around.region)}
        if self.around.account is not None:
            held["aws_caller_identity"] = ("account_id", self.around.account)
        found: dict[str, Any] = {source: {"current": {}} for source in self.asked - held.keys()}
        for source, (attribute, value) in held.items():
            found[source] = {
                "current": {
                    "lifecycle": {
                        "postcondition": {
                            "condition": f'${{self.{attribute} == "{inside_quotes(value)}"}}',
                            "error_message": escaped(
                                f"This is for {value}: give the provider the {self.around.environment} "
                                "environment's region and credentials."
                            ),
                        }
                    }
                }
            }
        return dict(sorted(found.items()))


_TRIED = Expressions(
    lambda _: "null", lambda _name, _attribute: "null", lambda _: "true", lambda _: "{}", lambda _member, _text: None
)
"""What is asked only whether there is an argument for it."""


def _parts(
    kind: Spelling, called: str, properties: Mapping[str, Any]
) -> Iterator[tuple[str, Spelling, Mapping[str, Any]]]:
    """What each is called, and what it says: an item of a list, or the member itself."""
    for member, part in kind.apart.items():
        match properties.get(member):
            case [*items]:
                for index, item in enumerate(items):
                    said = item if isinstance(item, Mapping) and not is_function(item) else {member: item}
                    yield called if len(items) == 1 else f"{called}_{index + 1}", part, said
            case None:
                pass
            case whole:
                yield called, part, {member: whole}


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names


def _versions() -> str:
    """From the provider whose types are known to the next that may break them.

    >>> _versions()
    '>= 6.25.0, < 7.0.0'
    """
    known = provider()
    return f">= {known}, < {int(known.partition('.')[0]) + 1}.0.0"

"""What an account holds beside the steps of a pipeline: schedules, rules, the pipeline itself. Declared like a step,
and known by one record per type."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, TypeAlias, TypeGuard

from mlops.ir.dataclass import dataclass
from mlops.ir.definition import Definition, Step
from mlops.ir.values import Expression, Ref, Value, to_json, transform
from mlops.ir.where import NOWHERE, Where

ROOT = "Resources"
"""``Resources.<name>.Arn`` is the ARN of another resource, which the account gives it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """``type`` is a :class:`ResourceType`'s, ``name`` what the account calls it. ``properties`` are what it is compared
    by: members of the request that makes it, with the same expressions as a step's Arguments."""

    type: str
    name: str
    properties: Mapping[str, Value]
    where: Where = NOWHERE

    @property
    def key(self) -> str:
        """In records: ``schedule churn-daily``."""
        return f"{self.type} {self.name}"

    @property
    def plain(self) -> dict[str, Any]:
        """Its properties as JSON."""
        return {member: to_json(value) for member, value in self.properties.items()}

    def fingerprint(self) -> str:
        return fingerprint(self.plain)


def fingerprint(properties: Mapping[str, Any]) -> str:
    """The same for the same JSON value.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    return _digest(json.dumps(properties, sort_keys=True))


def _digest(text: str) -> str:
    import hashlib  # it loads OpenSSL, and to check a definition asks for none

    return hashlib.sha256(text.encode()).hexdigest()


def arn_of(name: str) -> Ref:
    """
    >>> arn_of("churn").expression
    'Resources.churn.Arn'
    """
    return Ref(f"{ROOT}.{name}.Arn")


GROUPS = "ModelPackageGroups"
"""``ModelPackageGroups.<name>.NewestApproved`` is the ARN of a version, which the account says."""


def newest_approved(group: str) -> Ref:
    """
    >>> newest_approved("churn").expression
    'ModelPackageGroups.churn.NewestApproved'
    """
    return Ref(f"{GROUPS}.{group}.NewestApproved")


def resolved(resource: Resource, arns: Mapping[str, str]) -> Resource:
    """With the ARNs of other resources, by name; one that is not among them stays a reference."""

    def known(expression: Expression) -> Value:
        path = expression.path if isinstance(expression, Ref) else None
        if path is None or path.root != ROOT or path.segments != ("Arn",):
            return expression
        return arns.get(path.name, expression)

    return replace(
        resource, properties={member: transform(value, known) for member, value in resource.properties.items()}
    )


SHORT_NAME = r"(?=.{1,40}$)[0-9A-Za-z](-?[0-9A-Za-z])*"
"""Of what EventBridge calls by a longer name, which takes 64 letters."""
BATCH_NAME = r"(?=.{1,25}$)[0-9A-Za-z](-?[0-9A-Za-z])*"
"""Its jobs are called by it, a dash and the 36 letters of an id, of which SageMaker takes 63."""
NAME, NAMED_BY = "DeclaredName", "NamedBy"
"""Of a step of :attr:`~mlops.ir.definition.Definition.of_resources`: what its author calls it; and the member of its
Arguments that says so too, where the account calls it the same."""


def kind_of(step_type: str) -> str:
    """The word for the resources that such steps stand for.

    >>> kind_of("EndpointConfig")
    'endpoint-config'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", step_type).lower()


_LONGEST_LABEL = 64
"""As long as the name of a step may be."""


def label_of(kind: str, name: str) -> str:
    """What it is called among all that is declared: the name of its step. What no step may be called is kept apart by a
    digest.

    >>> label_of("model", "churn"), label_of("alarm", "churn/5xx")
    ('model-churn', 'alarm-churn-5xx-0928284e')
    """
    whole = f"{kind}-{name}"
    if len(whole) <= _LONGEST_LABEL and re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", whole):
        return whole
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", whole)[:50].strip("-")
    return f"{plain}-{_digest(name)[:8]}"


def declared_resources(definition: Definition) -> tuple[Resource, ...]:
    """What a file declares beside its pipelines; each names another as :func:`name_of` does."""
    steps = {step.name: step for step in definition.steps}

    def named(expression: Expression) -> Value:
        path = expression.path if isinstance(expression, Ref) else None
        if path is None or path.root != "Steps" or path.name not in steps or len(path.segments) != 1:
            return expression
        (member,) = path.segments
        return Ref(f"{ROOT}.{path.name}.{'Arn' if str(member).lower().endswith('arn') else 'Name'}")

    return tuple(_resource(step, named) for step in definition.steps)


def name_of(kind: str, name: str) -> Ref:
    """What another resource is called in the account: known when it is decided.

    >>> name_of("model", "churn").expression
    'Resources.model-churn.Name'
    """
    return Ref(f"{ROOT}.{label_of(kind, name)}.Name")


def _resource(step: Step, named: Callable[[Expression], Value]) -> Resource:
    told = transform(step.arguments, named)
    name_member = step.members.get(NAMED_BY)
    properties = {member: value for member, value in told.items() if member != name_member} if _is(told) else {}
    return Resource(kind_of(step.type), str(step.members[NAME]), properties, step.where)


def _is(value: Value) -> TypeGuard[Mapping[str, Value]]:
    return isinstance(value, Mapping)


class Told(str):
    """A text in a request that the replies before it tell: an id that the service gave. ``taken`` takes it from them,
    None where it is not there; the text itself is of the same form, for whoever only looks at the request."""

    __slots__ = ("taken",)
    taken: Callable[[Mapping[str, Any]], str | None]

    def __new__(cls, like: str, taken: Callable[[Mapping[str, Any]], str | None]) -> Told:
        told = super().__new__(cls, like)
        told.taken = taken
        return told


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a service. ``operation`` is botocore's name; ``pages`` is the member of the reply that is a list,
    to be read over all its pages. ``nothing`` are codes that say that there is nothing to tell, which is no refusal.
    ``service`` is whose it is, where that is not its type's. ``when``: by the replies before, whether it is made at
    all. ``below`` is the member that its reply becomes, where another call's has the same members."""

    operation: str
    request: Mapping[str, Any]
    pages: str | None = None
    nothing: tuple[str, ...] = ()
    service: str | None = None
    when: Callable[[Mapping[str, Any]], bool] | None = None
    below: str | None = None


def no_calls(name: str) -> tuple[Call, ...]:
    return ()


def as_it_is(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return properties


def at_rest(reply: Mapping[str, Any]) -> str | None:
    return None


def anything_can(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Of what is stopped to be changed or removed.

    - ``runs``: by the reply to ``describe``.
    - ``stop`` and ``start``: by its name.
    - ``untag``: the call that removes tags, by its ARN: a tag says meanwhile that it is to be started again.
    """

    runs: Callable[[Mapping[str, Any]], bool]
    stop: Callable[[str], Call]
    start: Callable[[str], Call]
    untag: Callable[[str, list[str]], Call]


@dataclass(frozen=True, slots=True)
class Kept:
    """What else is known of a type whose resources have the name that their author gives them, are told as ours by
    their tags, and are changed where they stand.

    - ``called``: what its name can be, a regular expression: another one is not asked for.
    - ``arn``: with ``{partition}``, ``{region}``, ``{account}`` and ``{name}``, or ``{lower}``, the same in small
      letters.
    - ``tags``: the call that lists the tags of one, by its ARN and name; ``told`` takes them from the reply.
    - ``tag``: the call that sets some of them, by its ARN, its name and ``Key`` and ``Value`` of each. ``create`` is
      given them as ``Tags``. ``replaces_tags``: it takes away those that it does not set.
    - ``in_parts``: ``create`` makes a bare one, and ``change`` brings it to what is declared: what is cut off between
      is gone on with.
    - ``change``: as ``update``, and given what ``describe`` replied.
    - ``found``: whether there is one, by the reply to ``describe``, where that does not refuse what is not there.
    - ``form``: of declared properties, as ``read`` tells them.
    - ``behind``: types whose resources are made before, since one may name them by text.
    - ``named``: the member of a template that says its name, where that is not the type's word and ``Name``; None where
      there is none.
    - ``busy``: what it is doing, by the reply to ``describe``; it is waited for before and after each write.
    - ``failed``: why what was made or changed does not run, by the reply to ``describe``.
    - ``cannot``: what cannot be changed so, in sentences, by what it is and what it is to be; see ``anew`` too.
    - ``pause``: of what is stopped to be changed.
    - ``not_here``: what the local account has nothing for, by declared properties: an upsert to it is refused before
      anything is done.
    - ``stays``: why it is not removed, by the reply to ``inside``.
    - ``allowed``: ARNs, as ``arn``, that its calls need to be allowed on too; ``anywhere``: operations for which IAM
      knows no resource.
    """

    called: str
    arn: str
    tags: Callable[[str, str], Call]
    told: Callable[[Mapping[str, Any]], Mapping[str, str]]
    tag: Callable[[str, str, list[dict[str, str]]], Call]
    change: Callable[[str, Mapping[str, Any], Mapping[str, Any]], tuple[Call, ...]]
    found: Callable[[Mapping[str, Any]], bool] = bool
    form: Callable[[Mapping[str, Any]], Mapping[str, Any]] = as_it_is
    behind: tuple[str, ...] = ()
    named: str | None = ""
    replaces_tags: bool = False
    in_parts: bool = False
    stays: Callable[[Mapping[str, Any]], str | None] = at_rest
    allowed: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()
    busy: Callable[[Mapping[str, Any]], str | None] = at_rest
    failed: Callable[[Mapping[str, Any]], str | None] = at_rest
    cannot: Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[str]] = anything_can
    pause: Pause | None = None
    not_here: Callable[[Mapping[str, Any]], str | None] = at_rest


def unnamed(name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """In a template, of what is named by the stack: what is replaced then gets another name."""
    return properties


def alone(name: str, properties: Mapping[str, Any]) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    return {}


ITSELF: Mapping[str, str] = {"Ref": "Itself"}
"""In what comes beside a resource in a template: what a ``Ref`` to the resource gives."""


ITSELF_NAMED: Mapping[str, str] = {"Ref": "Itself:Name"}
"""What it is called in the account."""
BESIDE = "Beside:"
"""What begins a ``Ref`` to another that comes beside the same resource, before what is added to the logical id."""


@dataclass(frozen=True, slots=True)
class Declarable:
    """What somebody's template says of one, as it is declared. ``name`` is None where the stack gives it one, and
    ``path`` stands before it; ``properties`` are members of the request, without the name; ``left`` says in words what
    no declaration has."""

    name: str | None
    properties: Mapping[str, Value]
    left: tuple[str, ...] = ()
    path: str = ""


Others: TypeAlias = Mapping[str, Sequence[Mapping[str, Value]]]
"""Properties of what stands beside a resource in a template, by type."""


@dataclass(frozen=True, slots=True)
class FromTemplate:
    """``read`` takes its properties in a template, of what ``beside`` it refers to it, and the environment's region.
    ``beside`` are members that refer to it, by type."""

    read: Callable[[Mapping[str, Value], Others, str], Declarable]
    beside: Mapping[str, str] = field(default_factory=dict)


def called_by(member: str) -> FromTemplate:
    """Of what a template says as its request does; ``member`` is its name."""

    def read(properties: Mapping[str, Value], others: Others, region: str) -> Declarable:
        name = properties.get(member)
        rest = {key: value for key, value in properties.items() if key != member}
        return Declarable(name if isinstance(name, str) else None, rest)

    return FromTemplate(read)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """All that is known of one type of resource. Each is made in ``deploy/resources/<type>.py`` and nowhere else.

    - ``type``: the word for people, and in records.
    - ``service``: the name of boto3's client.
    - ``prefix``: the service's in policies, where that is another word.
    - ``cloudformation``: the type's name in a template; None for what is a member of others there. ``templated``: its
      properties there, of its name and of what is declared.
    - ``lacking``: members that CloudFormation has no form for, and the API takes.
    - ``accompanied``: what comes beside it in a template, by name and properties: type and properties by what is added
      to its logical id; :data:`ITSELF` there refers to it. ``retained``: it outlives its stack.
    - ``describe``: what is asked to see one, by its name; the replies become one mapping.
    - ``read``: the properties in that mapping, in the form in which they are declared.
    - ``create`` and ``update``: by name and properties; ``update`` is None where nothing of it can be changed.
    - ``anew``: properties that ``update`` cannot change: another value of them means another one.
    - ``inside``: what has to be asked before one is removed, since it goes with it.
    - ``delete``: by name, and by the reply to ``inside``.
    - ``permissions``: of who does all that, beside the calls' own (``<service>:<operation>``). ``policies_say``:
      actions by operations that policies call by another name.
    - ``kept``: of one that is declared beside pipelines by its own name.
    - ``in_text``: what it says stands inside of a text in a template, where no function is resolved: others are named
      by texts, too.
    - ``from_template``: how one of somebody's template is declared, where that can be taken.
    """

    type: str
    service: str
    cloudformation: str | None
    describe: Callable[[str], tuple[Call, ...]]
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    create: Callable[[str, Mapping[str, Any]], tuple[Call, ...]]
    update: Callable[[str, Mapping[str, Any]], tuple[Call, ...]] | None
    delete: Callable[[str, Mapping[str, Any]], tuple[Call, ...]]
    anew: frozenset[str] = frozenset()
    inside: Callable[[str], tuple[Call, ...]] = no_calls
    permissions: tuple[str, ...] = ()
    kept: Kept | None = None
    templated: Callable[[str, Mapping[str, Any]], Mapping[str, Any]] = unnamed
    prefix: str = ""
    accompanied: Callable[[str, Mapping[str, Any]], Mapping[str, tuple[str, Mapping[str, Any]]]] = alone
    retained: bool = False
    policies_say: Mapping[str, str] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()
    from_template: FromTemplate | None = None
    in_text: bool = False

    def action(self, call: Call) -> str:
        """What has to be allowed for it."""
        return f"{call.service or self.prefix or self.service}:{self.policies_say.get(call.operation, call.operation)}"

    def in_template(self, name: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its properties in a template, with its name where it has the one that its author gives it."""
        told = self.templated(name, properties)
        if self.kept is None or self.kept.named is None:
            return told
        member = self.kept.named or f"{(self.cloudformation or '').rpartition(':')[2]}Name"
        return told if member in told else {member: name, **told}

    def writes(self, name: str, properties: Mapping[str, Any], *, exists: bool) -> tuple[Call, ...]:
        write = self.update if exists and self.update is not None else self.create
        return write(name, properties)

    def makes_anew(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether one that has the properties ``old`` has to go, so that there can be one with ``new``."""
        if old == new:
            return False
        return self.update is None or any(old.get(member) != new.get(member) for member in self.anew)

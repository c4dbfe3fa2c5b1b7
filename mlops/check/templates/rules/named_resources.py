"""Resources that others name: by a name, an ARN or an id, as the property takes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.templates.resolving import Scenario, Spot
from mlops.check.templates.template import Fault, Resource, Template, Told
from mlops.ir import Severity
from mlops.knowledge.cloudformation.references import REF_GIVES, Form, Taken, taken

FINDINGS: Mapping[str, Told] = {
    "T074": Told(
        "names-another-thing",
        Severity.ERROR,
        """A property that names another resource leads to one of another type, or takes its ARN for its name or the
other way round.

Bad:  DomainId: !GetAtt Domain.DomainArn
Good: DomainId: !GetAtt Domain.DomainId""",
    ),
    "T075": Told(
        "reference-is-an-arn",
        Severity.WARNING,
        """A Ref of a model, an endpoint, its configuration, a notebook instance or its lifecycle configuration gives
the ARN, by CloudFormation's reference, and the property takes a name.

Bad:  LifecycleConfigName: !Ref Lifecycle
Good: LifecycleConfigName: !GetAtt Lifecycle.NotebookInstanceLifecycleConfigName""",
    ),
}


def judge(template: Template, scenario: Scenario) -> Iterator[Fault]:
    if template.rewritten:
        return
    for resource in template.resources(scenario):
        for spot in resource.properties.walk():
            for member, item in spot.members.items():
                expected = taken(resource.type, member)
                for named in (item.items or (item,)) if expected is not None else ():
                    if expected is not None and (named.made or not named.known):
                        yield from _named(template, resource, member, named, expected)


def _named(template: Template, resource: Resource, member: str, item: Spot, expected: Taken) -> Iterator[Fault]:
    match template.at(item.at):
        case {"Ref": str(name)}:
            attribute = None
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            pass
        case _:
            return
    kind = template.type_of(name)
    if kind is None or not kind.startswith("AWS::"):
        return
    mend = f"!GetAtt {name}.{expected.attribute}" if expected.attribute else f"!Ref {name}"
    if kind not in expected.types:
        said = f"{member} of {resource.label} leads to {name}, which is {kind} and not {' or '.join(expected.types)}"
        yield Fault("T074", item.at, said)
        return
    given = _given(kind, attribute)
    if given is None or given is expected.form:
        return
    said = f"{member} of {resource.label} is the {given.value} of {name}, and takes its {expected.form.value}"
    by_ref_alone = attribute is None and given is Form.ARN
    yield Fault("T075" if by_ref_alone else "T074", item.at, said, mend)


def _given(kind: str, attribute: str | None) -> Form | None:
    """What it is, as far as that is known."""
    if attribute is None:
        return REF_GIVES.get(kind)
    return Form.ARN if attribute.lower().endswith("arn") else Form.NAME if attribute.endswith("Name") else None

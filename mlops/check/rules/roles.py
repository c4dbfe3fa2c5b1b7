"""Policies of roles, buckets and keys that are declared beside pipelines: by the grammar that templates are judged by,
too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.rule import Fault, rule
from mlops.check.subject import Subject
from mlops.ir import Severity
from mlops.ir.values import pointer

_MOST = 10_240
_DOCUMENTS = {
    "Role": (("AssumeRolePolicyDocument", "trust"), ("Policy", "permissions")),
    "Bucket": (("Policy", "resource"),),
    "Key": (("Policy", "resource"),),
}
"""Members that are policies, with the kind of each."""


@rule("X968", "policy-that-is-refused", Severity.ERROR, source="IAM guide: grammar of the JSON policy language")
def policy_that_is_refused(subject: Subject) -> Iterator[Fault]:
    """The policy of a role, a bucket or a key says what IAM's grammar does not know: a version, a condition's operator,
    a principal or an action that there is not, an Action beside a NotAction, a principal among permissions, two
    statements of one Sid.

    Bad:  policy={"Version": "2012-10-18", "Statement": [...]}
    Good: policy={"Version": "2012-10-17", "Statement": [...]}
    """
    for type_, documents in _DOCUMENTS.items():
        for placed, arguments in subject.of_type(type_):
            from mlops.knowledge.policies.grammar import Kind, faults  # hardly any definition has one

            for member, kind in documents:
                document = arguments.get(member)
                for fault in faults(document, Kind(kind)) if isinstance(document, Mapping) else ():
                    at = f"{placed.pointer}/Arguments{pointer(member)}{pointer(*fault.at)}"
                    yield Fault(at, f"{placed.step.name}: {fault.said}", fault.mend, placed)


@rule("X969", "policy-too-long", Severity.ERROR, source="IAM guide: quotas, role policy characters")
def policy_too_long(subject: Subject) -> Iterator[Fault]:
    """A role's own policy has more characters than IAM takes, blanks aside.

    Bad:  policy= with a statement for each of 200 prefixes
    Good: patterns for prefixes that are alike, or managed=[...]
    """
    for placed, arguments in subject.of_type("Role"):
        from mlops.knowledge.policies.grammar import length  # hardly any definition has one

        document = arguments.get("Policy")
        size = length(document) if isinstance(document, Mapping) else 0
        if size > _MOST:
            said = f"{placed.step.name}: its policy has {size:,} characters, and {_MOST:,} may be"
            yield Fault(f"{placed.pointer}/Arguments/Policy", said, "write patterns, or managed=[…]", placed)

"""Members as XML, in both directions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.sax.saxutils import escape

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops.account.local.refusal import Refusal
from mlops.account.wire import texts

_NAMESPACE = re.compile(r"\{.*\}")
# What XML reads as something else than it is written: a carriage return as a line's end.
_REFERENCES = {"\r": "&#13;", '"': "&quot;"}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class _Tree(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ParseError("a document type is not taken")


def loaded(body: bytes) -> Element:
    parser = XMLParser(target=_Tree())  # noqa: S314 - without document types there are no entities
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ParseError, ValueError):
        raise Refusal(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        ) from None
    return root


def read(shape: Shape, nodes: Sequence[Element]) -> Any:
    """``nodes`` are the elements of one name: several of a flattened list, else one."""
    match shape:
        case StructureShape():
            return _structure(shape, nodes[0])
        case ListShape():
            items = list(nodes) if shape.serialization.get("flattened") else list(nodes[0])
            return [read(shape.member, [item]) for item in items]
        case MapShape():
            entries = list(nodes) if shape.serialization.get("flattened") else list(nodes[0])
            return dict(_pair(shape, entry) for entry in entries)
    return texts.read(shape, nodes[0].text or "")


def _structure(shape: StructureShape, node: Element) -> dict[str, Any]:
    children: dict[str, list[Element]] = {}
    for child in node:
        children.setdefault(_name(child.tag), []).append(child)
    found = {}
    for name, member in shape.members.items():
        told = element_of(member, name)
        if member.serialization.get("xmlAttribute"):
            value = next((text for key, text in node.attrib.items() if _name(key) == told.rpartition(":")[2]), None)
            if value is not None:
                found[name] = texts.read(member, value)
        elif told in children:
            found[name] = read(member, children[told])
    return found


def _pair(shape: MapShape, entry: Element) -> tuple[Any, Any]:
    inside = {_name(child.tag): child for child in entry}
    key = inside.get(shape.key.serialization.get("name", "key"))
    value = inside.get(shape.value.serialization.get("name", "value"))
    if key is None or value is None:
        raise Refusal("MalformedXML", "An entry has a key and a value.")
    return read(shape.key, [key]), read(shape.value, [value])


def _name(tag: str) -> str:
    return _NAMESPACE.sub("", tag)


def element_of(shape: Shape, name: str) -> str:
    """What the element of a member is called."""
    told: str = shape.serialization.get("name", name)
    return told


def written(shape: Shape, name: str, value: Any) -> Iterator[str]:
    """The element ``name``, or the elements of a flattened list, as pieces of text."""
    match shape:
        case StructureShape():
            yield f"<{name}{_attributes(shape, value)}>"
            yield from members(shape, value)
            yield f"</{name}>"
        case ListShape():
            if shape.serialization.get("flattened"):
                # botocore looks for the elements of a flattened list by its member's name, where that has one.
                inner = shape.member.serialization.get("name", name)
                for item in value:
                    yield from written(shape.member, inner, item)
                return
            inner = shape.member.serialization.get("name", "member")
            yield f"<{name}>"
            for item in value:
                yield from written(shape.member, inner, item)
            yield f"</{name}>"
        case MapShape():
            flattened = shape.serialization.get("flattened")
            inner = name if flattened else "entry"
            if not flattened:
                yield f"<{name}>"
            for key, item in value.items():
                yield f"<{inner}>"
                yield from written(shape.key, shape.key.serialization.get("name", "key"), key)
                yield from written(shape.value, shape.value.serialization.get("name", "value"), item)
                yield f"</{inner}>"
            if not flattened:
                yield f"</{name}>"
        case _:
            yield f"<{name}>{quoted(texts.written(shape, value, 'iso8601'))}</{name}>"


def members(shape: StructureShape, value: Mapping[str, Any]) -> Iterator[str]:
    """The elements of those that are in the body."""
    for name, item in value.items():
        member = shape.members[name]
        if "location" in member.serialization or member.serialization.get("xmlAttribute"):
            continue
        yield from written(member, element_of(member, name), item)


def quoted(text: str) -> str:
    """What XML cannot hold becomes a reference, which strict readers refuse: for that S3 offers ``encoding-type``."""
    found = escape(text, _REFERENCES)
    return _FORBIDDEN.sub(lambda letter: f"&#{ord(letter[0])};", found) if _FORBIDDEN.search(found) else found


def _attributes(shape: StructureShape, value: Mapping[str, Any]) -> str:
    found = ""
    namespace = shape.serialization.get("xmlNamespace")
    if isinstance(namespace, Mapping):
        prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
        found += f' xmlns{prefix}="{quoted(namespace["uri"])}"'
    for name, item in value.items():
        member = shape.members[name]
        if member.serialization.get("xmlAttribute"):
            found += f' {member.serialization["name"]}="{quoted(texts.written(member, item, "iso8601"))}"'
    return found


def of_texts(root: str, values: Mapping[str, Any]) -> str:
    """An element of texts, which no shape describes."""
    inner = "".join(f"<{name}>{quoted(str(value))}</{name}>" for name, value in values.items())
    return f"<{root}>{inner}</{root}>"


def error_response(refusal: Refusal, request_id: str) -> str:
    """As all services but S3 tell a refusal in XML."""
    told = {"Type": refusal.fault, "Code": refusal.code, "Message": refusal.message, **refusal.details}
    return f"<ErrorResponse>{of_texts('Error', told)}<RequestId>{request_id}</RequestId></ErrorResponse>"

"""Write ``mlops/knowledge/terraform/types.json`` from what the npm package ``@cdktf/provider-aws`` says of the AWS
provider's schema; ``--check`` fails where it is stale. Needs npm, which brings the package (37 MB)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "mlops" / "knowledge" / "terraform"
FILE = FOLDER / "types.json"
DATA_SOURCES = ("aws_caller_identity", "aws_partition", "aws_region")
PACKAGE = "@cdktf/provider-aws@21.22.1"
LEFT_OUT = frozenset({"tags_all", "timeouts"})
"""What every resource has, and no template says."""
SETTABLE = re.compile(
    r"^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n +type: \"(\w+)\",\n +storageClassType: \"(\w+)\",\n",
    re.MULTILINE,
)
COMPUTED = re.compile(
    r"// (\w+) - computed: true, optional: false, required: false\n +get \w+\(\) \{\n +return (.*);\n"
)
KINDS = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringMap": "map(string)",
    "stringList": "list(string)",
    "numberList": "list(number)",
}
GOT = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": "list(string)",
    "getStringMapAttribute": "map(string)",
}


class Written:
    """What the package's program writes for one type: ``script`` says how, ``types`` which of it is optional."""

    def __init__(self, script: str, types: str) -> None:
        self.functions = dict(
            re.findall(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", script, re.MULTILINE | re.DOTALL)
        )
        self.interfaces = {
            name: dict(re.findall(r"^    readonly (\w+)(\??):", body, re.MULTILINE))
            for name, body in re.findall(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", types, re.MULTILINE | re.DOTALL)
        }
        self.main = re.split(r"extends cdktf\.Terraform(?:Resource|DataSource) ", script)[1]

    def schema(self) -> dict[str, Any]:
        own = next(iter(self.interfaces.values()))
        found = self._block(self.main.partition("synthesizeHclAttributes() {")[2], own)
        computed = {"id": "string=", **dict(self._computed())}
        return {**found, "attributes": dict(sorted({**found["attributes"], **computed}.items()))}

    def _computed(self) -> Iterator[tuple[str, str]]:
        for name, returned in COMPUTED.findall(self.main):
            kind = next((kind for word, kind in GOT.items() if word in returned), None)
            if kind is not None and name not in LEFT_OUT:
                yield name, f"{kind}="

    def _block(self, body: str, fields: Mapping[str, str]) -> dict[str, Any]:
        attributes: dict[str, str] = {}
        blocks: dict[str, Any] = {}
        for name, value, nested, kind, stored in SETTABLE.findall(body):
            if name in LEFT_OUT:
                continue
            field = re.findall(r"(?:struct\.|this\._)(\w+)", value)[0]
            required = fields[field] == ""
            if nested == "false":
                told = KINDS[stored]
                told = told.replace("list", "set") if kind == "set" else told
                attributes[name] = told + ("!" if required else "")
                continue
            function = re.findall(r"(\w+)ToHclTerraform", value)[0]
            blocks[name] = {
                "nesting": kind,
                **({"min": 1} if required else {}),
                **({} if "listMapperHcl" in value else {"max": 1}),
                **self._block(self.functions[function], self.interfaces[function[0].upper() + function[1:]]),
            }
        return {
            "attributes": attributes,
            **({"blocks": dict(sorted(blocks.items()))} if blocks else {}),
        }


def spelt_types() -> list[str]:
    """All resources of the provider that are written."""
    told = tomllib.loads((FOLDER / "spellings.toml").read_text()).values()
    return sorted(
        {"aws_cloudcontrolapi_resource", *(kind["type"] for each in told for kind in (each, *each.get("apart", ())))}
    )


def page() -> str:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            found = dict(read(files))
    version = found.pop("version")
    resources = {name: found[folder_of(name)] for name in spelt_types()}
    sources = {name: found[f"data-{folder_of(name, prefix='')}"] for name in DATA_SOURCES}
    source = f"the AWS provider's schema, as the npm package {PACKAGE} has it"
    return json.dumps({"provider": version, "source": source, "resources": resources, "data": sources}, indent=0) + "\n"


def folder_of(name: str, prefix: str = "aws_") -> str:
    return name.removeprefix(prefix).replace("_", "-")


def read(files: tarfile.TarFile) -> Iterator[tuple[str, Any]]:
    wanted = {
        *(folder_of(name) for name in spelt_types()),
        *(f"data-{folder_of(name, prefix='')}" for name in DATA_SOURCES),
    }
    texts: dict[str, str] = {}
    for member in files:
        _, _, path = member.name.partition("package/lib/")
        if path.rpartition("/")[0] in wanted and path.endswith(("index.js", "index.d.ts")):
            inside = files.extractfile(member)
            assert inside is not None  # noqa: S101 - it is a file
            texts[path] = inside.read().decode()
    for folder in wanted:
        yield folder, Written(texts[f"{folder}/index.js"], texts[f"{folder}/index.d.ts"]).schema()
    yield "version", re.findall(r"hashicorp/aws/([0-9.]+)/", texts[f"{min(wanted)}/index.d.ts"])[0]


if __name__ == "__main__":
    from generated import written

    sys.exit(written(FILE, page(), "write_terraform.py"))

"""Files that are read as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity

_OTHERS = (".csv", ".txt", ".html", ".parquet", ".yaml", ".yml", ".pkl", ".jsonl", ".xml", ".md", ".py", ".tar.gz")


@rule(
    "R325",
    "property-file-not-json",
    Severity.WARNING,
    source="AWS docs: build-and-manage-propertyfile, JSON alone is read",
)
def property_file_not_json(subject: Subject) -> Iterator[Fault]:
    """A property file's name is that of another kind of file; Std:JsonGet reads JSON.

    Bad:  "FilePath": "quality.csv"
    Good: "FilePath": "quality.json"
    """
    for file in subject.property_files:
        path = file.text("FilePath")
        if path is not None and path.lower().endswith(_OTHERS):
            yield Fault(f"{file.at}/FilePath", f"{shown(path)} is no JSON file", "let the step write JSON", file.placed)

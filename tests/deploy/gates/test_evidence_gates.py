"""Gates that look at archives, images, packages, quotas and samples: each passes and refuses, and what nobody knows is
told and not passed."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops.account.local import LocalAccount
from mlops.deploy.endpoints.gating import judge
from mlops.deploy.gates import gates
from mlops.deploy.gates.image import scan_of
from mlops.deploy.models.distributions import listed
from mlops.deploy.models.registry import Version
from mlops.deploy.models.shipped import shipped
from mlops.ir import Refusal
from mlops.ir.gate import Digest, Fleet, Scan, Shipped, Signature

from .test_gates import ASKED

URI = "s3://b/m.tar.gz"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/churn:1"


def digests(registered: Digest | None, stored: Digest | None) -> Any:
    return {
        "registered": lambda: {} if registered is None else {URI: registered},
        "stored": lambda: {} if stored is None else {URI: stored},
    }


def scanned(**counts: int) -> Any:
    return {"scans": lambda: [Scan(IMAGE, counts, {name: [f"CVE-{name}"] * count for name, count in counts.items()})]}


def fleet(serving: int, coming: int, others: int, quota: float | None) -> Any:
    return {"fleet": lambda: Fleet("ml.m5.large", serving, coming, others, quota, "no permission")}


def ships(*packages: tuple[str, str | None]) -> Any:
    return {
        "shipped": lambda: [Shipped(name, version, f"{name} {version}", "code/r.txt") for name, version in packages]
    }


def signatures(serving: Signature | None, now: Signature) -> Any:
    return {"serving_signature": lambda: serving, "signature": lambda: now}


CSV, BOTH = Signature(("text/csv",), ("text/csv",), 2), Signature(("a/b", "text/csv"), ("text/csv",), 0)
ADVISORIES: Sequence[Mapping[str, Any]] = [
    {
        "id": "PYSEC-1",
        "aliases": ["CVE-1"],
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "Scikit.Learn"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.5.0"}]}],
            }
        ],
    },
    {
        "id": "PYSEC-2",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "numpy"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"last_affected": "1.20"}, {"introduced": "1.10"}]}],
                "versions": ["2.0rc1"],
            }
        ],
    },
    {"id": "GHSA-3", "affected": [{"package": {"ecosystem": "npm", "name": "joblib"}}]},
    {
        "id": "PYSEC-4",
        "withdrawn": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "joblib"}}],
    },
    {"id": "MAL-5", "affected": [{"package": {"ecosystem": "PyPI", "name": "evil"}}]},
]
OSV = {"advisories": "advisories"}
SCANS = {
    IMAGE: {
        "imageScanStatus": {"status": "COMPLETE"},
        "imageScanFindings": {
            "findingSeverityCounts": {"HIGH": 1},
            "findings": [{"name": "CVE-9", "severity": "HIGH"}],
        },
    }
}
OWN = """
from mlops.ir.gate import Judgement
def yes(asked): return True
def no(asked): return False
def why(asked): return f"{asked.group} is frozen"
def judged(asked): return Judgement(True, "judged")
def nothing(asked): return None
def broken(asked): return 1 / 0
def loud(asked): return print("asked") or True
print("loaded")
NUMBER = 3
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "advisories").mkdir()
    (tmp_path / "advisories" / "all.json").write_text(json.dumps(ADVISORIES[:3]))
    for item in ADVISORIES[3:]:
        (tmp_path / "advisories" / f"{item['id']}.json").write_text(json.dumps(item))
    (tmp_path / "empty.json").write_text("[]")
    (tmp_path / "no.json").write_text("[1]")
    (tmp_path / "scans.json").write_text(json.dumps(SCANS))
    (tmp_path / "gates.py").write_text(OWN)
    (tmp_path / "wrong.py").write_text("import nothing_of_that_name\n")
    return tmp_path


@pytest.mark.parametrize(
    ("gate", "raw", "asked", "passes", "found"),
    [
        ("checksum", True, digests(Digest("e", "s"), Digest("e2", "s")), True, "it is what was registered: sha256 s"),
        ("checksum", True, digests(Digest("e", "s"), Digest("e", "t")), False, "was sha256 s when it was registered"),
        ("checksum", True, digests(Digest("e"), Digest("e", "s")), True, "ETag e"),
        (
            "checksum",
            True,
            digests(Digest("e"), Digest("f", "s")),
            False,
            "was ETag e when it was registered, and is f",
        ),
        ("checksum", True, digests(None, Digest("e", "s")), False, "is not recorded"),
        ("checksum", True, digests(Digest("e", "s"), Digest()), False, "nothing lies at"),
        ("checksum", True, digests(Digest("e", "s", "it was written later"), Digest("e", "s")), False, "written later"),
        ("checksum", True, {}, False, "names no archive"),
        ("image", True, scanned(LOW=4), True, "4 low found in"),
        ("image", True, scanned(), True, "nothing found in"),
        ("image", True, scanned(HIGH=1, LOW=2), False, "1 high (CVE-HIGH), and at most 0 may be"),
        ("image", {"high": 1}, scanned(HIGH=1), True, "1 high found"),
        ("image", {"low": 1}, scanned(LOW=2), False, "2 low"),
        ("image", {"exceptions": ["CVE-HIGH"]}, scanned(HIGH=2), True, "nothing found"),
        ("image", True, {"scans": lambda: [Scan(IMAGE, unknown="the scan is PENDING")]}, False, "the scan is PENDING"),
        ("image", True, {}, False, "it names no image"),
        (
            "image",
            {"file": "scans.json"},
            {"scans": lambda: [Scan(IMAGE, unknown="no scanner")]},
            False,
            "1 high (CVE-9)",
        ),
        (
            "image",
            {"file": "scans.json", "exceptions": ["CVE-9"]},
            {"scans": lambda: [Scan(IMAGE, unknown="no scanner")]},
            True,
            "nothing found",
        ),
        (
            "image",
            {"file": "scans.json"},
            {"scans": lambda: [Scan("other", unknown="no scanner")]},
            False,
            "no scanner; scans.json has no reply for it",
        ),
        ("dependencies", OSV, ships(("joblib", "1.0")), True, "1 package, and none of 3 advisories"),
        (
            "dependencies",
            OSV,
            ships(("scikit_learn", "1.4.2")),
            False,
            "scikit_learn 1.4.2 in code/r.txt is in PYSEC-1",
        ),
        ("dependencies", OSV, ships(("scikit-learn", "1.5.0")), True, "none"),
        ("dependencies", OSV, ships(("scikit-learn", "1.5.0rc1")), False, "PYSEC-1"),
        ("dependencies", OSV, ships(("scikit-learn", None)), False, "pins no version, and may be what is in PYSEC-1"),
        ("dependencies", OSV, ships(("numpy", "1.9")), True, "none"),
        ("dependencies", OSV, ships(("numpy", "1.20")), False, "PYSEC-2"),
        ("dependencies", OSV, ships(("numpy", "1.21")), True, "none"),
        ("dependencies", OSV, ships(("numpy", "2.0.0rc1")), False, "PYSEC-2"),
        ("dependencies", OSV, ships(("numpy", "from git")), False, "PYSEC-2"),
        ("dependencies", OSV, ships(("evil", "1")), False, "MAL-5"),
        ("dependencies", {**OSV, "exceptions": ["CVE-1"]}, ships(("scikit-learn", "1")), True, "none"),
        ("dependencies", OSV, {}, True, "it ships no requirements"),
        ("dependencies", {"advisories": "empty.json"}, {}, False, "empty.json has no advisory of PyPI"),
        ("quota", True, fleet(2, 2, 0, 4), True, "4 ml.m5.large (2 that come, 2 that serve) of 4"),
        ("quota", True, fleet(2, 2, 1, 4), False, "5 ml.m5.large (2 that come, 2 that serve, 1 of other endpoints)"),
        ("quota", True, fleet(0, 1, 0, None), False, "the quota is not known: no permission"),
        ("quota", {"limits": {"ml.m5.large": 1}}, fleet(0, 1, 0, None), True, "of 1"),
        ("quota", {"limits": {"ml.c5.large": 9}}, fleet(0, 1, 0, None), False, "not known"),
        ("quota", True, {}, True, "no instances come"),
        (
            "signature",
            True,
            signatures(CSV, BOTH),
            True,
            "it takes text/csv, too; 2 samples of what serves will be asked",
        ),
        ("signature", True, signatures(BOTH, CSV), False, "what serves takes a/b, and this version takes text/csv"),
        (
            "signature",
            True,
            signatures(CSV, replace(CSV, gives=("a/b",))),
            False,
            "what serves gives text/csv, and this",
        ),
        ("signature", True, signatures(None, CSV), True, "no version serves there yet"),
        ("signature", True, signatures(replace(CSV, samples=0), CSV), True, "no samples came with what serves"),
        ("python", "gates.py:yes", {}, True, "yes: yes"),
        ("python", ["gates.py:yes", "gates.py:no"], {}, False, "no: no"),
        ("python", "gates.py:why", {}, False, "why: churn is frozen"),
        ("python", "gates.py:judged", {}, True, "judged"),
        ("python", "gates.py:nothing", {}, False, "it said None"),
        ("python", "gates.py:broken", {}, False, "it raised ZeroDivisionError"),
        ("python", "gates.py:loud", {}, True, "loud: yes"),
    ],
)
def test_a_gate(
    gate: str, raw: Any, asked: Any, passes: bool, found: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = gates()[gate]
    judgement = made.judge(made.read(raw), replace(ASKED, root=root, **asked))
    assert (judgement.passes, found in judgement.found) == (passes, True), judgement
    assert capsys.readouterr().out == "", "standard output is the command's, for its JSON"


ONE = Digest("e", "s", size=9)


@pytest.mark.parametrize(
    ("then", "now", "passes", "found"),
    [
        (ONE, Digest("e", size=9), True, "ETag e"),
        (Digest("e"), Digest("e", size=9), True, "ETag e"),
        (ONE, Digest("f", size=9), False, "was ETag e of 9 bytes when it was registered, and is ETag f of 9 bytes now"),
        (ONE, Digest("f", size=9), False, "it was replaced; checksum = true compares the SHA-256"),
        (ONE, Digest("e", size=8), False, "is ETag e of 8 bytes now"),
        (ONE, Digest(), False, "nothing lies at"),
        (
            ONE,
            Digest(doubt="HeadObject: 403"),
            True,
            "is what was registered: HeadObject: 403",
        ),
        (None, Digest("e"), True, "nobody knows whether"),
        (Digest(), Digest("e"), True, "no ETag was recorded"),
        (None, None, True, "it names no archive"),
        (Digest("e", "s", "it was written later"), Digest("e"), True, "m.tar.gz: it was written later"),
        (Digest("e", "s", "it was written later"), Digest("f"), False, "it was replaced"),
    ],
)
def test_archives_are_compared_unasked_by_what_s3_tells(
    then: Digest | None, now: Digest | None, passes: bool, found: str
) -> None:
    def never() -> Any:
        raise AssertionError("an archive may be gigabytes")

    seen = replace(
        ASKED,
        registered=lambda: {} if then is None else {URI: then},
        listed=lambda: {} if now is None else {URI: now},
        stored=never,
    )
    _, gated = judge((), seen)
    assert (gated.gate, gated.passes, found in gated.found) == ("checksum", passes, True), gated
    assert judge((), seen, ["checksum"])[1].overridden is not passes
    checksum = gates()["checksum"]
    assert [item.gate for item in judge([(checksum, checksum.read(False))], seen)] == ["approval"]


@pytest.mark.parametrize(
    ("gate", "raw", "said"),
    [
        ("checksum", "yes", "write checksum = true"),
        ("image", {"critical": -1}, "critical = -1"),
        ("image", {"critcal": 0}, "'critcal' is not a key of it"),
        ("image", {"exceptions": "CVE-1"}, "give a list of names"),
        ("dependencies", True, "give a file or folder of advisories"),
        ("dependencies", {**OSV, "exceptions": "CVE-1"}, "give a list of ids"),
        ("quota", {"limits": {"ml.m5.large": "4"}}, "ml.m5.large = '4'"),
        ("quota", {"limits": 4}, "give a number by instance type"),
        ("signature", "yes", "write signature = true"),
        ("python", "gates.py", "names no function"),
        ("python", [], "name a function of a file"),
    ],
)
def test_settings_that_mean_nothing(gate: str, raw: Any, said: str) -> None:
    with pytest.raises(ValueError) as told:
        gates()[gate].read(raw)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("gate", "raw", "said"),
    [
        ("image", {"file": "none.json"}, "none.json cannot be read"),
        ("image", {"file": "no.json"}, "no.json has no replies"),
        ("dependencies", {"advisories": "none.json"}, "none.json cannot be read"),
        ("dependencies", {"advisories": "no.json"}, "something that is no advisory"),
        ("python", "none.py:f", "there is no file none.py"),
        ("python", "wrong.py:f", "wrong.py cannot be loaded: ModuleNotFoundError"),
        ("python", "gates.py:NUMBER", "gates.py has no function NUMBER"),
    ],
)
def test_a_file_that_cannot_be_used_is_no_yes(gate: str, raw: Any, said: str, root: Path) -> None:
    made = gates()[gate]
    found = judge([(made, made.read(raw))], replace(ASKED, root=root, scans=lambda: [Scan(IMAGE)]))[1]
    assert not found.passes and said in found.found


@pytest.mark.parametrize(
    ("reply", "counts", "unknown"),
    [
        (
            {
                "imageScanStatus": {"status": "ACTIVE"},
                "imageScanFindings": {
                    "enhancedFindings": [
                        {"severity": "HIGH", "packageVulnerabilityDetails": {"vulnerabilityId": "CVE-7"}}
                    ]
                },
            },
            {"HIGH": 1},
            None,
        ),
        ({"imageScanStatus": {"status": "FAILED", "description": "too old"}}, {}, "the scan is FAILED: too old"),
        ({"imageScanStatus": {"status": "COMPLETE"}}, {}, "there are no findings of a scan"),
    ],
    ids=["enhanced", "failed", "without findings"],
)
def test_a_scan_as_the_service_tells_it(reply: Any, counts: Any, unknown: str | None) -> None:
    found = scan_of(IMAGE, reply)
    assert (found.counts, found.unknown) == (counts, unknown)


@pytest.mark.parametrize("last", ["/", ""], ids=["with its slash", "without"])
def test_what_a_model_that_is_no_archive_ships(tmp_path: Path, last: str) -> None:
    """It was asked for as if it were one, and the gate refused with NoSuchKey."""
    account = LocalAccount(tmp_path / ".mlops", "us-east-1")
    account.ensure_bucket("models")
    source = {"S3Uri": f"s3://models/open{last}", "S3DataType": "S3Prefix", "CompressionType": "None"}
    container = {"ModelDataSource": {"S3DataSource": source}}
    version = Version("churn", 1, "arn", "Approved", None, {"InferenceSpecification": {"Containers": [container]}})
    with pytest.raises(Refusal, match="nothing lies below s3://models/open"):
        shipped(account, version)
    for name, text in {
        "open/code/requirements.txt": b"numpy==1.26.4\n",
        "open/wheels/churn_tools-1.2-py3-none-any.whl": b"",
        "open/weights.bin": b"numpy==0",
    }.items():
        account.client("s3").put_object(Bucket="models", Key=name, Body=text)
    assert [(item.name, item.version, item.file) for item in shipped(account, version)] == [
        ("numpy", "1.26.4", "code/requirements.txt"),
        ("churn_tools", "1.2", "wheels/churn_tools-1.2-py3-none-any.whl"),
    ]


def test_what_an_archive_ships() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name, text in {
            "code/requirements.txt": "numpy==1.26.4 ; python_version > '3'\n# none\n--index-url x\npandas>=2\\\n,<3\n",
            "code/wheels/churn_tools-1.2-py3-none-any.whl": "",
            "code/lib/joblib-1.4.dist-info/METADATA": "Name: joblib\nVersion: 1.4\n\nVersion: 9\n",
            "model.joblib": "numpy==0",
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    target.seek(0)
    assert [(item.name, item.version) for item in listed(target)] == [
        ("numpy", "1.26.4"),
        ("pandas", None),
        ("churn_tools", "1.2"),
        ("joblib", "1.4"),
    ]

"""A release repository, that has an mlops.toml and nothing else, takes versions along a chain of two accounts and two
regions of moto; what may not go there is refused before anything is made."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops.account import Account, connect
from mlops.deploy.endpoints import evidence
from mlops.deploy.endpoints.promote import Target
from mlops.deploy.models.lineage import record
from mlops.deploy.models.registry import decide, version
from mlops.ir import MlopsError, Refusal, UsageError
from mlops.project.environments import read_project
from mlops.use_cases.models import lineage
from mlops.use_cases.promote import Planned, Promotion, plan, promote

from .test_promote import archive

DEV, PRODUCTION = "123456789012", "222222222222"
TOML = """
[project]
chain = ["dev", "production"]

[env.defaults]
prefix = "ml"
endpoint_url = "{url}"

[env.dev]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/serve"
bucket = "acme-dev"

[env.production]
account = "222222222222"
region = "eu-west-1"
role = "arn:aws:iam::222222222222:role/serve"
bucket = "acme-production"
assume_role = "arn:aws:iam::222222222222:role/deployer"
kms_key = "{key}"
"""
IMAGE = f"{DEV}.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
LET = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{PRODUCTION}:root"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}


@dataclass(frozen=True)
class Release:
    folder: Path
    dev: Account
    production: Account

    def register(
        self, accuracy: float = 0.9, approval: str = "Approved", *, data: Mapping[str, Any] | None = None
    ) -> int:
        """The version's number; ``data`` is what its container has in place of an archive of its own."""
        s3, sagemaker = self.dev.client("s3"), self.dev.client("sagemaker")
        groups = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        if not groups:
            sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        number = len(sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"]) + 1
        s3.put_object(Bucket="acme-dev", Key=f"{number}/model.tar.gz", Body=f"model {number}".encode())
        s3.put_object(Bucket="acme-dev", Key=f"{number}/report.json", Body=json.dumps({"accuracy": accuracy}))
        s3.put_object(Bucket="acme-dev", Key=f"{number}/payload.tar.gz", Body=archive("sample.csv", f"{number}\n"))
        report = {"ContentType": "application/json", "S3Uri": f"s3://acme-dev/{number}/report.json"}
        container = {"Image": IMAGE, **(data or {"ModelDataUrl": f"s3://acme-dev/{number}/model.tar.gz"})}
        sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            ModelApprovalStatus="PendingManualApproval",
            SamplePayloadUrl=f"s3://acme-dev/{number}/payload.tar.gz",
            ModelMetrics={"ModelQuality": {"Statistics": report}},
        )
        if approval != "PendingManualApproval":
            environment = read_project(self.folder).environment("dev")
            found = version(self.dev, "churn", number)
            decide(self.dev, environment, found, approval, None)  # type: ignore[arg-type]
            record(self.dev, environment, found)
        return number

    def share_image(self) -> None:
        ecr = source_ecr(self.dev)
        ecr.set_repository_policy(repositoryName="churn", policyText=json.dumps({"Statement": [LET]}))

    def declare(self, text: str) -> None:
        with (self.folder / "mlops.toml").open("a") as file:
            file.write(text)

    def there(self) -> Mapping[str, Any]:
        """What an account has of what a promotion makes."""
        return {
            f"{account.region} {operation}": getattr(account.client("sagemaker"), operation)()[member]
            for account in (self.dev, self.production)
            for operation, member in (
                ("list_models", "Models"),
                ("list_endpoint_configs", "EndpointConfigs"),
                ("list_endpoints", "Endpoints"),
            )
        } | {
            "copies": self.production.client("s3")
            .list_objects_v2(Bucket="acme-production", Prefix="ml/copies")
            .get("Contents")
        }


def source_ecr(account: Account) -> Any:
    """Of the region in which the images lie."""
    return account._session.client("ecr", region_name="eu-west-1", endpoint_url=account._endpoint_url)  # type: ignore[attr-defined]


def made(moto_url: str, folder: Path) -> Release:
    """Two accounts with a bucket each, a key where it is gone to, and an image in the registry of the first."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    (folder / "mlops.toml").write_text(TOML.format(url=moto_url, key="alias/none"))
    project = read_project(folder)
    dev, production = (connect(project.environment(name)) for name in ("dev", "production"))
    dev.client("s3").create_bucket(Bucket="acme-dev")
    production.client("s3").create_bucket(
        Bucket="acme-production", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    key = production.client("kms").create_key()["KeyMetadata"]["Arn"]
    (folder / "mlops.toml").write_text(TOML.format(url=moto_url, key=key))
    ecr = source_ecr(dev)
    ecr.create_repository(repositoryName="churn")
    ecr.put_image(
        repositoryName="churn",
        imageTag="1",
        imageManifest=json.dumps({"schemaVersion": 2, "layers": []}),
        imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
    )
    return Release(folder, dev, production)


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield patch


@pytest.fixture(scope="module")
def shared(
    moto_url: str, tmp_path_factory: pytest.TempPathFactory, surroundings: pytest.MonkeyPatch
) -> Iterator[tuple[Release, str]]:
    """Version 1 serves in dev; 2 is pending, 3 rejected, 4 worse, 5 tampered with, 6 good. Nothing that is refused
    changes that."""
    release = made(moto_url, tmp_path_factory.mktemp("release"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(release.folder)
        release.register()
        promote(asked("dev"), quiet)
        for accuracy, approval in (
            (0.9, "PendingManualApproval"),
            (0.9, "Rejected"),
            (0.8, "Approved"),
            (0.9, "Approved"),
            (0.9, "Approved"),
        ):
            release.register(accuracy, approval)
    release.dev.client("s3").put_object(Bucket="acme-dev", Key="5/model.tar.gz", Body=b"another")
    yield release, (release.folder / "mlops.toml").read_text()


@pytest.fixture
def release(shared: tuple[Release, str], monkeypatch: pytest.MonkeyPatch) -> Release:
    found, text = shared
    (found.folder / "mlops.toml").write_text(text)
    monkeypatch.chdir(found.folder)
    return found


def asked(environment: str | None = None, **more: Any) -> Promotion:
    return Promotion("churn", environment, Target("", timeout=60), **more)


def quiet(event: object) -> None:
    return None


@pytest.mark.parametrize(("gates", "asks"), [("", 1), ("signature = true", 2)], ids=["without", "with the gate"])
def test_samples_of_what_serves_are_asked_where_the_gate_wants_it(gates: str, asks: int, release: Release) -> None:
    release.declare(f"\n[env.dev.promote.gates]\n{gates}\n")
    found = plan(asked("dev", number=6))
    assert found.may
    assert found.calls[-1] == f"ask churn {asks} sample{'s' if asks > 1 else ''}"


GATES = "\n[env.dev.promote.gates]\nnot-worse = { accuracy = {} }\nchecksum = true\n"
FOREIGN = '\n[env.production.promote]\nartefacts = "reference"\n'


@pytest.mark.parametrize(
    ("number", "environment", "more", "said"),
    [
        (2, "dev", GATES, "gate approval refuses: it is PendingManualApproval"),
        (3, "dev", GATES, "is Rejected, only an Approved one is promoted"),
        (4, "dev", GATES, "gate not-worse refuses: accuracy is 0.8, but what serves has 0.9"),
        (5, "dev", GATES, "gate checksum refuses: s3://acme-dev/5/model.tar.gz was sha256"),
        (5, "dev", "", "gate checksum refuses: s3://acme-dev/5/model.tar.gz was ETag"),
        (6, "production", GATES, "gate after refuses: version 6 of churn was never promoted to churn in dev"),
        (1, "production", FOREIGN, "the package is of us-east-1, and a model of eu-west-1"),
        (1, "production", "", "the repository has no policy"),
    ],
    ids=[
        "pending",
        "rejected",
        "worse",
        "tampered",
        "tampered, undeclared",
        "not passed before",
        "by its ARN",
        "an image that is not shared",
    ],
)
def test_what_may_not_go_there_is_refused_before_anything_is_made(
    number: int, environment: str, more: str, said: str, release: Release
) -> None:
    release.declare(more)
    before = release.there()
    heard: list[str] = []
    with pytest.raises(Refusal) as refused:
        promote(asked(environment, number=number), lambda event: heard.append(str(getattr(event, "text", ""))))
    assert said in refused.value.message
    assert release.there() == before
    # What refuses is told by the refusal, and what passes before it.
    assert not [line for line in heard if " refuses: " in line] and all(line.startswith("gate ") for line in heard)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('chain = ["dev", "prod"]', "chain: there is no environment 'prod'; there are: dev, local, production"),
        ('chain = ["dev", "dev"]', "chain: 'dev' stands there twice"),
        ("chain = []", "where to promote to is not said"),
    ],
)
def test_a_chain_that_means_nothing(toml: str, said: str, release: Release) -> None:
    file = release.folder / "mlops.toml"
    file.write_text(file.read_text().replace('chain = ["dev", "production"]', toml))
    with pytest.raises(MlopsError) as told:
        promote(asked(), quiet)
    assert said in told.value.message


def test_two_environments_that_are_one_endpoint_are_no_chain(release: Release) -> None:
    file = release.folder / "mlops.toml"
    file.write_text(
        file.read_text().replace('chain = ["dev", "production"]', 'chain = ["dev", "twin"]')
        + '\n[env.twin]\ninherits = "dev"\n'
    )
    with pytest.raises(Refusal, match="dev and twin are one endpoint, churn"):
        promote(asked("twin"), quiet)


@pytest.mark.parametrize(
    ("number", "more", "request_more", "told"),
    [
        (5, "", {"overrides": ("checksum",), "reason": "it was compressed anew"}, "gate checksum passed over: "),
        (5, "\n[env.dev.promote.gates]\nchecksum = false\n", {}, None),
        (6, "", {}, "gate checksum passes: ETag "),
    ],
    ids=["passed over", "switched off", "as it was"],
)
def test_an_archive_that_may_be_another_one(
    number: int, more: str, request_more: Any, told: str | None, release: Release
) -> None:
    release.declare(more)
    found = plan(asked("dev", number=number, **request_more))
    assert found.may
    assert [item.told.startswith(told or "") for item in found.gates if item.gate == "checksum"] == [True] * bool(told)


def test_of_what_nothing_was_recorded_nobody_knows(release: Release) -> None:
    (gated,) = (item for item in plan(asked("dev", number=2)).gates if item.gate == "checksum")
    assert gated.passes and gated.found.startswith("nobody knows whether s3://acme-dev/2/model.tar.gz is")


@pytest.mark.parametrize(
    ("container", "etag"),
    [
        ({"ModelDataUrl": "s3://acme-dev/2/model.tar.gz", "ModelDataETag": '"e"'}, "e"),
        ({"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://acme-dev/2/model.tar.gz", "ETag": "e"}}}, "e"),
        ({"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://acme-dev/2/", "ETag": "e"}}}, None),
        (
            {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://acme-dev/2", "S3DataType": "S3Prefix", "ETag": "e"}}},
            None,
        ),
    ],
    ids=["archive", "object", "folder", "prefix"],
)
def test_what_the_registry_noted_itself_is_compared(container: Any, etag: str | None, release: Release) -> None:
    environment = read_project(release.folder).environment("dev")
    there = version(release.dev, "churn", 2)
    there = replace(there, details={"InferenceSpecification": {"Containers": [container]}})
    noted = evidence.registered(release.dev, environment, there)
    assert [item.etag for item in noted.values()] == ([etag] if etag else [])
    (seen,) = evidence.stored(release.dev, there, whole=False).values()
    assert seen.sha256 is None


def test_gates_in_python_stand_beside_those_of_the_file(release: Release) -> None:
    from mlops.deploy.gates import metrics

    limits = metrics.GATE.read({"accuracy": {"at_least": 0.95}})
    found = plan(asked("dev", gates=((metrics.GATE, limits),)))
    assert isinstance(found, Planned) and not found.may
    assert [item.gate for item in found.gates if not item.passes] == ["metrics"]


def test_a_version_of_the_local_account_goes_nowhere_else(release: Release) -> None:
    local = connect(read_project(release.folder).environment("local"))
    local.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    local.client("sagemaker").create_model_package(
        ModelPackageGroupName="churn", ModelApprovalStatus="Approved", SourceUri="s3://mlops-local/m"
    )
    before = release.there()
    with pytest.raises(Refusal, match="is of the local account"):
        promote(asked("dev", registry="local"), quiet)
    assert release.there() == before


def test_nobody_overrides_without_a_reason(release: Release) -> None:
    with pytest.raises(UsageError, match="needs a reason"):
        promote(asked("production", overrides=("after",)), quiet)


def test_along_the_chain_into_another_account_and_region(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    release = made(moto_url, tmp_path)
    release.register()
    planned = plan(asked("production"))
    after = next(item for item in planned.gates if item.gate == "after")
    assert not planned.may and after.found == "version 1 of churn was never promoted to churn in dev"

    first = promote(asked(), quiet)
    assert (first.environment, first.action) == ("dev", "created")

    before = release.there()
    with pytest.raises(Refusal, match="cannot serve in production; nothing was made") as refused:
        promote(asked(), quiet)
    assert "the repository has no policy" in refused.value.message
    assert f"let arn:aws:iam::{PRODUCTION}:root ecr:BatchGetImage" in (refused.value.hint or "")
    assert release.there() == before

    release.share_image()
    planned = plan(asked())
    assert (planned.environment, planned.may, planned.version.number) == ("production", True, 1)
    assert any(
        line.startswith("copy s3://acme-dev/1/model.tar.gz to s3://acme-production/ml/copies/aws/")
        for line in planned.calls
    )
    assert release.there() == before

    second = promote(asked(), quiet)
    assert (second.environment, second.action) == ("production", "created")
    (model,) = release.production.client("sagemaker").list_models()["Models"]
    served_by = release.production.client("sagemaker").describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    assert served_by["Image"].startswith(IMAGE.removesuffix(":1") + "@sha256:")
    bucket, _, key = served_by["ModelDataUrl"].removeprefix("s3://").partition("/")
    copied = release.production.client("s3").get_object(Bucket=bucket, Key=key)
    assert (bucket, copied["Body"].read(), copied["ServerSideEncryption"]) == ("acme-production", b"model 1", "aws:kms")
    # What the plan said is what was done, and nothing is left to do.
    assert [line for line in planned.calls if line.startswith("CreateModel ")] == [f"CreateModel {model['ModelName']}"]
    assert promote(asked(), quiet).action == "unchanged"
    # The registry knows where its version serves.
    served = {item.environment: [place.endpoint for place in item.places] for item in lineage("dev", "churn", 1).served}
    assert served == {"dev": ["churn"], "production": ["churn"]}


MANIFEST = json.dumps({"schemaVersion": 2, "layers": []})
FOLDER = {"S3Uri": "s3://acme-dev/open/", "S3DataType": "S3Prefix", "CompressionType": "None"}
SINGLE = {"S3Uri": "s3://acme-dev/adapter.bin", "S3DataType": "S3Object", "CompressionType": "None"}
ADAPTER = [{"ChannelName": "adapter", "S3DataSource": SINGLE}]


@pytest.mark.proof("deep")
def test_a_model_of_many_objects_comes_object_by_object_and_an_image_by_its_digest(
    moto_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were refused, and what was no ModelDataUrl was left out of the model that was made."""
    monkeypatch.chdir(tmp_path)
    release = made(moto_url, tmp_path)
    s3 = release.dev.client("s3")
    wanted = {"weights-1.bin": b"one", "deep/weights-2.bin": b"two", "config.json": b"{}"}
    for name, body in {**{f"open/{name}": body for name, body in wanted.items()}, "open/": b""}.items():
        s3.put_object(Bucket="acme-dev", Key=name, Body=body)
    s3.put_object(Bucket="acme-dev", Key="adapter.bin", Body=b"adapter")
    s3.put_object(Bucket="acme-dev", Key="opened-by-another", Body=b"x")
    release.register(data={"ModelDataSource": {"S3DataSource": FOLDER}, "AdditionalModelDataSources": ADAPTER})
    promote(asked("dev"), quiet)

    before = release.there()
    with pytest.raises(Refusal, match="the repository has no policy") as refused:
        promote(asked("production"), quiet)
    told = refused.value.hint or ""
    digest = source_ecr(release.dev).describe_images(repositoryName="churn")["imageDetails"][0]["imageDigest"]
    own = IMAGE.replace(DEV, PRODUCTION)
    assert '"Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]' in told
    assert "`aws ecr create-repository --repository-name churn --region eu-west-1`" in told
    assert f"`skopeo copy --all --preserve-digests docker://{IMAGE[:-2]}@{digest} docker://{own}`" in told
    assert release.there() == before

    ecr = release.production.client("ecr")
    ecr.create_repository(repositoryName="churn")
    kind = {"repositoryName": "churn", "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json"}
    ecr.put_image(**kind, imageTag="1", imageManifest=json.dumps({"schemaVersion": 2}))
    with pytest.raises(Refusal) as refused:  # of that tag, and not that image
        promote(asked("production"), quiet)
    assert "create-repository" not in (refused.value.hint or "")
    ecr.put_image(**kind, imageTag="copied", imageManifest=MANIFEST, imageDigest=digest)

    planned = plan(asked("production"))
    assert len([line for line in planned.calls if line.startswith("copy s3://acme-dev/")]) == 4
    assert f"the account's own copy of {IMAGE}, by its digest" in " ".join(need.found for need in planned.needs)
    promote(asked("production"), quiet)
    sagemaker = release.production.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    container = sagemaker.describe_model(ModelName=model["ModelName"])["PrimaryContainer"]
    assert container["Image"] == f"{own[:-2]}@{digest}"
    source = container["ModelDataSource"]["S3DataSource"]
    assert (source["S3DataType"], source["CompressionType"]) == ("S3Prefix", "None")
    (channel,) = container["AdditionalModelDataSources"]
    there = release.production.client("s3")

    def lies(uri: str) -> Mapping[str, bytes]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        found = there.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
        names = [item["Key"] for item in found]
        return {name.removeprefix(key): there.get_object(Bucket=bucket, Key=name)["Body"].read() for name in names}

    assert source["S3Uri"].startswith("s3://acme-production/ml/copies/aws/") and source["S3Uri"].endswith("/")
    assert lies(source["S3Uri"]) == wanted
    assert channel["ChannelName"] == "adapter" and lies(channel["S3DataSource"]["S3Uri"]) == {"": b"adapter"}
    assert promote(asked("production"), quiet).action == "unchanged"
    served = {item.environment: [place.endpoint for place in item.places] for item in lineage("dev", "churn", 1).served}
    assert served == {"dev": ["churn"], "production": ["churn"]}

    # One file of it that is another one is another model.
    s3.put_object(Bucket="acme-dev", Key="open/config.json", Body=b"{1}")
    release.declare("\n[env.production.promote.gates]\nchecksum = false\n")
    with pytest.raises(Refusal, match="its files have other ETags than those that were registered"):
        promote(asked("production"), quiet)

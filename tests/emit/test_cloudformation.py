"""Templates of CloudFormation: the goldens of the examples, and what holds of any."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.check.templates.judging import judge
from mlops.cli.commands.emit import command
from mlops.emit.policies.statements import Need, Policy, policy
from mlops.emit.stacks.limits import need_room
from mlops.emit.stacks.role_policies import MANAGED_CHARACTERS, role_policies
from mlops.emit.stacks.yaml_text import yaml_text
from mlops.ir import Event, UsageError, unheard
from mlops.use_cases.compile import compile_target
from mlops.use_cases.emit import emit
from mlops.use_cases.news import Said
from tests.emit.stacked import ENVIRONMENT, EXAMPLES, FOUND, STACKS, emitted, project
from tests.emit.templates import read
from tests.laws import examples

PIPELINE = """from mlops import Pipeline, Training

with Pipeline("small", tags={{"owner": "ana"}}):
    for number in range({steps}):
        Training(
            f"Train{{number}}",
            image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1",
            to=f"s3://acme-ml-production/models/{{number}}",
            hyperparameters={{"depth": {depth} if number == 0 else 5, "text": "{text}"}},
        )
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("stacks"))


SLOW = pytest.mark.proof("templates")
ROWS = [pytest.param(name, marks=() if name in ("wine", "served") else SLOW, id=name) for name in EXAMPLES]


@pytest.mark.parametrize("name", ROWS)
def test_an_example_is_its_golden_in_yaml_and_in_json(name: str, there: Path) -> None:
    golden = (STACKS / f"{name}.yaml").read_text()
    assert emitted(there / EXAMPLES[name]) == golden
    assert json.loads(emitted(there / EXAMPLES[name], chosen="json")) == read(golden)
    assert not re.search(r"NoneType|object at 0x|<class|Traceback|/home/|/tmp/|000000000000|mlops-local", golden)


@pytest.mark.parametrize("name", ["wine", *(pytest.param(name, marks=SLOW) for name in ("breast_cancer", "diabetes"))])
def test_the_body_inside_is_what_compile_writes(name: str, there: Path) -> None:
    (compiled,) = compile_target(str(there / EXAMPLES[name]), ENVIRONMENT, unheard)
    body = read((STACKS / f"{name}.yaml").read_text())["Resources"]["Pipeline"]["Properties"]["PipelineDefinition"]
    assert body == {"PipelineDefinitionBody": compiled.text}


def small(there: Path, *, steps: int = 2, depth: int = 3, text: str = "plain") -> str:
    (there / "small.py").write_text(PIPELINE.format(steps=steps, depth=depth, text=text))
    return emitted(there / "small.py")


def test_one_changed_step_changes_the_template_only_there(there: Path) -> None:
    before, after = small(there).splitlines(), small(there, depth=4).splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(old.strip(), new.strip()) for old, new in changed] == [('"depth": "3",', '"depth": "4",')]


def test_a_large_body_is_an_object_named_by_what_is_in_it(there: Path) -> None:
    def place(depth: int) -> Mapping[str, str]:
        found = read(small(there, steps=30, depth=depth))["Resources"]["Pipeline"]["Properties"]["PipelineDefinition"]
        return dict(found["PipelineDefinitionS3Location"])

    one, other = place(3), place(4)
    assert one["Bucket"] == "acme-ml-production"
    assert re.fullmatch(r"mlops/stacks/[0-9a-f]{64}\.json", one["Key"])
    assert one != other


def needed(places: int, *, apart: bool) -> Policy:
    buckets = [f"arn:aws:s3:::acme-{'data' * 10}-{number:04}/*" for number in range(places)]
    return policy(
        Need(f"Read{number if apart else ''}", ("s3:GetObject",), (bucket,), f"Step{number}")
        for number, bucket in enumerate(buckets)
    )


@pytest.mark.parametrize("apart", [True, False], ids=["many statements", "one long statement"])
def test_what_is_too_long_for_a_role_is_managed_policies(apart: bool) -> None:
    role = {"Ref": "Role"}
    short = needed(20, apart=apart)
    assert short.characters <= 10_240 / 2, "two of them share a role"
    assert [told["Type"] for _, told in role_policies("P", short, role, "small")] == ["AWS::IAM::Policy"]

    whole = needed(180, apart=apart)
    found = [told for _, told in role_policies("P", whole, role, "small")]
    documents = [told["Properties"]["PolicyDocument"] for told in found]
    assert {told["Type"] for told in found} == {"AWS::IAM::ManagedPolicy"}
    assert all(len(json.dumps(document, separators=(",", ":"))) <= MANAGED_CHARACTERS for document in documents)
    parts = [statement for document in documents for statement in document["Statement"]]
    assert len({statement["Sid"] for statement in parts}) == len(parts)
    assert sorted(place for statement in parts for place in statement["Resource"]) == sorted(
        place for statement in whole.statements for place in statement["Resource"]
    )
    assert {sid for told in found for sid in told["Metadata"]["NeededBy"]} == {part["Sid"] for part in parts}

    with pytest.raises(UsageError, match="a role takes 10"):
        list(role_policies("P", needed(1200, apart=apart), role, "small"))


def test_how_many_stacks_like_it_have_room_in_the_role_is_told(there: Path) -> None:
    said: list[Event] = []
    emit(FOUND["cloudformation"], str(there / EXAMPLES["wine"]), ENVIRONMENT, said.append)
    (told,) = [item.text for item in said if isinstance(item, Said)]
    assert re.search(r"mlops-wine has \d,\d{3} of the 10,240 characters .* 2 stacks like it have room there", told)


@pytest.mark.parametrize(
    ("resources", "outputs", "size", "told"),
    [
        (500, 200, 1_000_000, None),
        (501, 0, 1, "501 Resources, at most 500"),
        (1, 201, 1_000_001, "201 Outputs, at most 200; 1,000,001 bytes, at most 1,000,000"),
    ],
)
def test_a_template_with_too_much_is_refused(resources: int, outputs: int, size: int, told: str | None) -> None:
    template = {"Resources": dict.fromkeys(range(resources)), "Outputs": dict.fromkeys(range(outputs))}
    with contextlib.nullcontext() if told is None else pytest.raises(UsageError, match=told):
        need_room("small", template, "x" * size)


IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1"


def test_what_nobody_knows_before_is_told(there: Path) -> None:
    (there / "asks.py").write_text(
        "from mlops import Pipeline, Processing\n"
        'with Pipeline("asks") as pipeline:\n'
        '    data = pipeline.string("Data")\n'
        '    Processing("Read", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1", inputs={"data": data})\n'
    )
    said: list[Event] = []
    emit(FOUND["cloudformation"], str(there / "asks.py"), ENVIRONMENT, said.append)
    assert [item.text for item in said if isinstance(item, Said)] == [
        "note: whoever starts asks gives Data, a place: allow the role to read or write there"
    ]


def test_parameters_and_resources_of_any_kind_have_names_of_their_own(there: Path) -> None:
    """ModelPackageX is a model package-x, and the version of a group x."""
    (there / "clash.py").write_text(
        "from mlops import Pipeline, RegisterModel, resources\n"
        'with Pipeline("p"):\n'
        '    RegisterModel("Register", group="x", image="111122223333.dkr.ecr.us-east-1.amazonaws.com/ours:1",\n'
        '        model="s3://acme-ml-production/model.tar.gz", content_types=["text/csv"], '
        'response_types=["text/csv"])\n'
        'for name, group in (("package-group-x", "x"), ("package-x", "group-x"), ("apart", "y")):\n'
        "    resources.Model(name, group=group)\n"
    )
    template = read(emitted(there / "clash.py"))
    ids = [*template["Parameters"], *template["Resources"]]
    assert len(ids) == len(set(ids)) and "ModelApart" in ids and "ModelPackageY" in ids
    kinds = [item["Type"].rpartition(":")[2] for item in template["Resources"].values()]
    assert (kinds.count("Model"), kinds.count("ModelPackageGroup")) == (3, 1)
    assert [item for item in judge(emitted(there / "clash.py").encode(), "t.yaml") if item.code == "T010"] == []


def test_a_monitor_is_in_a_group_with_its_tags_and_names_its_endpoint_by_text(there: Path) -> None:
    """Its declaration is a text in the template, where a function would stand as it is."""
    (there / "watched.py").write_text(
        "from mlops import resources\n"
        f'model = resources.Model("churn", image="{IMAGE}", model="s3://acme-ml-production/m.tar.gz")\n'
        'config = resources.EndpointConfig("churn", model=model.model_name, instance="ml.m5.large", count=4,\n'
        '    capture=resources.Capture("s3://acme-ml-production/captured"))\n'
        'endpoint = resources.Endpoint("churn", config=config.config_name)\n'
        'resources.Monitor("watch", endpoint=endpoint.endpoint_name, drift=resources.Drift(),\n'
        '    schedule="rate(1 hour)", tags={"owner": "ann"})\n'
    )
    template = read(emitted(there / "watched.py"))["Resources"]
    monitor, group = template["MonitorWatch"], template["MonitorWatchGroup"]
    assert monitor["Properties"]["GroupName"] == {"Ref": "MonitorWatchGroup"}
    assert monitor["DependsOn"] == ["EndpointChurn"]
    job = json.loads(monitor["Properties"]["Target"]["Input"])
    _, *pieces = job["AppSpecification"]["ContainerArguments"]
    assert json.loads("".join(pieces))["endpoint"] == "churn"
    assert group["Type"] == "AWS::Scheduler::ScheduleGroup"
    assert group["Properties"] == {
        "Name": "mlops-monitor-watch",
        "Tags": [{"Key": "owner", "Value": "ann"}, {"Key": "team", "Value": "growth"}],
    }


def test_what_cloudformation_would_replace_is_refused(there: Path) -> None:
    with pytest.raises(UsageError, match="resolve"):
        small(there, text="{{resolve:ssm:x}}")


TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(
        ["yes", "1e3", "a: b", "x\ny\n", "x\n\n", " a\nb", "OFF", "-", "a #b", "2020-01-01", "\u2028", "\x85"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=examples(15), deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=6), TREES, min_size=1, max_size=3))
def test_yaml_is_read_as_the_same_value(value: Mapping[str, Any]) -> None:
    assert read(yaml_text(value)) == value


def test_a_root_and_the_stacks_below_it_lie_where_they_are_read(there: Path, tmp_path: Path) -> None:
    small(there)
    options = ["cloudformation", str(there / "small.py"), "--env", ENVIRONMENT, "--as", "json"]
    done = CliRunner().invoke(
        command, [*options, "--nested", str(tmp_path / "below"), "-o", str(tmp_path / "root.json")]
    )
    assert done.exit_code == 0, done.output
    root = json.loads((tmp_path / "root.json").read_text())
    (file,) = (tmp_path / "below").iterdir()
    (stack,) = root["Resources"].values()
    place = stack["Properties"]["TemplateURL"]["Fn::Sub"]
    assert place.endswith(f"/acme-ml-production/mlops/stacks/{file.name}")
    assert file.stem == hashlib.sha256(file.read_bytes()).hexdigest()
    whole, below = read(small(there)), json.loads(file.read_text())
    assert below["Resources"] == whole["Resources"] and root["Parameters"] == whole["Parameters"]
    assert set(root["Outputs"]) == set(whole["Outputs"])
    assert "aws s3 sync FOLDER s3://acme-ml-production/mlops/stacks" in done.stderr
    assert [*judge((tmp_path / "root.json").read_bytes(), "root.json"), *judge(file.read_bytes(), "t.json")] == []
    both = CliRunner().invoke(command, [*options, "--nested", str(tmp_path), "--split", "1"])
    assert (both.exit_code, "use --split or --nested, not both" in both.stderr) == (2, True)

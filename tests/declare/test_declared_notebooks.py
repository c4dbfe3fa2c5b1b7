"""Declared notebook instances and their scripts: the requests that they become, what is wrong with them, their
template, and the program that stops one in which nothing is done."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlops.check.sources import open_targets
from mlops.check.templates.judging import judge
from mlops.emit import targets
from mlops.ir import unheard
from mlops.ir.discovery import modules
from mlops.knowledge.notebooks import idle_stop, sync
from mlops.knowledge.notebooks.faults import decoded
from mlops.knowledge.notebooks.scripts import RESTORE, beginning_with, stopping_when_idle, synced_to, syncing
from mlops.use_cases.emit import emit

ROLE = "arn:aws:iam::123456789012:role/pipelines"
TOML = f"""
[env.production]
account = "123456789012"
region = "us-east-1"
role = "{ROLE}"
bucket = "acme-ml"

[env.network]
account = "123456789012"
region = "us-east-1"
role = "{ROLE}"
bucket = "acme-ml"
subnets = ["subnet-1", "subnet-2"]
security_groups = ["sg-1"]
kms_key = "arn:aws:kms:us-east-1:123456789012:key/1"
"""
HEAD = "from mlops import resources\n"
SCRIPT = "#!/bin/bash\nset -e\nmkdir -p /home/ec2-user/SageMaker/data\n"


def opened(folder: Path, text: str, environment: str = "production") -> Any:
    (folder / "mlops.toml").write_text(TOML)
    (folder / "start.sh").write_text(SCRIPT)
    (folder / "windows.sh").write_bytes(SCRIPT.replace("\n", "\r\n").encode())
    (folder / "long.sh").write_text(SCRIPT + "# setup\n" * 1600)
    (folder / "program.py").write_text("#!/usr/bin/python3\nprint(1)\n")
    (folder / "empty.sh").write_text("\n")
    (folder / "no.sh").write_bytes(b"\xff\xfe\x00")
    (folder / "notebooks.py").write_text(HEAD + text)
    return open_targets([str(folder / "notebooks.py")], environment)


def requests(folder: Path, text: str, environment: str = "production") -> list[Any]:
    found = opened(folder, text, environment)
    assert not found.findings, found.findings
    return [step.arguments for step in found.resources[0].definition.steps]


SAFE = {"DirectInternetAccess": "Disabled", "RootAccess": "Disabled"}
LATER = {
    "VolumeSizeInGB": 5,
    "PlatformIdentifier": "notebook-al2023-v1",
    "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
}
NOTEBOOK = 'resources.NotebookInstance("n", instance="ml.t3.medium"'
INSTANCES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a network of its own": (
        NOTEBOOK + ', subnet="subnet-9", security_groups=["sg-9"], volume=50)',
        "network",
        {**SAFE, **LATER, "SubnetId": "subnet-9", "SecurityGroupIds": ("sg-9",), "VolumeSizeInGB": 50},
    ),
    "the environment's": (
        NOTEBOOK + ")",
        "network",
        {**SAFE, **LATER, "SubnetId": "subnet-1", "SecurityGroupIds": ("sg-1",)},
    ),
    "none in the local account": (NOTEBOOK + ")", "local", {**SAFE, **LATER, "SubnetId": "subnet-local"}),
    "by environment": (
        'resources.NotebookInstance("n", instance=resources.by_environment({"network": "ml.m5.xlarge"}, '
        '"ml.t3.medium"), volume=resources.by_environment({"network": 100}, 5))',
        "network",
        {**SAFE, **LATER, "SubnetId": "subnet-1", "SecurityGroupIds": ("sg-1",), "VolumeSizeInGB": 100},
    ),
}


@pytest.mark.parametrize("case", INSTANCES)
def test_an_instance_is_this_request(case: str, tmp_path: Path) -> None:
    text, environment, wanted = INSTANCES[case]
    (made,) = requests(tmp_path, text, environment)
    kind = "ml.m5.xlarge" if case == "by environment" else "ml.t3.medium"
    key = {"KmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1"} if environment == "network" else {}
    role = made["RoleArn"] if environment == "local" else ROLE
    assert made == {"NotebookInstanceName": "n", "InstanceType": kind, "RoleArn": role, **key, **wanted}


CONFIG = 'resources.NotebookInstanceLifecycleConfig("c", '


def test_scripts_are_encoded(tmp_path: Path) -> None:
    text = f'{CONFIG}on_create="start.sh", on_start="#!/bin/sh\\ndate\\n")\n{CONFIG[:-5]}"d", on_start="windows.sh")'
    first, second = requests(tmp_path, text)
    assert decoded(first["OnCreate"][0]["Content"]) == SCRIPT
    assert decoded(first["OnStart"][0]["Content"]) == "#!/bin/sh\ndate\n"
    assert decoded(second["OnStart"][0]["Content"]) == SCRIPT


def test_an_idle_stop_comes_before_the_script_of_a_start(tmp_path: Path) -> None:
    (made,) = requests(tmp_path, f'{CONFIG}on_create="start.sh", on_start="start.sh", idle_stop=90)')
    script = decoded(made["OnStart"][0]["Content"])
    assert script is not None
    assert decoded(made["OnCreate"][0]["Content"]) == SCRIPT
    assert script.startswith("#!/bin/bash\n# Stops this instance when nothing was done in it for 90 minutes.\n")
    assert script.endswith(SCRIPT.removeprefix("#!/bin/bash\n"))
    assert "mlops_idle_stop.py 5400" in script
    assert Path(idle_stop.__file__).read_text() in script
    parts = [stopping_when_idle(60)]
    assert beginning_with(parts, "date\n") == (beginning_with(parts, None) or "") + "date\n"
    assert beginning_with(parts, "#!/usr/bin/env python3\n") is None


def test_files_are_restored_once_and_synced_at_each_start(tmp_path: Path) -> None:
    place = f"s3://{DEFAULT.format('us-east-1')}/notebooks"
    (made,) = requests(tmp_path, f'{CONFIG}on_create="start.sh", idle_stop=90, sync="{place}/")')
    first, start = decoded(made["OnCreate"][0]["Content"]), decoded(made["OnStart"][0]["Content"])
    assert first == "#!/bin/bash\n" + RESTORE + SCRIPT.removeprefix("#!/bin/bash\n")
    assert str(sync.FILES / sync.WANTED) in RESTORE
    assert start == beginning_with([stopping_when_idle(90), syncing(place)], None)
    assert start is not None
    assert synced_to(start) == place.removeprefix("s3://")
    assert Path(sync.__file__).read_text() in start
    for script in (first, start):
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


PUBLIC = 'repository="https://github.com/acme/notebooks"'
RESTART = 'resources.NotebookRestart("r", notebook="n", when="{}", timezone="{}")'
DEFAULT = "sagemaker-{}-123456789012"
INNER = '"#!/bin/bash\\nset -e\\nsudo -u ec2-user -i <<EOF\\nconda activate x\\nEOF\\n"'
WRONG = {
    "a script that is too long": (CONFIG + 'on_start="long.sh")', {"D042"}),
    "a script that is not there": (CONFIG + 'on_start="strat.sh")', {"D052"}),
    "a script that is no text": (CONFIG + 'on_start="no.sh")', {"D053"}),
    "a script with nothing in it": (CONFIG + 'on_start="empty.sh")', {"D042"}),
    "an idle stop in a program": (CONFIG + 'on_start="program.py", idle_stop=60)', {"D064"}),
    "an idle stop at once": (CONFIG + "idle_stop=1)", {"D042"}),
    "files to no place": (CONFIG + 'sync="notebooks/")', {"D042"}),
    "files to no bucket": (CONFIG + 'sync="s3://Acme/notebooks/")', {"D042"}),
    "files to a place of a shell": (CONFIG + 'sync="s3://acme/$(date)/")', {"D042"}),
    "files to another region": (CONFIG + f'sync="s3://{DEFAULT.format("eu-west-1")}/notebooks/")', {"D042"}),
    "files from a program": (CONFIG + 'on_create="program.py", sync="s3://acme/notebooks")', {"D064"}),
    "a restart whose start is in another hour": (RESTART.format("cron(45 3 ? * SUN *)", "UTC"), {"D042"}),
    "a restart all day": (RESTART.format("rate(1 day)", "UTC"), {"D042"}),
    "a restart at no time": (RESTART.format("cron(0 25 ? * SUN *)", "UTC"), {"X843"}),
    "a restart in no zone": (RESTART.format("cron(44 3 ? * SUN *)", "Europe/Atlantis"), {"X843"}),
    "no script at all": (CONFIG[:-2] + ")", {"D064"}),
    "an inner shell": (CONFIG + f"on_start={INNER})", {"X967"}),
    "a script as it is": (CONFIG + 'arguments={"OnStart": [{"Content": "#!/bin/bash"}]})', {"X960"}),
    "a script with a secret": (CONFIG + 'on_start="#!/bin/bash\\nexport DB_PASSWORD=hunter2-hunter2\\n")', {"X840"}),
    "no way out": (NOTEBOOK + ")", {"X961"}),
    "a way of its own": (NOTEBOOK + ', internet=True, subnet="subnet-1")', {"X962"}),
    "root": (NOTEBOOK + ', root=True, subnet="subnet-1")', {"X963"}),
    "an accelerator": (NOTEBOOK + ', subnet="s-1", arguments={"AcceleratorTypes": ["ml.eia1.medium"]})', {"X964"}),
    "an old platform": (NOTEBOOK + ', subnet="subnet-1", platform="notebook-al1-v1")', {"X965"}),
    "a platform that is none": (NOTEBOOK + ', subnet="subnet-1", platform="notebook-al3")', {"D042"}),
    "a repository outside": (NOTEBOOK + f', subnet="subnet-1", {PUBLIC})', {"X966"}),
    "one more outside": (NOTEBOOK + ', subnet="s-1", repositories=["https://gitlab.com/acme/a"])', {"X966"}),
    "packages from outside": (
        f'c = {CONFIG}on_start="#!/bin/bash\\npip install torch\\n")\n'
        f'{NOTEBOOK}, subnet="subnet-1", lifecycle=c.lifecycle_config_name)',
        {"X966"},
    ),
    "packages from outside, by name": (
        f'{CONFIG}on_start="#!/bin/bash\\npip install torch\\n")\n{NOTEBOOK}, subnet="subnet-1", lifecycle="c")',
        {"X966"},
    ),
    "four more repositories": (NOTEBOOK + ', subnet="s-1", repositories=["a", "b", "c", "d"])', {"S208"}),
    "a name too long": ('resources.NotebookInstance("n" * 64, instance="ml.t3.medium", subnet="s-1")', {"S206"}),
    "a volume too small": (NOTEBOOK + ', subnet="s-1", volume=4)', {"S207"}),
    "an instance that has none": ('resources.NotebookInstance("n", instance="ml.m5.large", subnet="s-1")', {"S204"}),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(case: str, tmp_path: Path) -> None:
    text, codes = WRONG[case]
    found = opened(tmp_path, text).findings
    assert {finding.code for finding in found} == codes
    assert all(finding.where.line and finding.where.line > 1 for finding in found)
    assert "hunter2" not in str(found)


def test_a_name_as_long_as_may_be_is_none_too_long(tmp_path: Path) -> None:
    """What it is called among what is declared had more letters than a step's name may have."""
    for name in ("a-" + "c" * 61, "a" * 48):
        text = f'resources.NotebookInstanceLifecycleConfig("{name}", idle_stop=60)\n'
        assert requests(tmp_path, text)[0]["NotebookInstanceLifecycleConfigName"] == name


def test_how_long_a_script_is_and_which_is_said(tmp_path: Path) -> None:
    (finding,) = opened(tmp_path, CONFIG + 'on_start="long.sh")').findings
    assert "long.sh has 17,144 characters in base64, and 16,384 may be" in finding.message
    assert "S3" in (finding.help or "")


def test_its_template_is_sound_and_its_role_may_stop_it(tmp_path: Path) -> None:
    text = f'c = {CONFIG}on_start="start.sh", idle_stop=60)\n{NOTEBOOK}, lifecycle=c.lifecycle_config_name)'
    assert not opened(tmp_path, text, "network").findings
    target = modules(targets)["cloudformation"]
    template = emit(target, str(tmp_path / "notebooks.py"), "network", unheard, "yaml").text
    config = "NotebookInstanceLifecycleConfigC.NotebookInstanceLifecycleConfigName"
    assert f"LifecycleConfigName: !GetAtt {config}\n" in template
    assert "DependsOn" not in template, "what refers to it waits anyhow (cfn-lint: W3005)"
    assert "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/n" in template
    assert [finding for finding in judge(template.encode(), "t.yaml") if finding.severity.name == "ERROR"] == []


def test_its_role_may_keep_its_files_and_nobody_elses(tmp_path: Path) -> None:
    text = f'{CONFIG}sync="s3://acme/files/")\nd = {CONFIG[:-5]}"d", idle_stop=60)\n'
    for name, lifecycle in (("Research", '"c"'), ("other", "d.lifecycle_config_name")):
        text += f'resources.NotebookInstance("{name}", instance="ml.t3.medium", lifecycle={lifecycle})\n'
    assert not opened(tmp_path, text, "network").findings
    target = modules(targets)["iam-policy"]
    document = json.loads(emit(target, str(tmp_path / "notebooks.py"), "network", unheard).text)
    of_s3 = [item for item in document["Statement"] if any(action.startswith("s3:") for action in item["Action"])]
    assert of_s3 == [
        {
            "Sid": "ListSyncedFiles",
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": ["arn:aws:s3:::acme"],
            "Condition": {"StringLike": {"s3:prefix": "files/Research/*"}},
        },
        {
            "Sid": "SyncFiles",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::acme/files/Research/*"],
        },
    ]


KERNEL = {"execution_state": "idle", "last_activity": "1970-01-01T00:10:00.000000Z"}
IDLE: dict[str, tuple[float, list[Any], list[Any], float, bool]] = {
    "nothing since the start": (0, [], [], 3600, True),
    "nothing, and started just now": (3000, [], [], 3600, False),
    "a kernel that was used": (0, [KERNEL], [], 3600, False),
    "a kernel that was used long ago": (0, [KERNEL], [], 4200, True),
    "a kernel that is busy": (0, [KERNEL, {"execution_state": "busy"}], [], 9000, False),
    "a terminal that was used": (0, [], [{"last_activity": "1970-01-01T00:10:00Z"}], 4199, False),
}


@pytest.mark.parametrize("case", IDLE)
def test_when_an_instance_is_idle(case: str, tmp_path: Path) -> None:
    started, kernels, terminals, now, wanted = IDLE[case]
    seen = tmp_path / "seen"
    seen.touch()
    os.utime(seen, (started, started))
    last = idle_stop.last_activity(kernels, terminals, now)
    assert idle_stop.is_idle(seen, last, now, 3600) is wanted
    assert idle_stop.is_idle(seen, 0, now, 3600) is wanted, "who shuts a kernel down is not idle yet"

"""What an environment fills in is told, with the line that gives it; what the author gave is not."""

from __future__ import annotations

from collections.abc import Callable

from mlops.check.defaults import explain_defaults
from mlops.check.sources import Opened

TOML = """
[env.defaults]
instance = "ml.m5.large"
tags = { team = "growth" }

[env.local]
kms_key = "alias/ml"
subnets = ["subnet-0a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]
traffic_encryption = true
parameters = { N = 3 }
"""

BODY = """
n = p.integer("N", default=1)
sk = image.sklearn("1.2-1")
Training("A", code="train.py", image=sk, count=n)
Training("B", code="train.py", image=sk, instance="ml.c5.xlarge", to="s3://acme-ml/b", kms_key="k", volume_kms_key="v",
         role="arn:aws:iam::000000000000:role/own", network=Network(["subnet-9"], ["sg-9"], encrypted=False))
"""


def test_every_value_of_the_environment_is_told(declare: Callable[..., Opened]) -> None:
    opened = declare(BODY, toml=TOML)
    told = explain_defaults(opened.pipelines[0].definition, "local")
    assert [(item.step, item.member, item.value, item.key, item.origin) for item in told] == [
        ("the parameter N", "DefaultValue", "3", "parameters", "mlops.toml:11"),
        ("A", "OutputDataConfig.S3OutputPath", "s3://mlops-local/mlops/test/A", "bucket", "built in"),
        ("A", "OutputDataConfig.KmsKeyId", "alias/ml", "kms_key", "mlops.toml:7"),
        ("A", "ResourceConfig.InstanceType", "ml.m5.large", "instance", "mlops.toml:3"),
        ("A", "ResourceConfig.VolumeKmsKeyId", "alias/ml", "kms_key", "mlops.toml:7"),
        ("A", "RoleArn", "arn:aws:iam::000000000000:role/mlops-local", "role", "built in"),
        ("A", "VpcConfig.SecurityGroupIds[0]", "sg-0a1b2c3d", "security_groups", "mlops.toml:9"),
        ("A", "VpcConfig.Subnets[0]", "subnet-0a1b2c3d", "subnets", "mlops.toml:8"),
        ("A", "EnableInterContainerTrafficEncryption", "true", "traffic_encryption", "mlops.toml:10"),
        ("A", "Tags[0].Value", "growth", "tags", "mlops.toml:4"),
        ("B", "Tags[0].Value", "growth", "tags", "mlops.toml:4"),
    ]


CAPPED = """
n = p.integer("N", default=8)
own = p.integer("Own", default=8)
few = p.integer("Few", default=8, choices=[4, 8])
sk = image.sklearn("1.2-1")
Training("A", code="train.py", image=sk, count=n)
Training("B", code="train.py", image=sk, count=3)
Training("C", code="train.py", image=sk, count=2)
Training("D", code="train.py", image=sk, groups={"g": InstanceGroup("ml.m5.large", 5)})
Training("E", code="train.py", image=sk, count=own)
with when(n > 1):
    Processing("F", image=sk, code="train.py", count=9)
Training("G", code="train.py", image=sk, count=few)
"""


def test_what_a_cap_lowered_is_told(declare: Callable[..., Opened]) -> None:
    cap = "[env.local]\nmax_instances = 2\nparameters = { Own = 6 }\n"
    definition = declare(CAPPED, toml=cap).pipelines[0].definition
    assert [parameter.default for parameter in definition.parameters] == [2, 6, 8]
    told = [item for item in explain_defaults(definition, "local") if item.key == "max_instances"]
    assert [(item.step, item.member, item.value, item.origin) for item in told] == [
        ("the parameter N", "DefaultValue", "2", "mlops.toml:2"),
        ("B", "ResourceConfig.InstanceCount", "2", "mlops.toml:2"),
        ("D", "ResourceConfig.InstanceGroups[0].InstanceCount", "2", "mlops.toml:2"),
        ("F", "ProcessingResources.ClusterConfig.InstanceCount", "2", "mlops.toml:2"),
    ]
    free = declare(CAPPED).pipelines[0].definition
    assert [parameter.default for parameter in free.parameters] == [8, 8, 8]

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

"""A program that runs on a notebook instance every few minutes, and takes its files to S3.

    python3 mlops_sync.py s3://BUCKET/PREFIX

Each instance has a folder of its name below the prefix. Into one that was just made comes first what lies there: a file
that the instance has already stays, being somebody's work or Git's. What is deleted stays in S3. It runs by the
standard library of Python 3.7 and the aws command line, not as root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

FILES = Path("/home/ec2-user/SageMaker")
METADATA = Path("/opt/ml/metadata/resource-metadata.json")
WANTED, STAGED = ".mlops-restore", ".mlops-restored"
"""A file that stands for a restore that is still to be done; where what it brings lies until all of it is there."""
MADE_AGAIN = (".git/*", ".ipynb_checkpoints/*", "__pycache__/*", ".Trash-*/*", "lost+found/*", ".mlops-*")
SECRET = (
    *(".env", ".env.*", "*.env", ".netrc", ".pypirc", ".git-credentials", "credentials*", "secrets*", "kaggle.json"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".aws/*", ".ssh/*"),
)
"""As the aws command line reads patterns: a star is any characters, a slash too."""


def sync(source: str, target: str, region: str) -> None:
    command = ["aws", "s3", "sync", source, target, "--region", region, "--no-follow-symlinks", "--only-show-errors"]
    for pattern in (*MADE_AGAIN, *SECRET):
        command += ["--exclude", pattern, "--exclude", "*/" + pattern]
    subprocess.run(command, check=True)


def restore(files: Path, place: str, region: str) -> None:
    """Cut off anywhere, it goes on at the next call."""
    staged = files / STAGED
    staged.mkdir(exist_ok=True)
    sync(place, str(staged), region)
    for file in sorted(staged.rglob("*")):
        at = files / file.relative_to(staged)
        if file.is_file() and not os.path.lexists(str(at)):
            at.parent.mkdir(parents=True, exist_ok=True)
            file.replace(at)
    shutil.rmtree(str(staged))
    (files / WANTED).unlink()


def main(prefix: str, files: Path, metadata: Path) -> None:
    told = json.loads(metadata.read_text(encoding="utf-8"))
    place, region = prefix + "/" + told["ResourceName"] + "/", told["ResourceArn"].split(":")[3]
    if (files / WANTED).exists():
        restore(files, place, region)
    sync(str(files), place, region)


if __name__ == "__main__":
    main(sys.argv[1], FILES, METADATA)

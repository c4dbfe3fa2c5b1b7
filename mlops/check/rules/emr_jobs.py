"""Programs, clusters and applications of EMR and EMR Serverless."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mlops.check.expressions import fold
from mlops.check.members import entries
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Placed, Severity, Value
from mlops.ir.members import get

_CLUSTER = re.compile(r"j-[A-Z0-9]+")
_RELEASE = re.compile(r"emr-(?:spark-)?(?P<major>\d+)\.(?P<minor>\d+)(?:\.\d+|-preview).*")
"""AWS's runtime for Spark has releases of its own, from emr-spark-8.0 on (EMR Serverless guide: release versions)."""
_SCRIPTS = (".py", ".jar", ".sh", ".sql", ".hql", ".zip", ".egg", ".R")
_REACHED = ("/", "s3://", "s3a://", "s3n://", "hdfs://", "file:///", "local:///")
_RUNNERS = ("command-runner.jar", "script-runner.jar")
_APPLICATIONS = (
    "AmazonCloudWatchAgent", "Delta", "Flink", "Ganglia", "HBase", "HCatalog", "Hadoop", "Hive", "Hudi", "Hue",
    "Iceberg", "JupyterEnterpriseGateway", "JupyterHub", "Livy", "MXNet", "Mahout", "Oozie", "Phoenix", "Pig", "Presto",
    "PrestoDB", "Spark", "Sqoop", "TensorFlow", "Tez", "Trino", "Zeppelin", "ZooKeeper",
)  # fmt: skip


@rule("X896", "emr-program", Severity.WARNING, source="EMR API: HadoopJarStepConfig; EMR docs: command-runner.jar")
def emr_program(subject: Subject) -> Iterator[Fault]:
    """An EMR step runs a program of the author's machine, or a command in one word which no shell takes apart, or
    spark-submit on a cluster of its own without Spark.

    Bad:  "Args": ["spark-submit features.py"]
    Good: "Args": ["spark-submit", "s3://acme/code/features.py"]
    """
    for placed, arguments in subject.of_type("EMR"):
        step = get(arguments, "StepConfig", "HadoopJarStep")
        at = f"{placed.pointer}/Arguments/StepConfig/HadoopJarStep"
        jar, words = get(step, "Jar"), get(step, "Args")
        if jar == "":
            yield Fault(f"{at}/Jar", "Jar is empty", "e.g. command-runner.jar", placed, severity=Severity.ERROR)
        elif isinstance(jar, str) and jar not in _RUNNERS and not jar.startswith(_REACHED):
            help_text = did_you_mean(jar, _RUNNERS) or "upload it, give its S3 URI"
            yield Fault(f"{at}/Jar", f"{shown(jar)} is not on the cluster", help_text, placed)
        listed = words if isinstance(words, tuple) else ()
        first = listed[0] if listed else None
        if jar in _RUNNERS and isinstance(first, str) and " " in first.strip():
            message = f"there is no program {shown(first)}"
            yield Fault(f"{at}/Args/0", message, "write one entry per word", placed)
            continue
        for index, word in enumerate(listed):
            if isinstance(word, str) and _is_at_home(word):
                yield Fault(f"{at}/Args/{index}", f"{shown(word)} is not on the cluster", "upload it", placed)
        for where, action in entries(arguments, "ClusterConfig", "BootstrapActions"):
            script = get(action, "ScriptBootstrapAction", "Path")
            if isinstance(script, str) and not script.startswith(("s3://", "file:/", "/")):
                here = f"{placed.pointer}/Arguments{where}/ScriptBootstrapAction/Path"
                yield Fault(here, f"{shown(script)} is not on the cluster", "upload it, give its S3 URI", placed)
        applications = list(entries(arguments, "ClusterConfig", "Applications"))
        names = [item.get("Name") for _, item in applications]
        known = [name for name in names if isinstance(name, str)]
        if first == "spark-submit" and known and len(known) == len(names) and "spark" not in map(str.lower, known):
            message = "spark-submit is run, and the cluster has no Spark"
            yield Fault(
                f"{placed.pointer}/Arguments/ClusterConfig/Applications", message, 'add {"Name": "Spark"}', placed
            )


def _is_at_home(word: str) -> bool:
    return " " not in word and not word.startswith(("-", *_REACHED)) and word.endswith(_SCRIPTS) and "=" not in word


@rule("X897", "emr-cluster-form", Severity.ERROR, source="EMR API: RunJobFlow, InstanceGroupConfig, cluster ids")
def emr_cluster_form(subject: Subject) -> Iterator[Fault]:
    """A cluster id of another form than EMR's; a cluster of its own with several groups of masters or of core instances
    or without instances; or (a warning) tasks without a core, or an application that EMR does not have.

    Bad:  "ClusterId": "j-2axxxxxxgaplf"
    Good: "ClusterId": "j-2AXXXXXXGAPLF"
    """
    for placed, arguments in subject.of_type("EMR"):
        at, cluster = f"{placed.pointer}/Arguments", arguments.get("ClusterId")
        if isinstance(cluster, str) and cluster.startswith("j-") and not _CLUSTER.fullmatch(cluster):
            message = f"{shown(cluster)} is no cluster id"
            yield Fault(f"{at}/ClusterId", message, "j- and capital letters and digits", placed)
        groups = list(entries(arguments, "ClusterConfig", "Instances", "InstanceGroups"))
        for role in ("MASTER", "CORE"):
            same = [where for where, item in groups if item.get("InstanceRole") == role]
            if len(same) > 1:
                message = f"the cluster has two groups of {'masters' if role == 'MASTER' else 'core instances'}"
                yield Fault(f"{at}{same[1]}/InstanceRole", message, "keep one", placed)
        roles = [item.get("InstanceRole") for _, item in groups]
        if "TASK" in roles and all(isinstance(role, str) for role in roles) and "CORE" not in roles:
            where = f"{at}{groups[roles.index('TASK')][0]}/InstanceRole"
            message = "the cluster has task instances, and no core instances that keep its data"
            yield Fault(where, message, "add a group of CORE", placed, severity=Severity.WARNING)
        for where, item in groups:
            count = item.get("InstanceCount")
            if isinstance(count, int) and not isinstance(count, bool):
                if count < 1:
                    message = "a group without instances"
                    yield Fault(f"{at}{where}/InstanceCount", message, "at least 1", placed)
                elif item.get("InstanceRole") == "MASTER" and count not in (1, 3):
                    message = f"a cluster has 1 or 3 masters, not {count}"
                    yield Fault(f"{at}{where}/InstanceCount", message, "write 1", placed)
        for where, item in entries(arguments, "ClusterConfig", "Applications"):
            name = item.get("Name")
            if isinstance(name, str) and name.lower() not in map(str.lower, _APPLICATIONS):
                guess = did_you_mean(name, _APPLICATIONS)
                if guess is not None:
                    yield Fault(
                        f"{at}{where}/Name",
                        f"EMR has no application {name!r}",
                        guess,
                        placed,
                        severity=Severity.WARNING,
                    )


@rule(
    "X898",
    "serverless-run",
    Severity.ERROR,
    source="EMR Serverless API: StartJobRun, CreateApplication; EMR docs: 6.6 at least",
)
def serverless_run(subject: Subject) -> Iterator[Fault]:
    """An EMR Serverless step that runs nothing, runs something else than its application is made for, names two
    applications, or makes one of a release that EMR Serverless does not have.

    Bad:  "ApplicationConfig": {"type": "SPARK", "releaseLabel": "emr-5.36.0"}
    Good: "ApplicationConfig": {"type": "SPARK", "releaseLabel": "emr-7.5.0"}
    """
    for placed, arguments in subject.of_type("EMRServerless"):
        at, job = f"{placed.pointer}/Arguments", arguments.get("JobConfig")
        driver, application = get(job, "jobDriver"), arguments.get("ApplicationId")
        if isinstance(job, Mapping) and not job.get("jobDriver"):
            message = "nothing says what the job runs"
            yield Fault(f"{at}/JobConfig/jobDriver", message, "add sparkSubmit or hive", placed)
        kind = get(arguments, "ApplicationConfig", "type")
        wanted = "hive" if isinstance(kind, str) and kind.upper() == "HIVE" else "sparkSubmit"
        if isinstance(kind, str) and isinstance(driver, Mapping) and len(driver) == 1 and wanted not in driver:
            message = f"the application is of type {kind}, and the job is {next(iter(driver))}"
            yield Fault(f"{at}/JobConfig/jobDriver/{next(iter(driver))}", message, f"write {wanted}", placed)
        yield from _programs(subject, f"{at}/JobConfig/jobDriver", driver, placed)
        inner = get(job, "applicationId")
        if isinstance(application, str) and isinstance(inner, str) and application != inner:
            message = "ApplicationId and JobConfig.applicationId are different applications"
            where = f"{at}/JobConfig/applicationId"
            yield Fault(where, message, "give the same twice, or once", placed)
        if isinstance(application, str) and not re.fullmatch(r"[0-9a-z]{1,64}", application):
            message = f"{shown(application)} is no application id"
            yield Fault(f"{at}/ApplicationId", message, "small letters and digits, e.g. 00fabc1234567890", placed)
        release = get(arguments, "ApplicationConfig", "releaseLabel")
        match = _RELEASE.fullmatch(release) if isinstance(release, str) else None
        if isinstance(release, str) and (match is None or (int(match["major"]), int(match["minor"])) < (6, 6)):
            message = f"{shown(release)} is no release of EMR Serverless"
            yield Fault(f"{at}/ApplicationConfig/releaseLabel", message, 'e.g. "emr-7.5.0"', placed)


def _programs(subject: Subject, at: str, driver: Value, placed: Placed) -> Iterator[Fault]:
    for members in (("sparkSubmit", "entryPoint"), ("hive", "query"), ("hive", "initQueryFile")):
        text = fold(subject, get(driver, *members))
        if text is not None and text.startswith(("file:", "~", "C:", "\\")):
            where = f"{at}/{'/'.join(members)}"
            yield Fault(where, f"{shown(text)} is on the author's machine", "upload it, give its S3 URI", placed)

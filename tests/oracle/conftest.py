"""The official SDK opens sessions where its files are imported, so only the test's subprocess does that."""

collect_ignore = [
    "bridge_rows.py",
    "jobs.py",
    "offline_aws.py",
    "sdk_alone.py",
    "sdk_breast_cancer.py",
    "sdk_jobs.py",
    "sdk_pipelines",
    "sdk_service_steps.py",
    "service_steps.py",
]

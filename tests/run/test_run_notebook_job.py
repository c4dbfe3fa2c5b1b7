"""Notebook jobs: cells run in their order with the parameters put in, and what fails is told with its error."""

from __future__ import annotations

import io
import json
import tarfile
from types import SimpleNamespace
from typing import Any

import pytest
from ports_for_tests import Account, step

from mlops.knowledge.notebook_jobs import SCHEDULER
from mlops.run import notebook_program

CHANNEL = "sagemaker_headless_execution_pipelinestep"


def notebook(*cells: str) -> str:
    made = [
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]} if not number else {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(cells)
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def job(account: Account, *, wanted: str = "a.ipynb", kernel: str = "python3", cells: tuple[str, ...] = ()) -> Any:
    account.objects.write("s3://bucket/notebooks/a.ipynb", notebook(*cells))
    account.objects.write("s3://bucket/notebooks/init.sh", "export GREETING=hello")
    return step(
        "Training",
        "Note",
        {
            "AlgorithmSpecification": {"TrainingImage": "i", "ContainerEntrypoint": [SCHEDULER]},
            "HyperParameters": {"days": "7", "name": "churn"},
            "InputDataConfig": [
                {"ChannelName": CHANNEL, "DataSource": {"S3DataSource": {"S3Uri": "s3://bucket/notebooks/"}}}
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "Environment": {
                "SM_EXECUTION_INPUT_PATH": f"/opt/ml/input/data/{CHANNEL}",
                "SM_INPUT_NOTEBOOK_NAME": wanted,
                "SM_OUTPUT_NOTEBOOK_NAME": "done.ipynb",
                "SM_KERNEL_NAME": kernel,
                "SM_INIT_SCRIPT": "init.sh",
            },
        },
    )


def test_a_notebook_that_is_not_there_is_told(account: Account) -> None:
    assert account.run(job(account, wanted="b.ipynb")) == "Failed"
    told = account.journal.last("Note").failure or ""
    assert told == "there is no notebook 'b.ipynb'; beside it would lie: a.ipynb, init.sh"


def test_parameters_follow_the_cell_that_is_tagged() -> None:
    cells = json.loads(notebook("days = 1", "print(days)"))["cells"]
    form = SimpleNamespace(new_code_cell=lambda source, metadata: {"source": source, "metadata": metadata})
    given = {"days": 7, "not a name": 1, "class": 1}
    notebook_program._put_in(SimpleNamespace(cells=cells, nbformat_minor=5), given, form)
    assert [cell["source"] for cell in cells] == ["days = 1", "# Parameters\ndays = 7", "print(days)"]


@pytest.mark.proof("notebooks")
def test_cells_run_and_the_executed_notebook_is_kept(account: Account) -> None:
    cells = ("days = 1\nname = ''", "import os\nprint(days, name, os.environ['GREETING'])")
    assert account.run(job(account, cells=cells, kernel="conda-of-the-image")) == "Succeeded"
    log = account.journal.log("Note")
    assert "7 churn hello" in log and "there is no kernel conda-of-the-image here" in log
    (uri,) = (key for key in account.objects.keys("s3://bucket/out") if key.endswith("output.tar.gz"))
    with tarfile.open(fileobj=io.BytesIO(account.objects.read(uri))) as archive:
        kept = json.load(archive.extractfile("done.ipynb"))  # type: ignore[arg-type]
    assert kept["cells"][1]["metadata"]["tags"] == ["injected-parameters"]
    assert account.run(job(account, cells=("1 / 0",))) == "Failed"
    assert account.journal.last("Note").failure == "ZeroDivisionError: division by zero"

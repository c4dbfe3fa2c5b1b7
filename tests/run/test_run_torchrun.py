"""torchrun as the toolkit starts it, over the hosts of one job, on the CPU."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ports_for_tests import Account, training

from mlops.knowledge.distributions import NO_TORCHRUN, has_torchrun

FIT = """
import os
import torch
import torch.distributed as dist

dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
torch.manual_seed(0)
features = torch.randn(64, 4, dtype=torch.float64)
wanted = features @ torch.tensor([1.0, -2.0, 3.0, 0.5], dtype=torch.float64) + 0.25
mine, targets = features[rank::world], wanted[rank::world]
model = torch.nn.Linear(4, 1).double()
model = torch.nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(40):
    optimizer.zero_grad()
    loss = ((model(mine).squeeze() - targets) ** 2).mean()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    whole = ((model.module(features).squeeze() - wanted) ** 2).mean().item()
print(f"rank={rank} world={world} host={os.environ['SM_CURRENT_HOST']} loss={whole:.12f};", flush=True)
if rank == 0:
    torch.save(model.module.state_dict(), os.environ["SM_MODEL_DIR"] + "/model.pt")
dist.barrier()
dist.destroy_process_group()
# Without the interpreter's own end: torch 2.13 aborts in it now and then ("terminate called without an active
# exception"), where gloo's threads still run.
os._exit(0)
"""


@pytest.mark.proof("torch")
def test_two_hosts_converge_to_the_loss_of_one(account: Account) -> None:
    metrics = [{"Name": "loss", "Regex": r"loss=([0-9.e-]+);"}]
    steps = [
        training(
            account,
            f"On{count}",
            {"train.py": FIT},
            algorithm={"MetricDefinitions": metrics},
            hyperparameters={"sagemaker_torch_distributed_enabled": "true"},
            # The toolkit's port is always 7777: a network of its own, where others on this machine may have taken it.
            EnableNetworkIsolation=True,
            ResourceConfig={"InstanceCount": count, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        )
        for count in (1, 2)
    ]
    assert account.run(*steps, max_parallel=1) == "Succeeded", account.journal.log("On2")
    one, two = (account.journal.last(name).response["FinalMetricDataList"][0]["Value"] for name in ("On1", "On2"))
    assert one == pytest.approx(two, rel=1e-9) and one < 0.05
    log = account.journal.last("On2").log
    assert log is not None
    told = [
        re.findall(r"rank=\S+ world=\S+ host=\S+", file.read_text()) for file in (log, log.parent / "log-algo-2.txt")
    ]
    assert told == [["rank=0 world=2 host=algo-1"], ["rank=1 world=2 host=algo-2"]]


@pytest.mark.parametrize(
    ("program", "files", "flags", "failure"),
    [
        ("run.sh", {"run.sh": ""}, {}, "torch_distributed takes a Python script as entry point, not run.sh"),
        (
            "train.py",
            {"train.py": "", "setup.py": ""},
            {},
            "torch_distributed takes no package" if has_torchrun() else NO_TORCHRUN,
        ),
        ("train.py", {"train.py": ""}, {"sagemaker_mpi_enabled": "true"}, "sagemaker_mpi_enabled cannot be acted on"),
    ],
)
def test_what_is_refused(account: Account, program: str, files: Any, flags: dict[str, str], failure: str) -> None:
    given = {"sagemaker_torch_distributed_enabled": json.dumps(True), **flags}
    assert account.run(training(account, "T", files, program=program, hyperparameters=given)) == "Failed"
    assert str(account.journal.last("T").failure).startswith(failure)

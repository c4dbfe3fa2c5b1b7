"""Settings of the containers that serve large language models: Hugging Face's TGI and DJL's LMI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops.check.expressions import literal
from mlops.check.instances import accelerators
from mlops.check.named_images import named_image
from mlops.check.nearest import did_you_mean
from mlops.check.rule import Fault, rule
from mlops.check.serving import machines_of
from mlops.check.shapes import shown
from mlops.check.subject import Subject
from mlops.ir import Severity

_TGI = "huggingface-pytorch-tgi-inference"
_SHARDS = {_TGI: "SM_NUM_GPUS", "djl-inference": "OPTION_TENSOR_PARALLEL_DEGREE"}
_QUANTIZED = (
    "awq", "bitsandbytes", "bitsandbytes-fp4", "bitsandbytes-nf4", "compressed-tensors", "eetq", "exl2", "fp8", "gptq",
    "marlin",
)  # fmt: skip
_BATCHES = ("auto", "deepspeed", "disable", "lmi-dist", "neuronx", "scheduler", "trtllm", "vllm")
_CHOICES = {"HF_MODEL_QUANTIZE": (_TGI, _QUANTIZED), "OPTION_ROLLING_BATCH": ("djl-inference", _BATCHES)}
_INPUTS = ("MAX_INPUT_LENGTH", "MAX_INPUT_TOKENS")


@rule(
    "X958",
    "language-model-setting",
    Severity.WARNING,
    source="text-generation-inference: sagemaker-entrypoint.sh, launcher; djl-serving: LMI configurations",
)
def language_model_setting(subject: Subject) -> Iterator[Fault]:
    """A container for language models does not start: it splits the model over more GPUs than its instance has, names
    no model, takes inputs as long as inputs and answers together, or a word for which it has no meaning.

    Bad:  "SM_NUM_GPUS": "4" on ml.g5.2xlarge
    Good: "SM_NUM_GPUS": "4" on ml.g5.12xlarge
    """
    for container in subject.serving:
        image, values = named_image(subject, container.image), container.settings.get("Environment", {})
        if image is None or image.repository not in _SHARDS or not isinstance(values, Mapping):
            continue
        at, placed = f"{container.at}/Environment", container.placed
        given = {name: text for name, value in values.items() if isinstance(text := literal(subject, value), str)}
        shards = _SHARDS[image.repository]
        wanted = _number(given, shards)
        for machine in machines_of(subject, placed) if wanted is not None else ():
            kind = literal(subject, machine.type)
            has = accelerators(kind) if isinstance(kind, str) else None
            if wanted is not None and has is not None and 0 < has < wanted:
                message = f"{shards} is {wanted}, and {kind} of {machine.placed.step.name!r} has {has}"
                yield Fault(f"{at}/{shards}", message, "lower it, or choose a larger instance type", placed)
        if image.repository == _TGI and "HF_MODEL_ID" not in values:
            message = "the container ends without HF_MODEL_ID"
            yield Fault(f"{at}/HF_MODEL_ID", message, "name a model, or /opt/ml/model for model data", placed)
        total = _number(given, "MAX_TOTAL_TOKENS")
        for name in _INPUTS:
            longest = _number(given, name)
            if total is not None and longest is not None and longest >= total:
                message = f"{name} is {longest}, which leaves nothing of MAX_TOTAL_TOKENS, {total}, for an answer"
                yield Fault(f"{at}/{name}", message, "lower it", placed)
        for name, (repository, choices) in _CHOICES.items():
            text = given.get(name)
            if text is not None and repository == image.repository and text not in choices:
                help_text = did_you_mean(text, choices) or f"one of {', '.join(choices)}"
                yield Fault(f"{at}/{name}", f"{name} is {shown(text)}, which the container lacks", help_text, placed)


def _number(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "")
    return int(text) if text.isdigit() and len(text) < 10 else None

"""A shadow before a shift: what is decided of counts, at any look, whole and by slice, and how it is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mlops.account import ShadowPair
from mlops.deploy.shifting import settings as promotion_settings
from mlops.deploy.shifting.mirroring import Mirrored, Mirroring, ShadowSamples, Tally, decided, with_look
from mlops.deploy.shifting.moves import by_weights
from mlops.deploy.shifting.samples import parsed, written
from mlops.deploy.shifting.shadowed_moves import shadow_first
from mlops.ir import ConfigurationError, Refusal
from mlops.ir.shift import Bake, Course, MakeConfig, Mirror, PointTo, Serving, Stage, Variant, after_all
from mlops.project.environments import read_project

from .test_comparing import seen

DECLARED = {"for": "1h", "disagree": "1%"}
LOOSE = Mirroring(3600.0, disagree=0.01, pairs=500)


def pair(same: bool = True, status: int = 200, shadow: int = 200, **more: Any) -> ShadowPair:
    usual = {"distance": None, "input": None, "answer": None, "shadow_answer": None, "attributes": None}
    given = {**usual, **more}
    return ShadowPair(1.0, "c", "blue", "green", "e", "i", status, shadow, 10, 12, same, **given)


def judged(mirroring: Mirroring, pairs: Sequence[ShadowPair], looks: int = 20, unknown: int = 0) -> ShadowSamples:
    """Looked at so many times on the way."""
    tally, samples = Tally(mirroring, "c"), ShadowSamples(DECLARED, "c", "green")
    size = max(1, len(pairs) // looks)
    for start in range(0, len(pairs), size):
        tally.add(pairs[start : start + size], unknown if start == 0 else 0)
        with_look(samples, tally, 0.0, float(start + 1), mirroring)
    return samples


def mixed(share: float, count: int, seed: int, **different: Any) -> list[ShadowPair]:
    chances = Random(seed)
    return [pair(False, **different) if chances.random() < share else pair() for _ in range(count)]


@pytest.mark.parametrize(
    ("pairs", "mirroring", "standing", "why"),
    [
        pytest.param(mixed(0.03, 2000, 1), LOOSE, "red", "and at most 1 % is wanted", id="three times as many"),
        pytest.param(mixed(0.005, 2000, 1), LOOSE, "green", "the shadow disagrees on", id="half as many"),
        pytest.param(
            mixed(0.03, 2000, 1, distance=0.05), replace(LOOSE, within=0.1), "green", "on 0 of", id="near enough"
        ),
        pytest.param(
            mixed(0.03, 2000, 1, distance=0.5), replace(LOOSE, within=0.1), "red", "disagrees on", id="too far"
        ),
        pytest.param(mixed(0.02, 2000, 1, shadow=500), LOOSE, "red", "it fails more often", id="fails more often"),
        pytest.param(mixed(0.5, 2000, 1, shadow=500, status=500), LOOSE, "green", "on 0 of", id="both fail"),
        pytest.param([pair()] * 40, LOOSE, "unsure", "40 of 500 pairs", id="too few"),
        pytest.param([pair()] * 500, replace(LOOSE, undecided="back"), "green", "on 0 of", id="proven"),
        pytest.param(
            mixed(0.008, 600, 3), replace(LOOSE, undecided="back"), "unsure", "not proven", id="neither is proven"
        ),
        pytest.param(
            [pair()._replace(config="other")] * 900, LOOSE, "unsure", "0 of 500", id="pairs of another configuration"
        ),
    ],
)
def test_what_is_decided_of_a_shadow(
    pairs: Sequence[ShadowPair], mirroring: Mirroring, standing: str, why: str
) -> None:
    look = judged(mirroring, pairs).looks[-1]
    assert look.standing == standing, look.why
    assert why in look.why


def test_a_slice_that_disagrees_is_told_where_the_whole_does_not() -> None:
    by = replace(LOOSE, slices="segment", payloads="s3://kept/here")
    chances = Random(5)
    pairs = []
    for number in range(4000):
        small = number % 20 == 0
        bad = small and chances.random() < 0.15
        pairs.append(pair(not bad, attributes=f"user={number};segment={'new' if small else 'old'}"))
    look = judged(by, pairs).looks[-1]
    assert look.standing == "red" and look.why.startswith("segment=new: the shadow disagrees on")
    assert "of 200 pairs" in look.why and "old" not in look.why
    assert (look.slices["new"].pairs, look.slices["old"].pairs) == (200, 3800)
    assert judged(LOOSE, pairs).looks[-1].standing == "green"


def test_requests_that_are_not_known_and_inputs_are_told() -> None:
    pairs = mixed(0.05, 1000, 2, input="1,2", answer="0.1", shadow_answer="0.9")
    samples = judged(LOOSE, pairs, unknown=7)
    assert "7 not shown to it or not kept" in samples.looks[-1].why
    assert len(samples.examples) == 20
    assert samples.examples[0].told == "inference id i: 1,2: said 0.1, and the shadow said 0.9"
    assert judged(LOOSE, mixed(0.05, 100, 2, distance=0.3)).examples[0].told.endswith("answered, 0.3 apart")


def test_samples_of_a_shadow_are_read_as_they_were_written() -> None:
    samples = replace(seen(), looks=[], shadow=judged(LOOSE, mixed(0.03, 900, 1)))
    assert parsed(written(samples)) == samples
    assert samples.began == 0.0


def ever_red(pairs: Sequence[ShadowPair], count: int) -> bool:
    """What was red at one look is red at the last."""
    tally, looks, size = Tally(LOOSE, "c"), list[Mirrored](), len(pairs) // count
    for start in range(0, len(pairs), size):
        tally.add(pairs[start : start + size], 0)
        looks.append(Mirrored(0.0, float(start), "unsure", "", tally.whole))
    return decided(LOOSE, looks).standing == "red"


@pytest.mark.deeper("verdicts")
def test_of_versions_that_disagree_as_often_as_they_may_few_are_called_worse(
    pytestconfig: pytest.Config,
) -> None:
    """Looked at a hundred times on the way."""
    tries = 500 if pytestconfig.getoption("--proof") else 40
    false = sum(ever_red(mixed(0.01, 1000, seed), 100) for seed in range(tries))
    assert false <= 0.05 * tries + 3 * (0.05 * 0.95 * tries) ** 0.5
    found = sum(ever_red(mixed(0.03, 1000, seed), 20) for seed in range(tries // 4))
    assert found >= 0.9 * (tries // 4)


OLD = Serving(
    "before", (Variant("blue", {"VariantName": "blue", "ModelName": "m1", "InstanceType": "ml.m5.large"}, 1.0, 4),)
)
NEW = Variant("green", {"ModelName": "m2", "InstanceType": "ml.m5.large"}, 1.0, 4)


def test_a_shadow_comes_first_and_what_serves_stays_as_it_is() -> None:
    mirroring = Mirroring(60.0, share=50.0, payloads="s3://acme/shadows")
    first = shadow_first(mirroring, "churn", OLD, NEW, {"KmsKeyId": "k"}, prefix="churn-2")
    make, point, mirror, back = first
    assert isinstance(make, MakeConfig) and isinstance(point, PointTo)
    (shadow,) = make.request["ShadowProductionVariants"]
    assert (shadow["ModelName"], shadow["InitialVariantWeight"], shadow["InitialInstanceCount"]) == ("m2", 0.5, 2)
    assert make.request["ProductionVariants"][0]["InitialInstanceCount"] == 4
    assert make.request["DataCaptureConfig"]["DestinationS3Uri"] == "s3://acme/shadows"
    assert (mirror, back) == (Mirror(50.0, 60.0), PointTo(OLD))
    assert after_all(OLD, first) == OLD
    course = Course((Stage(10.0, 60.0), Stage(100.0)))
    moves = (*first, *by_weights(course, OLD, NEW, {}, count=4, prefix="churn-2"))
    assert [move for move in moves if isinstance(move, Bake)] == [Bake(1, 10.0, 60.0)]
    # Payloads are kept as the endpoint has it, or not at all.
    own = {"DataCaptureConfig": {"DestinationS3Uri": "s3://own"}}
    (kept, *_) = shadow_first(mirroring, "churn", OLD, NEW, own, prefix="c")
    (bare, *_) = shadow_first(replace(mirroring, payloads=None), "churn", OLD, NEW, {}, prefix="c")
    assert isinstance(kept, MakeConfig) and kept.request["DataCaptureConfig"] == own["DataCaptureConfig"]
    assert isinstance(bare, MakeConfig) and "DataCaptureConfig" not in bare.request


@pytest.mark.parametrize(
    ("old", "members", "what"),
    [
        (replace(OLD, variants=(*OLD.variants, replace(NEW, name="other"))), {}, "several variants"),
        (OLD, {"ShadowProductionVariants": [{}]}, "another shadow"),
        (OLD, {"AsyncInferenceConfig": {"OutputConfig": {}}}, "asynchronous"),
        (replace(OLD, variants=(replace(OLD.variants[0], request={"ServerlessConfig": {"x": 1}}),)), {}, "serverless"),
    ],
)
def test_what_a_shadow_does_not_go_with_is_refused(old: Serving, members: dict[str, Any], what: str) -> None:
    with pytest.raises(Refusal, match=what):
        shadow_first(LOOSE, "churn", old, NEW, members, prefix="churn-2")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        pytest.param('{ for = "10m", disagree = "2%", within = 0.01, share = 50 }', None, id="whole"),
        pytest.param("{ disagree = 0.1 }", "says how long", id="no time"),
        pytest.param("{ for = true }", "says how long", id="no duration"),
        pytest.param('{ for = "10 parsecs" }', "parsecs", id="another unit"),
        pytest.param("{ for = 60, share = 0 }", "from 1 to 100", id="no request"),
        pytest.param('{ for = 60, disagree = "0%" }', "between 0 and 1", id="no disagreement at all"),
        pytest.param('{ for = 60, slices = "segment" }', "payloads = true", id="slices without payloads"),
        pytest.param("{ for = 60, shaer = 5 }", "shaer", id="a key that is none"),
        pytest.param("{ for = 60, within = -1 }", "0 or more", id="nearer than near"),
    ],
)
def test_how_a_shadow_is_declared(tmp_path: Path, written: str, text: str | None) -> None:
    (tmp_path / "mlops.toml").write_text(f"[env.local.promote]\nshadow = {written}\n")
    environment = read_project(tmp_path).environment("local")
    if text is None:
        found = promotion_settings.read(environment, tmp_path).shadow
        assert found == Mirroring(600.0, 50.0, 0.02, 0.01)
        return
    with pytest.raises(ConfigurationError, match=text) as error:
        promotion_settings.read(environment, tmp_path)
    assert "mlops.toml" in str(error.value)


def test_a_shadow_of_an_account_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text(
        '[env.prod]\naccount = "123456789012"\nregion = "eu-west-1"\nrole = "arn:aws:iam::123456789012:role/r"\n'
        'bucket = "acme"\n[env.prod.promote]\nshadow = { for = "1h" }\n'
    )
    with pytest.raises(ConfigurationError, match="in the local account only"):
        promotion_settings.read(read_project(tmp_path).environment("prod"), tmp_path)

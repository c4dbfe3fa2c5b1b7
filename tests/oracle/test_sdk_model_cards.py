"""The official SDK's own model of a package's card takes what a step of ours carries, and keeps all of it."""

from __future__ import annotations

import pytest

from mlops.knowledge.model_cards import fields, for_package

pytestmark = pytest.mark.proof("sdk")

CARD = {
    "model_overview": {"model_creator": "ada", "model_owner": "growth", "model_artifact": ["s3://b/model.tar.gz"]},
    "model_package_details": {"model_package_group_name": "churn"},
    **{
        section: {name: "Low" if item.choices else "said" for name, item in fields().items() if item.section == section}
        for section in ("intended_uses", "business_details")
    },
    "training_details": {
        "training_observations": "said",
        "training_job_details": {
            "training_arn": "arn:aws:sagemaker:us-east-1:111122223333:training-job/a",
            "training_datasets": ["s3://b/train"],
            "training_environment": {"container_image": ["image"]},
            "training_metrics": [{"name": "auc", "value": 0.9}],
            "hyper_parameters": [{"name": "depth", "value": "4"}],
        },
    },
    "evaluation_details": [
        {
            "name": "quality",
            "datasets": ["s3://b/test"],
            "metadata": {"verdict": "green"},
            "metric_groups": [
                {
                    "name": "binary",
                    "metric_data": [
                        {"name": "auc", "type": "number", "value": 0.5},
                        {"name": "roc", "type": "linear_graph", "value": [[0.0, 0.0], [1.0, 1.0]]},
                        {"name": "confusion", "type": "matrix", "value": [[1.0, 2.0], [3.0, 4.0]]},
                    ],
                }
            ],
        }
    ],
    "additional_information": {"ethical_considerations": "said", "custom_details": {"ticket": "1"}},
}


def test_the_sdk_takes_a_card_of_a_package() -> None:
    from sagemaker.core.shapes.model_card_shapes import ModelCardContent

    ours = for_package(CARD)
    assert ours.keys() == CARD.keys() - {"model_package_details"}
    assert ModelCardContent.model_validate(ours).model_dump(exclude_none=True, mode="json") == ours

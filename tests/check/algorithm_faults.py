"""Ten faults and more for each of Amazon's own algorithms, a row each: what the developer guide says, broken.

``V`` of a row is a hyperparameter's value, GONE takes it away; ``C`` the channels in place of the sound ones, ``T`` the
range of a tuning job, ``M`` its metric with the direction, ``W`` other members of the request. The code is what tells it.
"""

# ruff: noqa: E501 - one row, one line
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sound_definition import GONE


@dataclass(frozen=True, slots=True)
class Planted:
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)
    channels: Mapping[str, str | None] | None = None
    tuned: tuple[str, str] | None = None
    metric: tuple[str, str] | None = None
    others: Mapping[str, Any] = field(default_factory=dict)


def V(code: str, **values: Any) -> Planted:
    return Planted(code, values=values)


def C(**channels: str | None) -> Planted:
    return Planted("X851", channels=channels)


def T(kind: str, name: str) -> Planted:
    return Planted("X857", tuned=(kind, name))


def M(name: str, direction: str) -> Planted:
    return Planted("X857", metric=(name, direction))


def W(code: str, **others: Any) -> Planted:
    return Planted(code, others=others)


CPU, GPU, NEURON = "ml.m5.xlarge", "ml.p3.2xlarge", "ml.trn1.2xlarge"
CSV, RECORDS, JSON, LINES = "text/csv", "application/x-recordio-protobuf", "application/json", "application/jsonlines"

FAULTS: Mapping[str, tuple[Planted, ...]] = {
    "blazingtext": (
        V("X850", mode=GONE), V("X850", mode="skip_gram"), V("X850", epochs="five"), V("X850", vector_dim="0"),
        V("X850", subwords="yes"), V("X850", learning_rate="-0.05"), V("X855", epoch="5"), V("X858", word_ngrams="3"),
        V("X858", mode="supervised", window_size="7"), C(training=None), W("X856", machine=NEURON), W("X851", mode="FastFile"),
        T("Continuous", "epochs"), T("Integer", "subwords"), M("validation:accuracy", "Minimize"),
    ),
    "factorization-machines": (
        V("X850", feature_dim=GONE), V("X850", num_factors=GONE), V("X850", predictor_type=GONE), V("X850", predictor_type="classifier"),
        V("X850", epochs="1.5"), V("X850", bias_init_method="zeros"), V("X850", factors_lr="-1"), V("X850", feature_dim="0"),
        V("X855", num_factor="64"), V("X858", bias_init_value="3"), C(train=CSV), C(train=RECORDS, validation=RECORDS),
        W("X851", mode="FastFile"), W("X856", machine=NEURON), T("Integer", "bias_lr"), M("test:rmse", "Maximize"), M("test:rmse", "Minimize"),
    ),
    "forecasting-deepar": (
        V("X850", time_freq=GONE), V("X850", context_length=GONE), V("X850", prediction_length=GONE), V("X850", epochs=GONE),
        V("X850", time_freq="hourly"), V("X850", likelihood="normal"), V("X850", dropout_rate="1.5"), V("X850", num_cells="many"),
        V("X850", learning_rate="0"), V("X850", cardinality="[-1]"), V("X850", num_dynamic_feat="none"), V("X855", context="72"), C(train=CSV), C(train=JSON, validation=JSON), W("X851", mode="Pipe"),
        T("Categorical", "num_cells"), T("Integer", "prediction_length"), M("test:RMSE", "Maximize"), M("train:RMSE", "Minimize"),
    ),
    "image-classification": (
        V("X850", num_classes=GONE), V("X850", num_training_samples=GONE), V("X850", num_layers="51"), V("X850", optimizer="adagrad"),
        V("X850", image_shape="224x224"), V("X850", momentum="1.5"), V("X850", precision_dtype="bfloat16"), V("X850", epochs="0"),
        V("X850", multi_label="yes"), V("X850", lr_scheduler_step="ten"), V("X855", num_class="257"), V("X858", beta_1="0.5"), V("X858", early_stopping_patience="9"),
        C(train="application/x-recordio"), C(train=CSV, validation="application/x-recordio"), W("X856", machine=CPU),
        T("Integer", "learning_rate"), T("Integer", "epochs"), M("validation:accuracy", "Minimize"),
    ),
    "ipinsights": (
        V("X850", num_entity_vectors=GONE), V("X850", vector_dim=GONE), V("X850", vector_dim="2"), V("X850", vector_dim="5000"),
        V("X850", epochs="0"), V("X850", num_ip_encoder_layers="101"), V("X850", learning_rate="fast"), V("X850", random_negative_sampling_rate="501"),
        V("X850", weight_decay="11"), V("X855", num_entities="20000"), C(train=RECORDS), C(train=CSV, test=CSV), W("X851", mode="Pipe"),
        T("Continuous", "vector_dim"), M("validation:discriminator_auc", "Minimize"),
    ),
    "kmeans": (
        V("X850", k=GONE), V("X850", feature_dim=GONE), V("X850", k="ten"), V("X850", k="0"), V("X850", init_method="k-means++"),
        V("X850", eval_metrics='["rmse"]'), V("X850", local_lloyd_tol="2"), V("X850", extra_center_factor="automatic"), V("X855", n_clusters="10"),
        C(train=JSON), C(training=CSV), C(train=CSV, validation=CSV), W("X851", mode="FastFile"), W("X856", machine=NEURON),
        T("Continuous", "epochs"), T("Integer", "k"), M("test:msd", "Maximize"),
    ),
    "knn": (
        V("X850", k=GONE), V("X850", feature_dim=GONE), V("X850", predictor_type=GONE), V("X850", sample_size=GONE),
        V("X850", predictor_type="binary_classifier"), V("X850", index_type="faiss.HNSW"), V("X850", index_metric="l2"), V("X850", k="0"),
        V("X850", dimension_reduction_type="sign"), V("X850", dimension_reduction_type="pca"), V("X855", neighbors="10"), V("X858", faiss_index_pq_m="4"),
        C(train=LINES), C(train=CSV, validation=CSV), W("X851", mode="FastFile"), T("Integer", "feature_dim"), M("test:accuracy", "Minimize"), M("test:mse", "Minimize"),
    ),
    "lda": (
        V("X850", num_topics=GONE), V("X850", feature_dim=GONE), V("X850", mini_batch_size=GONE), V("X850", num_topics="few"),
        V("X850", alpha0="0"), V("X850", max_iterations="0"), V("X850", tol="-1"), V("X855", topics="5"), C(train=JSON), C(train=CSV, validation=CSV),
        W("X851", mode="FastFile"), W("X856", machine=GPU), W("X856", count=2), T("Integer", "alpha0"), M("test:pwll", "Minimize"),
    ),
    "linear-learner": (
        V("X850", predictor_type=GONE), V("X850", predictor_type="classifier"), V("X850", predictor_type="multiclass_classifier"),
        V("X850", predictor_type="multiclass_classifier", num_classes="2"), V("X850", loss="mse"), V("X850", epochs="0"), V("X850", learning_rate="quick"),
        V("X850", optimizer="adagrad"), V("X850", normalize_data="maybe"), V("X850", predictor_type="regressor", loss="quantile_loss", quantile="1"), V("X855", batch_size="100"), V("X858", quantile="0.9"),
        V("X858", num_classes="10"), V("X858", lr_scheduler_step="10", use_lr_scheduler="false"), C(train=JSON), C(validation=CSV),
        W("X851", mode="FastFile"), W("X856", machine=NEURON), T("Integer", "wd"), T("Integer", "epochs"), M("validation:objective_loss", "Maximize"), M("validation:mse", "Minimize"),
    ),
    "ntm": (
        V("X850", num_topics=GONE), V("X850", feature_dim=GONE), V("X850", num_topics="1"), V("X850", epochs="0"), V("X850", encoder_layers_activation="elu"),
        V("X850", optimizer="ftrl"), V("X850", learning_rate="2"), V("X850", mini_batch_size="20000"), V("X850", tolerance="0.2"), V("X850", encoder_layers="[100, -3]"), V("X855", topics="20"),
        C(train=JSON), C(train=CSV, vocabulary=None), W("X851", mode="FastFile"), T("Integer", "learning_rate"), T("Integer", "num_topics"), M("validation:total_loss", "Maximize"),
    ),
    "object-detection": (
        V("X850", num_classes=GONE), V("X850", num_training_samples=GONE), V("X850", base_network="resnet-101"), V("X850", optimizer="nag"),
        V("X850", image_shape="299"), V("X850", nms_threshold="1.1"), V("X850", kv_store="local"), V("X850", learning_rate="high"), V("X850", lr_scheduler_step="a,b"), V("X855", num_class="20"),
        V("X858", early_stopping_patience="9"), V("X858", optimizer="adam", momentum="0.5"), C(train="application/x-recordio"),
        W("X856", machine=CPU), T("Integer", "momentum"), T("Integer", "epochs"), M("validation:mAP", "Minimize"),
    ),
    "object2vec": (
        V("X850", enc0_max_seq_len=GONE), V("X850", enc0_vocab_size=GONE), V("X850", enc0_network="lstm"), V("X850", enc1_network="cnn"),
        V("X850", output_layer="sigmoid"), V("X850", dropout="2"), V("X850", enc_dim="2"), V("X850", epochs="101"), V("X850", mlp_activation="gelu"), V("X850", comparator_list="hadamard, add"),
        V("X850", num_classes="1"), V("X855", enc0_seq_len="20"), C(train=CSV), C(train=LINES, eval=LINES), W("X851", mode="Pipe"), W("X856", count=2),
        T("Continuous", "epochs"), M("validation:mean_squared_error", "Maximize"),
    ),
    "pca": (
        V("X850", feature_dim=GONE), V("X850", mini_batch_size=GONE), V("X850", num_components=GONE), V("X850", num_components="some"),
        V("X850", algorithm_mode="exact"), V("X850", subtract_mean="perhaps"), V("X850", feature_dim="0"), V("X850", mini_batch_size="2.5"), V("X855", n_components="10"),
        C(train=JSON), C(training=CSV), C(train=CSV, validation=CSV), W("X851", mode="FastFile"), W("X856", machine=NEURON),
    ),
    "randomcutforest": (
        V("X850", feature_dim=GONE), V("X850", feature_dim="wide"), V("X850", num_trees="10"), V("X850", num_trees="2000"),
        V("X850", num_samples_per_tree="4096"), V("X850", num_samples_per_tree="0"), V("X850", eval_metrics='["auc"]'), V("X855", n_trees="100"),
        C(train=JSON), C(train="text/csv;label_size=1"), C(train=CSV, test="text/csv;label_size=0"), C(train=CSV, validation=CSV), W("X851", mode="FastFile"), W("X856", machine=GPU), T("Continuous", "num_trees"),
        T("Integer", "feature_dim"), M("test:f1", "Minimize"),
    ),
    "semantic-segmentation": (
        V("X850", num_classes=GONE), V("X850", num_training_samples=GONE), V("X850", backbone="vgg-16"), V("X850", algorithm="unet"),
        V("X850", lr_scheduler="linear"), V("X850", num_classes="300"), V("X850", crop_size="8"), V("X850", epochs="none"), V("X850", lr_scheduler="step"),
        V("X850", syncbn="on"), V("X855", num_class="21"), V("X858", gamma1="0.5"), V("X858", early_stopping_patience="9"),
        C(train=None, validation=None), W("X856", machine=CPU), W("X856", count=2), T("Integer", "learning_rate"), M("validation:mIOU", "Minimize"),
    ),
    "seq2seq": (
        V("X850", batch_size="0"), V("X850", encoder_type="lstm"), V("X850", rnn_cell_type="rnn"), V("X850", optimizer_type="adamw"),
        V("X850", max_seq_len_source="long"), V("X850", embed_dropout_source="2"), V("X850", bucketing_enabled="sometimes"), V("X850", optimized_metric="rouge"),
        V("X855", epochs="10"), V("X858", fixed_rate_lr_half_life="20"), C(train=None, validation=None), C(train=None, vocab=None), W("X851", mode="Pipe"),
        W("X856", machine=CPU), W("X856", count=2), T("Continuous", "batch_size"), M("validation:perplexity", "Maximize"),
    ),
    "xgboost": (
        V("X850", num_round=GONE), V("X850", num_round="fifty"), V("X850", num_round="0"), V("X850", objective="reg:squared"), V("X850", eta="3"),
        V("X850", booster="gbforest"), V("X850", subsample="0"), V("X850", max_depth="5.5"), V("X850", objective="multi:softmax"), V("X850", tree_method="fast"),
        V("X850", tree_method="exact", grow_policy="lossguide"), V("X850", process_type="update"), C(train="text/csv;label_size=0"),
        V("X855", num_rounds="50"), V("X855", n_estimators="50"), V("X858", rate_drop="0.3"), V("X858", num_class="4"), V("X858", tweedie_variance_power="1.2"),
        C(train=JSON), C(training=CSV), C(train=CSV, test=CSV), W("X856", machine=NEURON), T("Integer", "eta"), T("Integer", "seed"),
        M("validation:rmse", "Maximize"), M("validation:rsme", "Minimize"),
    ),
}  # fmt: skip

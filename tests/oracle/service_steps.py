"""The same steps as in sdk_service_steps.py, written with mlops."""

from mlops import (
    EMR,
    Action,
    After,
    Artifact,
    Association,
    Callback,
    Cleanup,
    DataBiasCheck,
    DataQualityCheck,
    EmrApplication,
    EmrCluster,
    EMRServerless,
    Endpoint,
    EndpointConfig,
    Experiment,
    ExplainabilityCheck,
    Fail,
    ForEach,
    InferenceComponent,
    Job,
    Lambda,
    Lineage,
    Mlflow,
    ModelBiasCheck,
    ModelQualityCheck,
    NotebookJob,
    Objects,
    Pipeline,
    any_of,
    compare,
    execution,
    join,
    when,
)

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function"
SERVER = "arn:aws:sagemaker:us-east-1:111122223333:mlflow-tracking-server/team"
ROLE = "arn:aws:iam::111122223333:role/pipelines"

with Pipeline("services", experiment=Experiment("churn"), mlflow=Mlflow(SERVER, "runs")) as pipeline:
    names = pipeline.string("Names", default='[{"name": "a", "a": {"b": 1}}]')
    rate = pipeline.float("Rate", default=0.5)
    depth = pipeline.integer("Depth", default=3)
    strict = pipeline.boolean("Strict", default=True)

    gate = Lambda(
        "Gate",
        function=f"{FUNCTION}:gate",
        inputs={"rate": rate, "k": 3, "text": "x"},
        outputs={"score": float, "count": int, "ok": bool, "path": str},
        cache="P7D",
        description="may it go on?",
    )
    ask = Callback(
        "Ask",
        queue="https://sqs.us-east-1.amazonaws.com/111122223333/approvals",
        inputs={"score": gate.outputs["score"]},
        outputs={"approved": bool},
        display_name="Ask somebody",
    )
    spark = EMR(
        "Spark",
        jar="s3://acme-ml/job.jar",
        cluster="j-ABC",
        args=["--depth", join(depth)],
        main_class="com.acme.Main",
        properties={"k": "v"},
        outputs={"output": "s3://acme-ml/spark/"},
        role=ROLE,
        after=[ask],
    )
    cluster = EMR(
        "Cluster",
        jar="s3://acme-ml/job.jar",
        cluster=EmrCluster(
            release="emr-7.1.0",
            applications=["Spark"],
            count=3,
            role="EMR_EC2_DefaultRole",
            service_role="EMR_DefaultRole",
        ),
        cache="P7D",
    )
    EMRServerless("SparkServerless", application="00fa", script="s3://acme-ml/job.py", args=["--x"], timeout=60)
    hive = EMRServerless("Hive", application=EmrApplication("emr-7.1.0", "HIVE"), query="s3://acme-ml/q.sql")

    configure = EndpointConfig("Configure", model="churn-model", config="churn-config")
    serve = Endpoint("Serve", config=configure.config_name, endpoint="churn")
    InferenceComponent(
        "Component",
        component="churn-component",
        endpoint="components",  # an endpoint whose variant has no model of its own
        variant="AllTraffic",
        model="churn-model",
        memory=1024,
        cpus=1,
        copies=2,
    )

    run = Action("fit", "s3://acme-ml/run", "ModelTraining")
    model = Artifact("model", spark.outputs["output"], "Model")
    record = Lineage(
        "Record",
        entities=[run, model],
        associations=[
            Association(run, model, "Produced"),
            Association("arn:aws:sagemaker:us-east-1:111122223333:artifact/0", run),
        ],
    )
    tune = Job(
        "TuneAgent",
        category="AgentRFT",
        config={"Depth": names, "OutputDataConfig": {}, "Epochs": 2},
        to="s3://acme-ml/agents",
    )

    with ForEach("Each", names, concurrency=2) as each:
        fit = Lambda(
            "Fit",
            function=f"{FUNCTION}:fit",
            inputs={"name": each.item["name"], "deep": each.item.property("a.b"), "all": each.item},
            outputs={"score": float, "path": str},
        )
        each.select_min(fit.outputs["score"])
    with ForEach("Items", [{"n": 1}, "plain", 3, depth], concurrency=50) as items:
        Lambda("Echo", function=f"{FUNCTION}:echo", inputs={"item": items.item})
    Lambda(
        "Tell",
        function=f"{FUNCTION}:tell",
        inputs={
            "best": each.selected(fit.outputs["path"]),
            "first": each.iteration(0, fit.outputs["score"]),
            "n": each.item_count,
            "failed": each.failed_count,
            "status": each.status,
            "arn": record.arn(model),
            "result": tune.property("JobConfigDocument"),
        },
        after=[After(spark, "Failed"), After(cluster, "Stopped"), After(hive, "Any"), gate],
    )
    Cleanup(
        "Clean",
        sources=[spark, Objects(cluster, [join("s3://acme-ml", "x.csv", on="/")])],
        after=[After(cluster, "Any")],
    )

    quality = DataQualityCheck(
        "DataQuality",
        data="s3://acme-data/d.csv",
        preprocessor="s3://acme-ml/code/pre.py",
        postprocessor="s3://acme-ml/code/post.py",
        group="churn",
        fail_on_violation=strict,
        to="s3://acme-ml/dq",
        max_runtime=1800,
    )
    ModelQualityCheck(
        "ModelQuality",
        data=gate.outputs["path"],
        format="json",
        problem="BinaryClassification",
        probability=0,
        truth="$.y",
        threshold=0.5,
        skip=True,
        register_baseline=True,
        baseline_statistics="s3://acme-ml/s.json",
        baseline_constraints=quality.constraints,
        to="s3://acme-ml/mq",
        max_runtime=1800,
    )

    DataBiasCheck(
        "DataBias",
        data="s3://acme-data/d.csv",
        config="s3://acme-ml/bias/analysis_config.json",
        to="s3://acme-ml/bias",
        group="churn",
        max_runtime=1800,
    )
    ModelBiasCheck(
        "ModelBias",
        data="s3://acme-data/d.csv",
        model="churn-model",
        config="s3://acme-ml/model-bias/analysis_config.json",
        to="s3://acme-ml/model-bias",
        skip=True,
        max_runtime=1800,
    )
    ExplainabilityCheck(
        "Explain",
        data="s3://acme-data/d.csv",
        model=gate.outputs["path"],
        config="s3://acme-ml/explain/analysis_config.json",
        to="s3://acme-ml/explain",
        skip=True,
        max_runtime=1800,
    )
    NotebookJob(
        "Report",
        notebook="report.ipynb",
        image="885854791233.dkr.ecr.us-east-1.amazonaws.com/sagemaker-distribution-prod:1-cpu",
        parameters={"week": names},
        environment={"A": "b"},
        script="setup.sh",
    )

    stop = (
        any_of(~(gate.outputs["ok"] == True), any_of(rate > 0.9, depth < 1))  # noqa: E712 - a reference
        & names.in_("x", execution.pipeline_name)
        & ~~compare(0.1, "<", rate)
    )
    with when(stop, "Decide", after=[ask], display_name="Go on?") as decision:
        Fail("Stop", join("stopped at", execution.start_time, on=" "))
    with decision.otherwise():
        Fail("Quiet")

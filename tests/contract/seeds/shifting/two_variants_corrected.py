import boto3

client = boto3.client("sagemaker")

# Both versions stand in one configuration; the new one has no traffic until it is up.
client.create_endpoint_config(
    EndpointConfigName="dual-variant-config-corrected",
    ProductionVariants=[
        {
            "VariantName": "ExistingModel",
            "ModelName": "existing-model",
            "InstanceType": "ml.c5.xlarge",
            "InitialInstanceCount": 2,
            "InitialVariantWeight": 1.0,
        },
        {
            "VariantName": "NewModel",
            "ModelName": "new-model",
            "InstanceType": "ml.c5.xlarge",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": 0.0,
        },
    ],
)

# Without this the counts that scaling gave are set back.
client.update_endpoint(
    EndpointName="my-production-endpoint",
    EndpointConfigName="dual-variant-config-corrected",
    RetainAllVariantProperties=True,
)


def wait():
    waiter = client.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="my-production-endpoint", WaiterConfig={"Delay": 1, "MaxAttempts": 1800})


wait()

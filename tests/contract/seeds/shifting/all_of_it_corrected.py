# As many instances as served before, then all of the traffic, then the old version out: else it stays billed.
client.update_endpoint_weights_and_capacities(
    EndpointName="my-production-endpoint",
    DesiredWeightsAndCapacities=[{"VariantName": "NewModel", "DesiredInstanceCount": 2}],
)
wait()
client.update_endpoint_weights_and_capacities(
    EndpointName="my-production-endpoint",
    DesiredWeightsAndCapacities=[
        {"VariantName": "ExistingModel", "DesiredWeight": 0},
        {"VariantName": "NewModel", "DesiredWeight": 1},
    ],
)
wait()
judge(100)
client.create_endpoint_config(
    EndpointConfigName="new-model-config-corrected",
    ProductionVariants=[
        {
            "VariantName": "NewModel",
            "ModelName": "new-model",
            "InstanceType": "ml.c5.xlarge",
            "InitialInstanceCount": 2,
            "InitialVariantWeight": 1.0,
        }
    ],
)
client.update_endpoint(
    EndpointName="my-production-endpoint",
    EndpointConfigName="new-model-config-corrected",
    RetainAllVariantProperties=True,
)
wait()

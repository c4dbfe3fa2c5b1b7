# Instances come before their traffic; each change has to end before the next one is taken.
for share, instances in ((5, 1), (25, 1), (50, 1)):
    client.update_endpoint_weights_and_capacities(
        EndpointName="my-production-endpoint",
        DesiredWeightsAndCapacities=[{"VariantName": "NewModel", "DesiredInstanceCount": instances}],
    )
    wait()
    client.update_endpoint_weights_and_capacities(
        EndpointName="my-production-endpoint",
        DesiredWeightsAndCapacities=[
            {"VariantName": "ExistingModel", "DesiredWeight": 100 - share},
            {"VariantName": "NewModel", "DesiredWeight": share},
        ],
    )
    wait()
    judge(share)

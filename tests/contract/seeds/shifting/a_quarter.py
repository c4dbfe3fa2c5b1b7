# トラフィック比率を調整（25%に増加）
response = client.update_endpoint_weights_and_capacities(
    EndpointName='my-production-endpoint',
    DesiredWeightsAndCapacities=[
        {
            'VariantName': 'ExistingModel',
            'DesiredWeight': 0.75  # 75%に減少
        },
        {
            'VariantName': 'NewModel',
            'DesiredWeight': 0.25  # 25%に増加
        }
    ]
)

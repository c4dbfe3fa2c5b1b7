# 完全に新モデルへ移行
response = client.update_endpoint_weights_and_capacities(
    EndpointName='my-production-endpoint',
    DesiredWeightsAndCapacities=[
        {
            'VariantName': 'ExistingModel',
            'DesiredWeight': 0.0  # 0%に減少
        },
        {
            'VariantName': 'NewModel',
            'DesiredWeight': 1.0  # 100%に増加
        }
    ]
)

import boto3

# SageMakerクライアントの初期化
client = boto3.client('sagemaker')

# 新しいエンドポイント設定の作成
response = client.create_endpoint_config(
    EndpointConfigName='dual-variant-config',
    ProductionVariants=[
        {
            'VariantName': 'ExistingModel',
            'ModelName': 'existing-model',
            'InstanceType': 'ml.c5.xlarge',
            'InitialInstanceCount': 2,
            'InitialVariantWeight': 0.95  # 95%のトラフィック
        },
        {
            'VariantName': 'NewModel',
            'ModelName': 'new-model',
            'InstanceType': 'ml.c5.xlarge',
            'InitialInstanceCount': 1,
            'InitialVariantWeight': 0.05  # 5%のトラフィック
        }
    ]
)

# エンドポイントの更新
response = client.update_endpoint(
    EndpointName='my-production-endpoint',
    EndpointConfigName='dual-variant-config'
)

"""Endpoints, declared beside pipelines. How the traffic of one that serves goes to another configuration is
:mod:`mlops.deploy.endpoints`'s."""

from __future__ import annotations

from mlops.ir.resource import Call, ResourceType

RESOURCE_TYPE = ResourceType(
    type="endpoint",
    service="sagemaker",
    cloudformation="AWS::SageMaker::Endpoint",
    describe=lambda name: (Call("DescribeEndpoint", {"EndpointName": name}),),
    read=lambda reply: {"EndpointConfigName": reply["EndpointConfigName"]},
    create=lambda name, properties: (Call("CreateEndpoint", {"EndpointName": name, **properties}),),
    update=lambda name, properties: (
        Call("UpdateEndpoint", {"EndpointName": name, "EndpointConfigName": properties["EndpointConfigName"]}),
    ),
    delete=lambda name, inside: (Call("DeleteEndpoint", {"EndpointName": name}),),
    permissions=("sagemaker:AddTags",),
    templated=lambda name, properties: {"EndpointName": name, **properties},
)

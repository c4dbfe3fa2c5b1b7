"""``from mlops.resources import Model``: what :mod:`mlops.declare.resources` has."""

from mlops.declare.resources import Asynchronous as Asynchronous
from mlops.declare.resources import Capture as Capture
from mlops.declare.resources import Container as Container
from mlops.declare.resources import Endpoint as Endpoint
from mlops.declare.resources import EndpointConfig as EndpointConfig
from mlops.declare.resources import Model as Model
from mlops.declare.resources import ModelData as ModelData
from mlops.declare.resources import Network as Network
from mlops.declare.resources import Serverless as Serverless
from mlops.declare.resources import Variant as Variant
from mlops.declare.resources import by_environment as by_environment

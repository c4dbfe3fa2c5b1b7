"""What serves, declared beside pipelines or in a file of its own: ``from mlops import resources``.

Each type of resource takes the arguments of the step of its name, and is checked by the same rules. ``mlops plan`` and
``mlops upsert`` treat it as they do a pipeline.
"""

from mlops.declare.containers import Container as Container
from mlops.declare.containers import ModelData as ModelData
from mlops.declare.resources.by_environment import by_environment as by_environment
from mlops.declare.resources.endpoint import Endpoint as Endpoint
from mlops.declare.resources.endpoint_config import Asynchronous as Asynchronous
from mlops.declare.resources.endpoint_config import EndpointConfig as EndpointConfig
from mlops.declare.resources.model import Model as Model
from mlops.declare.steps.endpoint_config import Capture as Capture
from mlops.declare.steps.endpoint_config import Serverless as Serverless
from mlops.declare.steps.endpoint_config import Variant as Variant
from mlops.declare.steps.shared_arguments import Network as Network

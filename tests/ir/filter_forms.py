"""Forms of a filter that the service documents, and some that it does not: reading and checking are asked by them."""

from __future__ import annotations

DOCUMENTED = [
    # The guide's table of operators and its examples (batch-transform-data-processing)
    "$", "$.id", "$.id.*", "$['id','SageMakerOutput']", "$[1]", "$[1,3,5]", "$[-1]", "$[2:5]", "$[:5]", "$[2:]",
    "$.field1.['child1','child2']", "$[1:4]", "$.features", "$[0]", "$[1:]",
    # CreateTransformJob's API reference
    "$[0,5:]",
    # AWS's notebooks
    "$[0,-1]", "$[-1]", "$['SageMakerOutput']", "$.SageMakerOutput",
]  # fmt: skip
UNKNOWN = [
    "", "a", "SageMakerOutput", "@.id", "$..a", "$.id..b", "$[", "$[?(@.a)]", "$[(@.length-1)]", "$['a]", "$.a b",
    "$[a]", "$" + ".a" * 32, "$[0:2,246:]", "$[1:2,3:4,5]", "$[::2]", "$[0:9:3]", "$.a.length()", "$.", "$.a.", "$[]",
    "$['']", "$[1,]", "$[,1]", "$['a',0]", '$["a"]', "$.field1.['child1','child2.grandchild']", "$id", "$*", "$.$",
    "$[1.5]",
]  # fmt: skip

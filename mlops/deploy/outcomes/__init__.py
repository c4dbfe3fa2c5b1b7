"""What became of requests: conversions, ratings, labels, which come when a request is long answered.

Comes in: outcomes by inference id, and the lines that data capture keeps of requests. Goes out: how often which value
was seen of a variant's requests of a period. Outcomes lie as the Ground Truth that SageMaker's Model Monitor merges.
"""

"""What is known of SageMaker's own things and stands in no service model: data files, each with its source and date.

Checking judges by them, running behaves by them; neither may import the other, so they lie below both.
"""

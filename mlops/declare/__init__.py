"""The language in which pipelines are written.

Objects here remember what the author wrote and where; :mod:`mlops.declare.lower` turns them into the IR. A misuse is
recorded as a finding and loading goes on, so that one run of ``mlops check`` tells all of them.
"""

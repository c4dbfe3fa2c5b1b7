"""What an endpoint keeps of payloads: requests and answers that are captured, and pairs of a shadow's answers
with those beside it.

The router says of each request that somebody wants to see how it ended (:mod:`.seen`); a thread of its own makes lines
of them (:mod:`.lines`, :mod:`.pairs`) and writes those (:mod:`.keeper`). No request waits for that: what would
take more memory than there is room for is dropped, and counted.
"""

"""One file per rule or family of rules; a new file is found by itself.

Codes: G1xx graph, S2xx request shapes, R3xx references, P4xx parameters, E5xx document and step members, C6xx
conditions, X7xx and X8xx what several members or steps must agree on.
"""

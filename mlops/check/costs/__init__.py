"""What a definition costs by a file of prices: a definition comes in, sums with their bounds go out. No account is
asked.

Each kind of thing that costs is a file of its own; ``sums`` puts them together. What is not known is told and never 0.
"""

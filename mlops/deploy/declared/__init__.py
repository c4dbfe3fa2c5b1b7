"""What a file declares beside its pipelines, models, endpoint configurations and endpoints, made so in an account: what
is wanted, what is seen, what follows from the two, and the doing of it.

Models and configurations cannot be changed: their names end in a hash of what is in them, and another content is
another one. Whatever is made carries tags that say of what it is; what has none of them was made by somebody else, and
is left alone. How an endpoint's traffic goes from one configuration to another is decided as for a promotion.
"""

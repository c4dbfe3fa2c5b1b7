"""Pages for people: a ``Sheet`` in, text out. What stands in one is foreign text, and is never markup."""

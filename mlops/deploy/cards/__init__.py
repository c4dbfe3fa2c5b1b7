"""What is known of a version, for those who did not train it: model cards, datasheets, release notes.

``facts`` are read of the account once; all else is made of them. ``content`` is a card in SageMaker's words, the others
are pages for people. Nothing here changes an account, and no row of any data gets out.
"""

"""A way to the local account for clients that ask for AWS's own names, whatever their variables say: a proxy on this
machine that leads to the local account and nowhere else.

:mod:`~.gate` says whom it lets through, and :mod:`~.tunnel` serves one client behind a certificate for the name that it
asked for. The certificates are of an authority that is made for one command, by a file of :mod:`~.issuers`, and that
only this command is told of. Its key is never on a disk.
"""

"""The local account behind a port: what any AWS client sends is read, answered and written as the service does.

:mod:`~.server` takes connections of this machine, :mod:`~.connection` reads HTTP/1.1 off one, :mod:`~.routing` finds
out which operation of which service is meant, and a file of :mod:`~.protocols` for each protocol reads the request and
writes the reply. Names, places and forms of members come from the models that botocore ships: there is no table of
operations here. What an operation does is said in :mod:`mlops.account.local.services` alone.
"""

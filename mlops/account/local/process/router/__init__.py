"""The router of an endpoint: HTTP requests come in, one model server answers each, the answer goes out.

One thread with an event loop. A request that was begun to be sent to a model is never sent again. Nothing here knows
the store: which servers there are is told from outside (:class:`~.routing.Routing`), and what was answered is told to
:mod:`.records`.
"""

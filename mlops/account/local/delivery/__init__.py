"""What becomes of the records of a stream: taken out of its spool a buffer at a time, changed, written where they go.

:mod:`~.settings` reads what a stream was made with, :mod:`~.processing` changes records, :mod:`~.names` names objects,
:mod:`~.objects` and :mod:`~.bodies` fill them, :mod:`~.http_endpoint` and :mod:`~.opensearch` speak to those that are
sent to (:mod:`~.sending`), and :mod:`~.deliverer` decides when. None of it knows a process or a clock.
"""

"""What becomes of the records of a stream: kept in a spool, taken out of it a buffer at a time, changed, and written to
where they go.

:mod:`~.spool` keeps what was accepted, :mod:`~.settings` reads what a stream was made with, :mod:`~.processing` changes
records, :mod:`~.names` names objects, :mod:`~.bodies` fills them, a file each of what remains writes to one kind of
destination, and :mod:`~.deliverer` decides when. None of it knows a process or a clock.
"""

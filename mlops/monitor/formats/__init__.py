"""How data are written: a module for each format, named as Model Monitor's ``dataset_format`` calls it.

A module has ``chunks(files, options, size) -> Iterator[Chunk]``: at most ``size`` rows, by column, at a time, so that
no more is ever held. It may raise Fault.
"""

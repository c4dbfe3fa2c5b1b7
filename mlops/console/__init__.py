"""The console: what an account has and what happened there, as pages of a web server on this machine.

Comes in: requests of one browser's owner. Goes out: HTML made here, with no script in it but files of ours. A page is a
folder of :mod:`~mlops.console.pages`: what it shows (``__init__.py``, a :class:`~mlops.console.page.Page`) beside how
(``page.html``). Pages ask use cases, as commands do; none reads a store, and none decides who may come in: that does
:mod:`~mlops.console.gate`, for all of them.
"""

"""A page is a folder: ``__init__.py`` with ``PAGE``, and ``page.html`` beside it."""

"""Rules for templates: a file for each part of them, with the stories of its codes (``FINDINGS``) and ``judge``."""

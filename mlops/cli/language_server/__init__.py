"""Findings, mends and the places of arguments in an editor, by the language server protocol.

Each file is checked by a process of its own (:mod:`.checking`): a pipeline file is a program, and what it prints,
imports or ends must not touch the server. That process is given as long as the file is, and ends with the server.
"""

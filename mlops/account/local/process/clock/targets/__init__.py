"""Whom rules, schedules and alarms tell: a file each with a ``TARGET``, found by being here."""

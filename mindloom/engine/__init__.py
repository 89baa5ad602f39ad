"""Runs agents. Knows nothing of Django, the database or settings.

The platform hands over a frozen spec (`spec`) and a set of ports (`ports`), and reads events (`events`) from a
synchronous iterator (`runner`). Only `agno_adapter` imports Agno.
"""

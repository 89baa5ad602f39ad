"""Reads the text of files. No Django and no database: it runs in a process of its own (`child`), with limits.

What a file is decides its content (`kinds`); its name only tells dialects of plain text apart. A reader yields `Part`s in the
order of the file, or raises `Refused` with a sentence that says what to do.
"""

"""The API of runs, of what they ask, and of conversations."""

"""Models and their providers, keys, outbound calls, and the tool catalogue."""

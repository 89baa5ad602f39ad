"""Pages of runs and conversations."""

"""What happens to a file after it was received, in a process that carries no runs."""

from buckets.worker.pipeline import advance, claim, stopping, waiting, work

__all__ = ["advance", "claim", "stopping", "waiting", "work"]

"""What happens to a file after it was received: in threads of a worker, beside the places of runs."""

from buckets.worker.pipeline import advance, claim, waiting, work
from buckets.worker.threads import begin, stop

__all__ = ["advance", "begin", "claim", "stop", "waiting", "work"]

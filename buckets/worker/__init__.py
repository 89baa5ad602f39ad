"""What happens to a file after it was received: in threads of a worker, beside the places of runs."""

from buckets.worker.fetching import fetch_all
from buckets.worker.pipeline import advance, claim, work
from buckets.worker.threads import begin, stop, waiting

__all__ = ["advance", "begin", "claim", "fetch_all", "stop", "waiting", "work"]

"""What happens to a file after it was received: in threads of a worker, beside the places of runs."""

from buckets.worker.fetching import fetch_all
from buckets.worker.generations import FOUND_AMONG, answers, dissolve, fill, go_live, settle
from buckets.worker.pipeline import advance, claim, work
from buckets.worker.preview import cuts
from buckets.worker.threads import begin, stop, waiting

__all__ = [
    "FOUND_AMONG",
    "advance",
    "answers",
    "begin",
    "claim",
    "cuts",
    "dissolve",
    "fetch_all",
    "fill",
    "go_live",
    "settle",
    "stop",
    "waiting",
    "work",
]

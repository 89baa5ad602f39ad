"""What the cluster has of this installation's runs, kept up to date by watches that go on from where they were cut off."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from runs.worker.pods.cluster import Expired, Refused
from runs.worker.pods.naming import Attempt, selector

if TYPE_CHECKING:
    from runs.worker.pods.cluster import Cluster

logger = logging.getLogger(__name__)

KINDS = ("jobs", "pods")
SHORTEST_SECONDS, LONGEST_SECONDS = 0.5, 10.0
"""Between two tries while the API is away."""


class View:
    """Jobs and pods by attempt. Two threads keep it; `changed` is set whenever there is something to look at."""

    def __init__(self, cluster: Cluster, changed: threading.Event) -> None:
        self._cluster = cluster
        self._changed = changed
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._things: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
        self._listed: set[str] = set()

    def start(self) -> None:
        """Begin to watch."""
        for kind in KINDS:
            threading.Thread(target=self._keep, args=[kind], name=f"watch-{kind}", daemon=True).start()

    def stop(self) -> None:
        """Watch no more; a thread that waits for the server ends when it says something."""
        self._stopped.set()

    @property
    def is_complete(self) -> bool:
        """Whether everything was listed once."""
        return len(self._listed) == len(KINDS)

    def attempts(self) -> dict[Attempt, tuple[dict[str, Any], dict[str, Any] | None]]:
        """Each job, with the newest of its pods."""
        with self._lock:
            jobs, pods = (list(self._things[kind].values()) for kind in KINDS)
        newest: dict[Attempt, dict[str, Any]] = {}
        for pod in sorted(pods, key=lambda one: str(one["metadata"].get("creationTimestamp"))):
            if (attempt := Attempt.labelled(pod)) is not None:
                newest[attempt] = pod
        found = ((Attempt.labelled(job), job) for job in jobs)
        return {attempt: (job, newest.get(attempt)) for attempt, job in found if attempt is not None}

    def _keep(self, kind: str) -> None:
        since, pause = "", SHORTEST_SECONDS
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                since = since or self._list(kind)
                for happened, thing in self._cluster.changes(kind, selector(), since):
                    since = thing["metadata"]["resourceVersion"]
                    self._take(kind, happened, thing)
                    if self._stopped.is_set():
                        return
            except Expired:
                since = ""
            except Refused as refused:
                logger.warning("The %s of runs cannot be watched: %s", kind, refused.message)
                pause = min(2 * pause, LONGEST_SECONDS)
            except Exception:
                # Whatever it was, without the watch nobody would hear of pods any more.
                logger.exception("The %s of runs cannot be watched", kind)
                since = ""
            if time.monotonic() - began > LONGEST_SECONDS:
                pause = SHORTEST_SECONDS
            self._stopped.wait(pause)

    def _list(self, kind: str) -> str:
        items, since = self._cluster.listed(kind, selector())
        with self._lock:
            self._things[kind] = {one["metadata"]["name"]: one for one in items}
            self._listed.add(kind)
        self._changed.set()
        return since

    def _take(self, kind: str, happened: str, thing: dict[str, Any]) -> None:
        if happened == "BOOKMARK":
            return
        name = thing["metadata"]["name"]
        with self._lock:
            if happened == "DELETED":
                self._things[kind].pop(name, None)
            else:
                self._things[kind][name] = thing
        self._changed.set()

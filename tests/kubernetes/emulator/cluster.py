"""An emulated cluster in a thread of this process, and everything that a test may do to it."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import signal
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.kubernetes.emulator import admission, certificates, memory
from tests.kubernetes.emulator.access import Access, Act
from tests.kubernetes.emulator.api import Api, Fault
from tests.kubernetes.emulator.containers import Container
from tests.kubernetes.emulator.deleting import Deleting
from tests.kubernetes.emulator.images import Image, Registry
from tests.kubernetes.emulator.jobs import Jobs
from tests.kubernetes.emulator.kubelet import Kubelet
from tests.kubernetes.emulator.recorder import Recorder
from tests.kubernetes.emulator.scheduling import Scheduler
from tests.kubernetes.emulator.store import Key, Object, Store
from tests.kubernetes.emulator.streams import Streams
from tests.kubernetes.emulator.verbs import Verbs
from tests.kubernetes.emulator.workloads import KINDS, Workloads

T = TypeVar("T")
WAIT_SECONDS = 30.0


async def _let_go() -> None:
    """End requests that still wait, such as watches, before the loop is closed under them."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Cluster:
    """Started by `with`. What it keeps is touched in its own thread only; the methods here see to that."""

    def __init__(self, images: dict[str, Image] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="loom-k-"))
        self.registry = Registry(images or {})
        self.claims: dict[str, Path] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cluster", daemon=True)
        self._certificate, self._tls = certificates.make(self.folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._build())
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._run(self.kubelet.end())
        self._run(_let_go())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()
        memory.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _build(self) -> None:
        self.store = Store()
        self.access = Access(self.store)
        deleting, recorder = Deleting(self.store), Recorder(self.store)
        self.scheduler = Scheduler(self.store, deleting, recorder)
        self.jobs = Jobs(self.store, deleting, recorder)
        self.workloads = Workloads(self.store, self.registry)
        self.kubelet = Kubelet(self.store, deleting, recorder, self.registry, self.folder / "pods", self.claims)
        address = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.port)}
        self.kubelet.environment |= address
        streams = Streams(self.store, self.kubelet.logs)
        self.api = Api(self.access, Verbs(self.store, self.access, deleting, self.scheduler), streams)
        admission.seed(self.store)
        self._add_node("node-1", "4", "8Gi", 110, {}, [])

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS)

    def _do(self, work: Callable[[], T]) -> T:
        async def inside() -> T:
            return work()

        return self._run(inside())

    # -- the server

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self) -> None:
        """The API answers again, at the same address."""
        self._run(self.api.start(self.port, self._tls))

    def stop(self) -> None:
        """The API is gone: connections are refused. Pods go on running."""
        self._run(self.api.stop())

    def kubeconfig(self, account: str = "", namespace: str = "default") -> Path:
        """For the administrator, or for a service account of the namespace."""
        if account:
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
            token = self.access.token_of(f"system:serviceaccount:{namespace}:{account}", *groups)
        else:
            token = self.access.token_of("admin", "system:masters")
        authority = base64.b64encode(self._certificate.read_bytes()).decode()
        cluster = {"server": self.url, "certificate-authority-data": authority}
        context = {"cluster": "emulator", "user": "me", "namespace": namespace}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "emulator",
            "clusters": [{"name": "emulator", "cluster": cluster}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [{"name": "emulator", "context": context}],
        }
        path = self.folder / f"{namespace}-{account or 'admin'}.kubeconfig"
        path.write_text(json.dumps(content))
        path.chmod(0o600)
        return path

    # -- what is there

    def get(self, resource: str, name: str, namespace: str = "") -> Object | None:
        return self._do(lambda: self.store.get(resource, namespace, name))

    def all(self, resource: str, namespace: str = "") -> list[Object]:
        return self._do(lambda: [kept for _, kept in self.store.items(resource, namespace)])

    def log(self, pod: Object, container: str = "") -> str:
        """All that a container wrote, even when its pod is gone."""
        name = container or pod["spec"]["containers"][0]["name"]
        found = self._do(lambda: list(self.kubelet.logs.get((pod["metadata"]["uid"], name), ())))
        return "".join(line.decode(errors="replace") for log in found for _, line in log.lines)

    def history(self) -> list[Object]:
        """Every state that any object was in."""
        return self._do(lambda: [change.object for change in self.store.history])

    def changes(self) -> list[tuple[str, Object]]:
        """What happened, in order: ADDED, MODIFIED or DELETED, and the object."""
        return self._do(lambda: [(change.type, change.object) for change in self.store.history])

    def calls(self) -> list[tuple[float, str, Act]]:
        return self._do(lambda: list(self.api.calls))

    def counted(self) -> Counter[str]:
        return self._do(self.api.counted)

    # -- what goes wrong

    def fail(
        self,
        verb: str,
        resource: str,
        status: int,
        times: int = 1,
        retry_after: int | None = None,
        *,
        after: bool = False,
    ) -> Fault:
        """The next requests of this kind get this answer; with `after`, only once they have been carried out."""
        fault = Fault(verb, resource, status, times, retry_after, after)
        self._do(lambda: self.api.faults.append(fault))
        return fault

    def heal(self) -> None:
        self._do(self.api.faults.clear)

    def cut_watches(self) -> int:
        return self._do(self.api.streams.cut)

    def compact(self) -> None:
        self._do(self.store.compact)

    def _pod(self, namespace: str, name: str) -> Key:
        return Key("pods", namespace, name)

    def evict(self, namespace: str, pod: str, message: str = "The node was low on resource: memory.") -> None:
        self._do(lambda: self.kubelet.evict(self._pod(namespace, pod), message))

    def squeeze(self, namespace: str, pod: str) -> None:
        """The pod's containers may use no more memory than they use now: the kernel ends what asks for more."""
        for one in self._containers(namespace, pod):
            if one.group:
                one.group.squeeze()

    def kill(self, namespace: str, pod: str, number: signal.Signals = signal.SIGKILL) -> None:
        """What runs in the pod is hit by this signal."""
        for one in self._containers(namespace, pod):
            if one.process:
                one.process.send_signal(number)

    def _containers(self, namespace: str, pod: str) -> list[Container]:
        def found() -> list[Container]:
            kept = self.store.objects.get(self._pod(namespace, pod))
            run = self.kubelet.runs.get(kept["metadata"]["uid"]) if kept else None
            return list(run.running) if run else []

        return self._do(found)

    def preempt(self, namespace: str, pod: str) -> None:
        said = "default-scheduler: preempting to accommodate a higher priority pod"
        self._do(lambda: self.scheduler.disrupt(self._pod(namespace, pod), "PreemptionByScheduler", said))

    def lose_node(self, name: str = "node-1") -> None:
        self._do(lambda: self.kubelet.lose(name))

    def hold(self, workload: str) -> None:
        """A Deployment or StatefulSet of this name does not become ready."""
        self._do(lambda: self.workloads.held.add(workload))

    def release(self, workload: str) -> None:
        def ready() -> None:
            self.workloads.held.discard(workload)
            for key in [one for one in self.store.objects if one.name == workload and one.resource in KINDS]:
                self.workloads.look(key)

        self._do(ready)

    def find_node(self, name: str = "node-1") -> None:
        self._do(lambda: self.kubelet.find(name))

    def add_node(
        self,
        name: str,
        *,
        cpu: str = "4",
        memory: str = "8Gi",
        pods: int = 110,
        labels: dict[str, str] | None = None,
        taints: list[Object] | None = None,
    ) -> None:
        self._do(lambda: self._add_node(name, cpu, memory, pods, labels or {}, taints or []))

    def _add_node(
        self, name: str, cpu: str, memory: str, pods: int, labels: dict[str, str], taints: list[Object]
    ) -> None:
        labels = {"kubernetes.io/hostname": name} | labels
        self.store.put(Key("nodes", "", name), admission.node(cpu, memory, pods, labels, taints))

    def processes(self) -> list[int]:
        """The process of every container that runs."""
        runs = self._do(lambda: [one for run in self.kubelet.runs.values() for one in run.running])
        return [one.process.pid for one in runs if one.process]

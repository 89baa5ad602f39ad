"""One pod from its node's first look at it to its end."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING, Any

from tests.kubernetes.emulator import volumes
from tests.kubernetes.emulator.containers import Container, Ended
from tests.kubernetes.emulator.images import Image
from tests.kubernetes.emulator.quantities import amount
from tests.kubernetes.emulator.store import Key, Object, now, set_condition

if TYPE_CHECKING:
    from tests.kubernetes.emulator.kubelet import Kubelet

RETRY_SECONDS = 0.3
"""How often what is missing is looked for again. A kubelet waits longer each time, up to five minutes."""
CREATING: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}


class PodRun:
    """Carries one pod out. Its state lives in the store; here are its processes."""

    def __init__(self, kubelet: Kubelet, key: Key, uid: str) -> None:
        self.kubelet, self.key, self.uid = kubelet, key, uid
        self.store = kubelet.store
        self._first = self.store.objects[key]
        self.folder = kubelet.folder / uid
        self.running: list[Container] = []
        self.grace: float | None = None
        """Seconds to end in, once it is told to end."""
        self.gone = False
        self.told = asyncio.Event()
        self._stopping: set[asyncio.Task[None]] = set()

    @property
    def pod(self) -> Object:
        """As it is now, or as it was when it is gone or another has its name."""
        kept = self.store.objects.get(self.key, self._first)
        return kept if kept["metadata"]["uid"] == self.uid else self._first

    # -- told from outside

    def stop(self, grace: float) -> None:
        if self.grace is None or grace < self.grace:
            self.grace = grace
            self.told.set()
            for one in self.running:
                task = asyncio.get_running_loop().create_task(one.stop(grace))
                self._stopping.add(task)
                task.add_done_callback(self._stopping.discard)

    def vanish(self) -> None:
        """Its machine is gone: nobody reports how it ended."""
        self.gone = True
        self.told.set()
        for one in self.running:
            one.kill()

    # -- its life

    async def carry_out(self) -> None:
        try:
            self._report(startTime=now())
            await self._live()
        finally:
            for one in self.running:
                one.kill()
            self._after()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _live(self) -> None:
        spec = self.pod["spec"]
        folders = await self._volumes()
        if folders is None:
            return
        for one in spec.get("initContainers", ()):
            ended = await self._run(one, folders, init=True)
            if ended is None or ended.exit_code:
                self._finish([ended] if ended else [])
                return
        results = await asyncio.gather(*(self._run(one, folders) for one in spec["containers"]))
        self._finish([one for one in results if one])

    def _finish(self, results: list[Ended]) -> None:
        if not results or self.gone or self.key not in self.store.objects or self.pod["metadata"]["uid"] != self.uid:
            return
        failed = any(one.exit_code for one in results)

        def mark(pod: Object) -> None:
            if pod["status"]["phase"] not in {"Succeeded", "Failed"}:
                pod["status"]["phase"] = "Failed" if failed else "Succeeded"
            said = "PodFailed" if failed else "PodCompleted"
            set_condition(pod["status"], "Ready", "False", said)
            set_condition(pod["status"], "ContainersReady", "False", said)

        self.store.amend(self.key, mark)

    def _after(self) -> None:
        """What is deleted goes when its processes have ended."""
        kept = self.store.objects.get(self.key)
        if kept and kept["metadata"]["uid"] == self.uid and "deletionTimestamp" in kept["metadata"] and not self.gone:
            self.store.remove(self.key)

    async def _volumes(self) -> dict[str, Any] | None:
        while not self.told.is_set():
            try:
                return volumes.mounted(self.store, self.pod, self.folder, self.kubelet.claims)
            except volumes.NotReady as error:
                self._event("FailedMount", str(error), warning=True)
            for one in self.pod["spec"]["containers"]:
                self._state(one, CREATING)
            await self._pause()
        return None

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.told.wait(), RETRY_SECONDS)

    async def _run(self, spec: Object, folders: dict[str, Any], *, init: bool = False) -> Ended | None:
        """One container, and again where the policy says so; None if it never came to that."""
        policy = self.pod["spec"]["restartPolicy"]
        starts = 0
        while True:
            made = await self._made(spec, folders, init=init)
            if made is None:
                return None
            ended = await self._once(spec, made, starts, init=init)
            again = (policy == "Always" and not init) or (policy != "Never" and ended.exit_code)
            if self.told.is_set() or not again:
                return ended
            starts += 1
            waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}}
            self._state(spec, waiting, init=init, restarts=starts, last=ended.state())
            self._event("BackOff", f"Back-off restarting failed container {spec['name']}", warning=True)
            await self._pause()

    async def _once(self, spec: Object, made: Container, starts: int, *, init: bool) -> Ended:
        failed = await made.start()
        if failed is not None:
            self._event("Failed", f"Error: {failed.message}", warning=True)
            self._state(spec, failed.state(), init=init, restarts=starts)
            return failed
        self.running.append(made)
        self._event("Started", f"Started container {spec['name']}")
        if self.grace is not None:
            await made.stop(self.grace)
        self._state(spec, {"running": {"startedAt": made.started_at}}, init=init, restarts=starts, ready=True)
        if not init:
            self._report(phase="Running", podIP="127.0.0.1", hostIP="127.0.0.1")
        ended = await made.ended()
        self.running.remove(made)
        self._state(spec, ended.state(), init=init, restarts=starts)
        return ended

    async def _made(self, spec: Object, folders: dict[str, Any], *, init: bool) -> Container | None:
        """Pull the image and read the configuration, as often as it takes."""
        tries = 0
        while not self.told.is_set():
            tries += 1
            waiting = await self._pull(spec, tries, init=init)
            if not waiting:
                try:
                    return self._configured(spec, folders)
                except volumes.BadConfig as error:
                    self._event("Failed", f"Error: {error}", warning=True)
                    waiting = {"reason": "CreateContainerConfigError", "message": str(error)}
            self._state(spec, {"waiting": waiting}, init=init)
            await self._pause()
        return None

    async def _pull(self, spec: Object, tries: int, *, init: bool) -> dict[str, str]:
        """What to wait with; empty if the image is there."""
        image, policy, registry = spec["image"], spec["imagePullPolicy"], self.kubelet.registry
        if tries == 1:
            self._state(spec, CREATING, init=init)
        if policy != "Never" and tries % 3 == 1:
            self._event("Pulling", f'Pulling image "{image}"')
        offered = [one["name"] for one in self.pod["spec"].get("imagePullSecrets", ())]
        reason, said = registry.refusal(
            image, policy, lambda name: bool(self.store.get("secrets", self.key.namespace, name)), offered
        )
        if not reason:
            self._event("Pulled", f'Container image "{image}" already present on machine')
            return {}
        if reason == "ErrImagePull" and tries % 3 != 1:
            self._event("BackOff", f'Back-off pulling image "{image}"')
            self._event("Failed", "Error: ImagePullBackOff", warning=True)
            told = f'Back-off pulling image "{image}": ErrImagePull: {said}'
            return {"reason": "ImagePullBackOff", "message": told}
        self._event("Failed", f'Failed to pull image "{image}": {said}', warning=True)
        self._event("Failed", f"Error: {reason}", warning=True)
        return {"reason": reason, "message": said}

    def _configured(self, spec: Object, folders: dict[str, Any]) -> Container:
        image: Image = self.kubelet.registry.images[spec["image"]]
        security = (self.pod["spec"].get("securityContext") or {}) | (spec.get("securityContext") or {})
        user = security.get("runAsUser", image.user)
        if security.get("runAsNonRoot") and user == 0:
            raise volumes.BadConfig("container has runAsNonRoot and image will run as root")
        paths = volumes.Paths(spec, folders)
        environment = volumes.environment(self.store, self.pod, spec, paths)
        if "/tmp" in paths.mounts:
            environment.setdefault("TMPDIR", str(paths.mounts["/tmp"]))
        arguments = [paths.here(one) for one in spec.get("args", ())]
        command = [*(spec.get("command") or image.entrypoint), *arguments]
        if not command:
            raise volumes.BadConfig("no command specified")
        made = self.kubelet.container(self.key, spec, image, environment, command)
        limit = (spec.get("resources") or {}).get("limits", {}).get("memory")
        made.memory_limit = int(amount(limit)) if limit else None
        self._event("Created", f"Created container: {spec['name']}")
        return made

    # -- what it reports

    def _event(self, reason: str, message: str, *, warning: bool = False) -> None:
        if self.key in self.store.objects and not self.gone:
            self.kubelet.recorder.write(self.pod, reason, message, component="kubelet", warning=warning)

    def _report(self, **status: object) -> None:
        def write(pod: Object) -> None:
            if pod["metadata"]["uid"] == self.uid and pod["status"]["phase"] not in {"Succeeded", "Failed"}:
                pod["status"].update(status)

        if not self.gone:
            self.store.amend(self.key, write)

    def _state(
        self,
        spec: Object,
        state: object,
        *,
        init: bool = False,
        restarts: int = 0,
        ready: bool = False,
        last: object = None,
    ) -> None:
        entry = {"name": spec["name"], "image": spec["image"], "imageID": f"emulated://{spec['image']}", "state": state}
        entry |= {"ready": ready, "started": ready, "restartCount": restarts, "lastState": last or {}}

        def write(pod: Object) -> None:
            if pod["metadata"]["uid"] != self.uid:
                return
            section = "initContainerStatuses" if init else "containerStatuses"
            others = [one for one in pod["status"].get(section, ()) if one["name"] != spec["name"]]
            pod["status"][section] = [*others, entry]
            if not init:
                set_condition(pod["status"], "Ready", "True" if ready else "False")

        if not self.gone:
            self.store.amend(self.key, write)

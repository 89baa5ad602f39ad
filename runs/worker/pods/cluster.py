"""The few things that Mindloom asks of Kubernetes, through its official client, and what its answers mean.

The client is loaded when it is first needed: most processes never do.
"""

from __future__ import annotations

import json
import random
import threading
import time
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mindloom.engine.events import FailureKind

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 20.0
WATCH_SECONDS = 240
"""The server ends a watch after so long, and it goes on from where it was."""
SILENT_SECONDS = 60.0
"""A watch that says nothing for so long is made anew: its connection may be gone without a word."""
PATIENCE = 3
"""How often a request that came at a bad moment is sent altogether."""
LONGEST_PAUSE = 5.0
LOG_LINES, LOG_BYTES = 2_000, 256 * 1024

NEEDED = (
    *(("batch", "jobs", verb) for verb in ("create", "get", "list", "watch", "delete")),
    *(("", "pods", verb) for verb in ("get", "list", "watch")),
    ("", "pods/log", "get"),
    ("", "secrets", "create"),
    ("", "events", "list"),
)
"""The rights in the namespace that workers and the scheduler need: group, resource, verb."""


class Refused(Exception):
    """Kubernetes did not do it. `message` says why and what to do; `passes` when trying again may help, after `pause` seconds if it said so."""

    def __init__(
        self,
        message: str,
        *,
        kind: FailureKind = "cluster",
        passes: bool = False,
        status: int = 0,
        pause: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind: FailureKind = kind
        self.passes = passes
        self.status = status
        self.pause = pause


class Expired(Exception):
    """What a watch was to go on from is too long ago: everything has to be listed again."""


class Cluster:
    """The namespace of this installation's runs."""

    def __init__(self) -> None:
        from kubernetes import client  # heavy, as said above

        self._client = client
        self._api = client.ApiClient(_configuration())
        self._batch = client.BatchV1Api(self._api)
        self._core = client.CoreV1Api(self._api)
        self._pace = _Pace()
        self.namespace = settings.KUBERNETES_NAMESPACE

    def create_job(self, manifest: dict[str, Any]) -> tuple[str, bool]:
        """Make the job, or find the one that was made before; returns its uid, and whether it is new. Raises `Refused`."""
        name = manifest["metadata"]["name"]
        try:
            made = self._ask(
                lambda: self._batch.create_namespaced_job(
                    self.namespace, self._client.V1Job.model_validate(manifest), field_validation="Strict"
                )
            )
        except Refused as refused:
            if refused.status != 409:
                raise
            return self._uid_of(name), False
        return str(made.metadata.uid), True

    def _uid_of(self, job: str) -> str:
        try:
            found = self._ask(lambda: self._batch.read_namespaced_job(job, self.namespace))
        except Refused as refused:
            # It went just now, so it can be made the next time.
            raise Refused(refused.message, passes=True, status=refused.status) from None
        return str(found.metadata.uid)

    def create_secret(self, manifest: dict[str, Any]) -> bool:
        """Make the secret; False when it was made before. Raises `Refused`, which says nothing of its content."""
        try:
            self._ask(
                lambda: self._core.create_namespaced_secret(
                    self.namespace, self._client.V1Secret.model_validate(manifest), field_validation="Strict"
                )
            )
        except Refused as refused:
            if refused.status != 409:
                raise
            return False
        return True

    def delete_job(self, name: str, uid: str = "") -> None:
        """Delete the job with its pod and its secret, if it is still there, and still this one. Raises `Refused`."""
        only = self._client.V1Preconditions(uid=uid) if uid else None
        options = self._client.V1DeleteOptions(propagation_policy="Background", preconditions=only)
        try:
            self._ask(lambda: self._batch.delete_namespaced_job(name, self.namespace, body=options))
        except Refused as refused:
            if refused.status not in {404, 409}:
                raise

    def listed(self, kind: str, selector: str) -> tuple[list[dict[str, Any]], str]:
        """All `jobs` or `pods` that the selector finds, and where a watch goes on from. Raises `Refused`."""
        answer = self._ask(lambda: self._raw(self._lister(kind), label_selector=selector))
        return answer.get("items") or [], str(answer["metadata"].get("resourceVersion", ""))

    def changes(self, kind: str, selector: str, since: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What happens to them from then on, until the server or the network ends it: ADDED, MODIFIED, DELETED, BOOKMARK.

        Raises `Refused`, and `Expired` when `since` is too long ago.
        """
        self._pace.wait()
        answer = self._guarded(
            lambda: self._lister(kind)(
                self.namespace,
                label_selector=selector,
                watch=True,
                resource_version=since,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH_SECONDS,
                _preload_content=False,
                _request_timeout=(CONNECT_SECONDS, SILENT_SECONDS),
            )
        )
        try:
            if answer.status != 200:
                raise _refusal(answer.status, answer.read())
            for line in self._guarded(lambda: _lines(answer)):
                happened = json.loads(line)
                if happened["type"] == "ERROR":
                    code = int(happened["object"].get("code") or 500)
                    raise Expired if code == 410 else _refusal(code, json.dumps(happened["object"]).encode())
                yield happened["type"], happened["object"]
        except Refused as refused:
            raise Expired from None if refused.status == 410 else refused
        finally:
            answer.close()

    def warnings_of(self, kind: str, name: str) -> list[dict[str, Any]]:
        """What the cluster has warned of about an object, the newest last. Raises `Refused`."""
        chosen = f"involvedObject.kind={kind},involvedObject.name={name},type=Warning"
        answer = self._ask(lambda: self._raw(self._core.list_namespaced_event, field_selector=chosen))
        return sorted(answer.get("items") or [], key=lambda one: one.get("lastTimestamp") or one.get("eventTime") or "")

    def log_of(self, pod: str) -> bytes:
        """The end of what the pod's container has printed. Raises `Refused`."""
        answer = self._ask(
            lambda: self._raw_bytes(
                self._core.read_namespaced_pod_log, pod, tail_lines=LOG_LINES, limit_bytes=LOG_BYTES
            )
        )
        return bytes(answer)

    def lacking(self) -> list[str]:
        """The rights that are needed and not there, as people say them. Raises `Refused`."""
        client, missing = self._client, []
        reviews = client.AuthorizationV1Api(self._api)
        for group, resource, verb in NEEDED:
            name, _, part = resource.partition("/")
            asked = client.V1ResourceAttributes(
                namespace=self.namespace, group=group, resource=name, subresource=part or None, verb=verb
            )
            review = client.V1SelfSubjectAccessReview(
                spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked)
            )
            answer = self._ask(partial(reviews.create_self_subject_access_review, review))
            if not answer.status.allowed:
                missing.append(f"{verb} {resource}")
        return missing

    def _lister(self, kind: str) -> Callable[..., Any]:
        return self._batch.list_namespaced_job if kind == "jobs" else self._core.list_namespaced_pod

    def _raw(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return json.loads(self._raw_bytes(call, *args, **options))

    def _raw_bytes(self, call: Callable[..., Any], *args: Any, **options: Any) -> bytes:
        """The answer as it came: lists of jobs and pods are looked at here and there, not taken apart."""
        timeout = (CONNECT_SECONDS, ANSWER_SECONDS)
        answer = call(*args, self.namespace, _preload_content=False, _request_timeout=timeout, **options)
        content = bytes(answer.read())
        if not 200 <= answer.status <= 299:
            raise _refusal(answer.status, content, answer.headers.get("Retry-After"))
        return content

    def _ask(self, call: Callable[[], Any]) -> Any:
        """One request at the pace that is allowed, again after a pause when it came at a bad moment."""
        for turn in range(1, PATIENCE + 1):
            self._pace.wait()
            try:
                return self._guarded(call)
            except Refused as refused:
                if turn == PATIENCE or not refused.passes or refused.kind == "quota":
                    raise
                pause = refused.pause or 0.2 * 2**turn * (1 + random.random())  # noqa: S311 -- spreads
            time.sleep(min(pause, LONGEST_PAUSE))
        raise AssertionError

    def _guarded(self, call: Callable[[], Any]) -> Any:
        from pydantic import ValidationError
        from urllib3.exceptions import HTTPError

        try:
            return call()
        except self._client.ApiException as error:
            raise _refusal(error.status, error.body, (error.headers or {}).get("Retry-After")) from None
        except ValidationError as error:
            places = ", ".join(".".join(str(part) for part in one["loc"]) for one in error.errors(include_input=False))
            raise Refused(
                f"The job is set up wrongly: {places}. Check the KUBERNETES_ options.", kind="configuration"
            ) from None
        except (HTTPError, OSError) as error:
            raise Refused(f"{AWAY} ({type(error).__name__})", passes=True) from None


AWAY = "The API of Kubernetes does not answer; Mindloom goes on trying by itself."


def _lines(answer: Any) -> Iterator[bytes]:
    rest = b""
    for piece in answer.stream(amt=None, decode_content=False):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line for line in lines if line.strip())


class _Pace:
    """So many requests a second at most, from all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Until it is this request's turn."""
        with self._lock:
            now = time.monotonic()
            # What was not used for a second is not lost.
            turn = max(now - 1, self._next)
            self._next = turn + 1 / settings.KUBERNETES_REQUESTS_PER_SECOND
        time.sleep(max(0.0, turn - now))


def _refusal(status: int, body: Any, retry_after: str | None = None) -> Refused:
    """What an answer means. Nothing of a request's own values is repeated: a secret may be among them."""
    try:
        said = json.loads(body or b"{}")
    except ValueError:
        said = {}
    said = said if isinstance(said, dict) else {}
    message = str(said.get("message", ""))
    namespace = settings.KUBERNETES_NAMESPACE
    if status == 403 and "exceeded quota" in message:
        sentence = f"The quota of the namespace {namespace} is used up: {_quota(message)}. It starts when there is room, or an administrator raises the quota."
        return Refused(sentence, kind="quota", passes=True, status=status)
    if status in {0, 401, 408, 429, 500, 502, 503, 504}:
        return Refused(
            f"{_CANNOT.get(status, 'Kubernetes cannot do it now')} ({status}); Mindloom goes on trying by itself.",
            passes=True,
            status=status,
            pause=float(retry_after) if retry_after and retry_after.isdecimal() else None,
        )
    if status in {400, 422}:
        causes = (said.get("details") or {}).get("causes") or []
        fields = ", ".join(str(one.get("field")) for one in causes if one.get("field")) or str(
            said.get("reason", "invalid")
        )
        sentence = (
            f"Kubernetes does not take the job as it is set up ({status}, {fields}). Check the KUBERNETES_ options."
        )
        return Refused(sentence, kind="configuration", status=status)
    known = {
        403: f"Kubernetes does not let Mindloom do this in the namespace {namespace} (403 Forbidden). `manage.py doctor` names the rights that are missing.",
        404: f"Kubernetes does not find it (404). Does the namespace {namespace} exist?",
        409: "Kubernetes says that it changed meanwhile (409 Conflict).",
    }
    return Refused(known.get(status, f"Kubernetes answered {status}."), status=status)


_CANNOT = {
    0: "The connection to Kubernetes was cut off",
    401: "Kubernetes does not know who Mindloom is; an administrator renews the token in KUBERNETES_CONFIG or the service account",
}
"""Answers that may pass: a token is renewed, a server begins again."""


def _quota(message: str) -> str:
    """What is used up, from "exceeded quota: runs, requested: count/jobs.batch=1, used: …, limited: …"."""
    return message.partition("exceeded quota: ")[2][:200] or "no more is allowed"


def _configuration() -> Any:
    from kubernetes import client, config

    found = client.Configuration()
    try:
        if settings.KUBERNETES_CONFIG:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                settings.KUBERNETES_CONFIG, settings.KUBERNETES_CONTEXT or None, client_configuration=found
            )
        else:
            config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError, ValueError) as error:
        where = Path(settings.KUBERNETES_CONFIG).name if settings.KUBERNETES_CONFIG else "the pod's service account"
        raise Refused(
            f"Mindloom cannot find its way to Kubernetes by {where}: {type(error).__name__}. Check KUBERNETES_CONFIG, or run it in a pod.",
            kind="configuration",
        ) from None
    found.retries = False  # they are ours
    return found


@cache
def cluster() -> Cluster:
    """The one that is set up. Raises `Refused`."""
    return Cluster()


def lacking_rights() -> list[str]:
    """The rights that Mindloom needs in the namespace and does not have, such as "create jobs". Raises `Refused`."""
    return cluster().lacking()

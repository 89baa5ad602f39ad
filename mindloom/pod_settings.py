"""Settings of runs that are carried out in pods of Kubernetes. docs/settings.md lists them with the others."""

from __future__ import annotations

from mindloom.environment import env

# Where runs are carried out unless their department or agent says otherwise.
RUN_EXECUTOR = env.choice("RUN_EXECUTOR", "celery", ["celery", "kubernetes"])
KUBERNETES_EXECUTOR_IMAGE = env.text("KUBERNETES_EXECUTOR_IMAGE", "").strip()
KUBERNETES_NAMESPACE = env.label("KUBERNETES_NAMESPACE", "mindloom")
# Tells the jobs of this installation from those of another one in the same namespace.
KUBERNETES_INSTANCE = env.label("KUBERNETES_INSTANCE", "mindloom")
# The path of a kubeconfig; without one, and without KUBECONFIG, the rights of the pod that Mindloom itself runs in.
KUBERNETES_CONFIG = env.text("KUBERNETES_CONFIG", env.text("KUBECONFIG", ""))
KUBERNETES_CONTEXT = env.text("KUBERNETES_CONTEXT", "")
KUBERNETES_SERVICE_ACCOUNT = env.label("KUBERNETES_SERVICE_ACCOUNT", "default")
KUBERNETES_IMAGE_PULL_POLICY = env.choice(
    "KUBERNETES_IMAGE_PULL_POLICY", "IfNotPresent", ["IfNotPresent", "Always", "Never"]
)
KUBERNETES_IMAGE_PULL_SECRETS = env.words("KUBERNETES_IMAGE_PULL_SECRETS", [])
# What a run's pod gets unless its agent asks for something else, and the most that an agent may ask for.
KUBERNETES_CPU = env.number("KUBERNETES_CPU", 0.5, low=0.01, high=256)
KUBERNETES_MEMORY_MB = env.whole("KUBERNETES_MEMORY_MB", 512, low=256, high=1024 * 1024)
KUBERNETES_MAX_CPU = env.number("KUBERNETES_MAX_CPU", 4.0, low=0.01, high=256)
KUBERNETES_MAX_MEMORY_MB = env.whole("KUBERNETES_MAX_MEMORY_MB", 8192, low=256, high=1024 * 1024)
KUBERNETES_NODE_SELECTOR = env.pairs("KUBERNETES_NODE_SELECTOR")
KUBERNETES_TOLERATIONS = env.tolerations("KUBERNETES_TOLERATIONS")
KUBERNETES_PRIORITY_CLASS = env.text("KUBERNETES_PRIORITY_CLASS", "")
KUBERNETES_RUNTIME_CLASS = env.text("KUBERNETES_RUNTIME_CLASS", "")
# The claim of a volume that web, workers and pods share for files; not needed where files are in a bucket.
KUBERNETES_FILES_CLAIM = env.text("KUBERNETES_FILES_CLAIM", "")
# How many pods there may be at once, and how often Kubernetes is asked for something.
KUBERNETES_MAX_JOBS = env.whole("KUBERNETES_MAX_JOBS", 50, low=1, high=10_000)
KUBERNETES_REQUESTS_PER_SECOND = env.number("KUBERNETES_REQUESTS_PER_SECOND", 10.0, low=0.1, high=1000)
# How long a pod may take to start, a stopped one to end, and how long an ended one can still be looked at.
KUBERNETES_PENDING_SECONDS = env.whole("KUBERNETES_PENDING_SECONDS", 600, low=5, high=24 * 3600)
KUBERNETES_STOP_SECONDS = env.whole("KUBERNETES_STOP_SECONDS", 10, low=1, high=600)
KUBERNETES_KEEP_SECONDS = env.whole("KUBERNETES_KEEP_SECONDS", 120, low=0, high=7 * 24 * 3600)
# Where pods find the servers, when that is elsewhere than for workers.
KUBERNETES_DATABASE_URL = env.secret("KUBERNETES_DATABASE_URL") or env.again("DATABASE_URL")
KUBERNETES_REDIS_URL = env.secret("KUBERNETES_REDIS_URL") or env.again("REDIS_URL")
# In a pod: the secrets that its one run needs, instead of the key ring that opens all.
HANDED_SECRETS = env.handed("HANDED_SECRETS_FILE")
POD_NAME = env.text("POD_NAME", "")

if KUBERNETES_MAX_CPU < KUBERNETES_CPU:
    env.wrong("KUBERNETES_MAX_CPU", f"is less than KUBERNETES_CPU, {KUBERNETES_CPU}: raise it, or lower the other.")
if KUBERNETES_MAX_MEMORY_MB < KUBERNETES_MEMORY_MB:
    env.wrong(
        "KUBERNETES_MAX_MEMORY_MB",
        f"is less than KUBERNETES_MEMORY_MB, {KUBERNETES_MEMORY_MB}: raise it, or lower the other.",
    )
if RUN_EXECUTOR == "kubernetes" and not KUBERNETES_EXECUTOR_IMAGE:
    env.wrong(
        "KUBERNETES_EXECUTOR_IMAGE",
        "is empty, but RUN_EXECUTOR is kubernetes: name the image that pods of runs are made of.",
    )
if KUBERNETES_EXECUTOR_IMAGE:
    for _name, _url in (("DATABASE_URL", KUBERNETES_DATABASE_URL), ("REDIS_URL", KUBERNETES_REDIS_URL)):
        if not _url:
            env.wrong(_name, "is not set: pods cannot reach the embedded server. Name one that they can reach.")
    if not env.again("S3_BUCKET") and not KUBERNETES_FILES_CLAIM:
        env.wrong(
            "KUBERNETES_FILES_CLAIM",
            "is empty: pods need to keep files where web and workers find them. Name a claim that all of them mount, or set S3_BUCKET.",
        )

"""A small Kubernetes cluster in this process: a real API over TLS, real controllers' behaviour, real processes as containers.

It serves the official client, kubectl and Helm. What it proves and what not stands in docs/testing.md.
"""

from tests.kubernetes.emulator.cluster import Cluster
from tests.kubernetes.emulator.images import Image

__all__ = ["Cluster", "Image"]

"""The audit trail: what is done is recorded, chained, and verified."""

from audit.services.anchoring import anchor
from audit.services.chaining import begin, renew_key, replace_key
from audit.services.recording import PLATFORM, Actor, Target, difference, door, record, remote_address, user_agent
from audit.services.verifying import Verdict, verify

__all__ = [
    "PLATFORM",
    "Actor",
    "Target",
    "Verdict",
    "anchor",
    "begin",
    "difference",
    "door",
    "record",
    "remote_address",
    "renew_key",
    "replace_key",
    "user_agent",
    "verify",
]

"""Webhooks: other systems are told, signed and surely, when a run ends or waits."""

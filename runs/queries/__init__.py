"""What is asked about runs: what goes on in one."""

from runs.queries.acting import acting_tools

__all__ = ["acting_tools"]

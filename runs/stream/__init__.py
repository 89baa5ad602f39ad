"""Reads a run's log and follows it live: lines for people, events for programs."""

from runs.stream.lines import line_of, lines_of
from runs.stream.tails import Batch, follow, read_after

__all__ = ["Batch", "follow", "line_of", "lines_of", "read_after"]

"""Carries runs out: claims them, drives the engine, writes down what happens, and cleans up after workers that vanished."""

from runs.worker.execute import execute, warm_up
from runs.worker.memory import forget_facts, forget_talk
from runs.worker.reaper import reap, stale_queued
from runs.worker.recorder import terminal_changes
from runs.worker.steward import steward
from runs.worker.waiting import forget

__all__ = [
    "execute",
    "forget",
    "forget_facts",
    "forget_talk",
    "reap",
    "stale_queued",
    "steward",
    "terminal_changes",
    "warm_up",
]

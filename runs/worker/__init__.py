"""Carries runs out: claims them, drives the engine, writes down what happens, and cleans up after workers that vanished."""

from runs.worker.endings import end
from runs.worker.execute import execute, warm_up
from runs.worker.memory import forget_facts, forget_talk
from runs.worker.reaper import reap, stale_queued
from runs.worker.steward import steward

__all__ = [
    "end",
    "execute",
    "forget_facts",
    "forget_talk",
    "reap",
    "stale_queued",
    "steward",
    "warm_up",
]

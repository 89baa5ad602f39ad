"""Carries runs out: claims them, drives the engine, writes down what happens, and cleans up after workers that vanished."""

from runs.worker.clearing import (
    Removed,
    clear_strays,
    old_files,
    prune_events,
    remove_old_files,
    remove_old_runs,
    remove_runs,
    unpruned,
    whole_runs,
)
from runs.worker.endings import end
from runs.worker.execute import execute, execute_in_pod, warm_up
from runs.worker.files import seen_in
from runs.worker.life import show_life
from runs.worker.memory import forget_facts, forget_talk
from runs.worker.pods import watch_pods
from runs.worker.queue import slots, work
from runs.worker.reaper import reap, stale_queued
from runs.worker.steward import steward

__all__ = [
    "Removed",
    "clear_strays",
    "end",
    "execute",
    "execute_in_pod",
    "forget_facts",
    "forget_talk",
    "old_files",
    "prune_events",
    "reap",
    "remove_old_files",
    "remove_old_runs",
    "remove_runs",
    "seen_in",
    "show_life",
    "slots",
    "stale_queued",
    "steward",
    "unpruned",
    "warm_up",
    "watch_pods",
    "whole_runs",
    "work",
]

"""Benchmarks: the real server in a process of its own, and loads that cost as little as they can."""

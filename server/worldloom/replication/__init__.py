"""Replication: what changed, encoded once per cell, for whom; no sockets, no SQL."""

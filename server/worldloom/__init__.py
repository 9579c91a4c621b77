"""Worldloom: a self-hosted multiplayer world server."""

"""Composition: builds the parts, connects them, supervises their tasks."""

"""Persistence: the only place that imports SQLAlchemy."""

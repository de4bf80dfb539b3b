"""Refine a rough object mask to the true edge of the photo."""

__version__ = "0.1.0"

"""The library under the jobs; nothing in it knows a job."""

__version__ = "0.1.0"

"""Workflows of other engines, from the table of jobs and the pods of k8s/: `python -m k8s.workflows --help`."""

"""Tests of the jobs, and their shared fixtures."""

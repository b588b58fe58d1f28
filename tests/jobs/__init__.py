"""Tests of the jobs, and what they share."""

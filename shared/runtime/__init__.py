"""Processes, devices, seeds and memory."""

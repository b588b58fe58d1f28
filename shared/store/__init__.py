"""Artifacts on the volume: manifests, staging, locks, work shards, checkpoints."""

"""Compose, the image and the Kubernetes manifests: what they say, and in `live_*.py` what they do."""

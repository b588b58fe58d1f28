"""Several experiments in one namespace: k8s/render.sh and k8s/run.sh, on a fake cluster."""

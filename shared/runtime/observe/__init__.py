"""What a running job tells machines: JSON lines on standard error, a Prometheus text file, the share of waiting."""

"""The dataset format, version 1: `README.md` next to this file is the specification."""

"""The dataset format, version 1: `README.md` beside this file is the specification."""

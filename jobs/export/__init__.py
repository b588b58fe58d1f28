"""The synthetic set in the layouts of other tools, with its card."""

"""halfreal from Python: judge synthetic images, open an experiment, read its verdict and scores, draw images.

docs/python.md has an example of each. What goes wrong is raised as an error, in the words of the command line.
"""

from halfreal.experiment import Experiment, Samples, open_experiment
from halfreal.judging import judge
from shared import __version__
from shared.errors import BadInput, HalfrealError, Interrupted

__all__ = [
    "BadInput",
    "Experiment",
    "HalfrealError",
    "Interrupted",
    "Samples",
    "__version__",
    "judge",
    "open_experiment",
]

"""Do the verdict's intervals hold what they promise? Simulated experiments of known truth, and real ones without any.

`cells` has the committed list of experiments, `simulation` draws them, `learner` repeats the A/A check with a real
classifier, `__main__` prints both.
"""

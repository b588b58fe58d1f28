"""What a network may be built with, by name: for command lines, so no torch in here."""

NORMS = ("none", "batch", "instance", "layer", "spectral")
"""batch: Ioffe and Szegedy 2015; instance: Ulyanov et al. 2016; layer: Ba et al. 2016; spectral: Miyato et al. 2018."""

INITS = ("torch", "dcgan", "orthogonal")
"""torch's own; N(0, 0.02) for weights (Radford et al. 2016); orthogonal (Saxe et al. 2014; Brock et al. 2019)."""

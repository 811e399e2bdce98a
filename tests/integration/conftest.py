"""The Slurm of the tests in this folder: one, whichever of them asks for it."""

from integration.slurm_cluster import cluster  # noqa: F401

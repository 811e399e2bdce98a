"""Entropic Gromov-Wasserstein at one epsilon from one start."""

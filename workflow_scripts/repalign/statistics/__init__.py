"""Resampling, correlation and mixed models. Knows no measure."""

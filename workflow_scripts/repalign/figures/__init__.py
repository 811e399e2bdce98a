"""Figures, each from a tidy table alone: one module per figure, one style, one palette."""

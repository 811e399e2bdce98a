"""Scores of one model as rows of the tidy table: one module per measure."""

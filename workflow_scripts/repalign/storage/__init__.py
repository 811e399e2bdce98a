"""Writes results atomically with their provenance, and reads them back."""

"""Searches over starts and epsilon, and their journal."""

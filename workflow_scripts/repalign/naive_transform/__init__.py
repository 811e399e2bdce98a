"""Affine transforms of embeddings towards human odd-one-out choices: naive, global and gLocal."""

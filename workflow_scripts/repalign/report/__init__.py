"""The report: one self-contained page that a reader explores."""

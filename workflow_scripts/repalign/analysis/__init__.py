"""What is made of all scores of a study: tables, correlations, maps, comparisons."""

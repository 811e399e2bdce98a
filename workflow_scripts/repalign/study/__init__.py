"""One study: config, sheets, their validation, and what its jobs ask of a cluster."""

"""How far do neural networks see objects the way people do?

Import from the submodules: each is small and loads only what it needs. The library takes and returns NumPy
arrays, never reads a config, prints, chooses a device or touches global random state.
"""

__version__ = "0.1.0"

"""Networks of every source behind one face: load, preprocess, name the layers, read them in one pass.

`repalign.models.load` opens a model, `repalign.models.extraction` runs images through it.
"""

"""What people read where the tables have identifiers."""

LABELS = {
    "supervised": "supervised",
    "self_supervised": "self-supervised",
    "self_sup_sup": "self-sup. + sup.",
    "clip": "CLIP",
    "human": "human",
    "random": "random",
}


def spaced(identifier):
    """An identifier with spaces."""
    return str(identifier).replace("_", " ")


def shown(identifier):
    """An identifier as people read it."""
    return LABELS.get(identifier, spaced(identifier))


def paradigm_order(paradigms):
    """Paradigms in the order in which every figure shows them; tags of the user's own last."""
    present = list(dict.fromkeys(paradigms))
    return [name for name in LABELS if name in present] + [name for name in present if name not in LABELS]

"""open_clip: the visual tower of a contrastive language-image model."""

import logging

import open_clip
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

from repalign.errors import InputError
from repalign.inputs.preprocessing import FILES, unknown
from repalign.models import hub
from repalign.models.layers import nearest
from repalign.models.network import Network, seeded
from repalign.models.weights import obtain

ENCODE_IMAGE = "encode_image"


class _Call:
    """Run the visual tower; `encode_image` is its projection into the space shared with text, not normalised."""

    def __init__(self, visual):
        self.visual = visual

    def __call__(self, batch, wanted=frozenset()):
        output = self.visual(batch)
        return {ENCODE_IMAGE: output[0] if isinstance(output, tuple) else output}


def assemble(model, preprocess, **description):
    """A `Network` from the visual tower of an open_clip model."""
    visual = model.visual
    trunk = getattr(visual, "trunk", visual)
    if hasattr(visual, "trunk"):
        prefix = getattr(trunk, "num_prefix_tokens", 0)
        class_token = prefix > 0 and getattr(trunk, "cls_token", None) is not None
    else:
        prefix = int(hasattr(visual, "class_embedding"))
        class_token = prefix > 0
    return Network(
        visual,
        preprocess,
        _Call(visual),
        outputs=(ENCODE_IMAGE,),
        prefix_tokens=prefix,
        class_token=class_token,
        description={
            "preprocessing": repr(preprocess),
            "versions": {"open_clip": open_clip.__version__},
            **description,
        },
    )


def _create(name, **options):
    """Build a model; only what images need of it is kept, and its text tower is loaded from the same file."""
    # A complaint that no weights were asked for, on the root logger, is of no use to who asked for none.
    logging.getLogger().addFilter(_quiet)
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            name, pretrained_hf=False, pretrained_image=False, **options
        )
    finally:
        logging.getLogger().removeFilter(_quiet)
    return model, preprocess


def _quiet(record):
    return "No pretrained weights loaded" not in record.getMessage()


def load(spec, *, cache_dir=None):
    """Load a row of source `open_clip`.

    `identifier` is a model configuration and `weights` its tag, a file or `random:<seed>`; or `identifier` is a
    folder in the layout of the hub (`open_clip_config.json` and weights). `revision` is a hub commit, or the sha256
    of the file at the tag's own address.
    """
    if folder := hub.local_folder(spec.identifier):
        weights = hub.folder_weights(folder)
        config = hub.folder_config(folder, "open_clip_config.json")
        if not spec.preprocessing and not {"mean", "std"} <= config.get("preprocess_cfg", {}).keys():
            raise InputError(unknown(f"Model {spec.model}", f"the folder {folder}"))
        model, preprocess = _create(f"local-dir:{folder}", weights_only=True)
        return assemble(model, preprocess, weights=str(weights.path), sha256=weights.sha256)
    if spec.identifier not in open_clip.list_models():
        raise InputError(
            f"open_clip has no model '{spec.identifier}' (model {spec.model}); "
            f"{nearest(spec.identifier, open_clip.list_models())}."
        )
    if spec.random_seed is not None:
        model, preprocess = seeded(spec.random_seed, lambda: _create(spec.identifier))
        return assemble(model, preprocess)
    config = get_pretrained_cfg(spec.identifier, spec.weights)
    if config:
        refuse_other_activation(spec, config)
        weights = _tag_weights(config, spec, cache_dir)
    elif spec.weights.lower().endswith(FILES):
        weights = obtain(spec.weights, spec.revision, cache_dir=cache_dir)
    else:
        raise InputError(
            f"open_clip has no weights '{spec.weights}' for {spec.identifier} (model {spec.model}); it has "
            f"{', '.join(list_pretrained_tags_by_model(spec.identifier))}."
        )
    normalisation = {f"image_{key}": config[key] for key in ("mean", "std", "interpolation") if key in config}
    normalisation |= {"image_resize_mode": config["resize_mode"]} if "resize_mode" in config else {}
    model, preprocess = _create(
        spec.identifier, pretrained=str(weights.path), weights_only=True, **normalisation
    )
    return assemble(
        model, preprocess, weights=str(weights.path), sha256=weights.sha256, commit=weights.commit
    )


def refuse_other_activation(spec, config):
    """Weights trained with QuickGELU in a model with GELU load without complaint and are wrong."""
    trained = config.get("quick_gelu", False)
    if trained != open_clip.get_model_config(spec.identifier).get("quick_gelu", False):
        other = f"{spec.identifier}-quickgelu" if trained else spec.identifier.removesuffix("-quickgelu")
        raise InputError(
            f"The weights '{spec.weights}' of model {spec.model} were trained with "
            f"{'QuickGELU' if trained else 'GELU'}; write the identifier {other}."
        )


def _tag_weights(config, spec, cache_dir):
    repository, _, filename = config.get("hf_hub", "").rpartition("/")
    if repository and (not spec.revision or hub.is_commit(spec.revision)):
        names = [filename] if filename else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
        return hub.snapshot(repository, spec.revision, names=names)[1]
    return obtain(config["url"], spec.revision, cache_dir=cache_dir)

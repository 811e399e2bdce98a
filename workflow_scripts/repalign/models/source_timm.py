"""timm: architecture and tag of its registry, or a folder or file that it saved."""

import timm
from timm.data import ImageNetInfo, create_transform, infer_imagenet_subset, resolve_model_data_config
from timm.models import get_pretrained_cfg, list_pretrained

from repalign.errors import InputError
from repalign.inputs.preprocessing import unknown
from repalign.models import hub
from repalign.models.layers import nearest
from repalign.models.network import Network, seeded
from repalign.models.weights import WeightsFile, obtain

PRE_LOGITS = "pre_logits"


class _Call:
    """Run a timm model; `pre_logits` is what its classifier reads, pooled and normalised as in training."""

    def __init__(self, module):
        self.module = module

    def __call__(self, batch, wanted=frozenset()):
        features = self.module.forward_features(batch)
        self.module.forward_head(features)
        if PRE_LOGITS in wanted:
            return {PRE_LOGITS: self.module.forward_head(features, pre_logits=True)}
        return {}


def registered(identifier, model):
    """An architecture that timm knows, or `InputError`."""
    if not timm.is_model(identifier):
        raise InputError(
            f"timm has no model '{identifier}' (model {model}); {nearest(identifier, timm.list_models())}."
        )
    return identifier


def assemble(module, preprocess=None, **description):
    """A `Network` from a timm module."""
    if preprocess is None:
        preprocess = create_transform(**resolve_model_data_config(module), is_training=False)
    prefix = getattr(module, "num_prefix_tokens", 0)
    has_class_token = bool(getattr(module, "has_class_token", getattr(module, "cls_token", None) is not None))
    return Network(
        module,
        preprocess,
        _Call(module),
        outputs=(PRE_LOGITS,),
        prefix_tokens=prefix,
        class_token=has_class_token and prefix > 0,
        description={
            "preprocessing": repr(preprocess),
            "versions": {"timm": timm.__version__},
            **description,
        },
    )


def load(spec, *, cache_dir=None):
    """Load a row of source `timm`.

    `identifier` is an architecture and `weights` its tag or `random:<seed>`; or `identifier` is a folder that
    `timm.models.save_for_hf` wrote. `revision` is a hub commit, or the sha256 of the file at the tag's own address.
    """
    if folder := hub.local_folder(spec.identifier):
        weights = hub.folder_weights(folder)
        if not spec.preprocessing and not {"mean", "std"} <= saved_config(folder).keys():
            raise InputError(unknown(f"Model {spec.model}", f"the folder {folder}"))
        module = timm.create_model(f"local-dir:{folder}", pretrained=True)
        return _trained(module, weights=str(weights.path), sha256=weights.sha256)
    identifier = registered(spec.identifier, spec.model)
    if spec.random_seed is not None:
        return assemble(seeded(spec.random_seed, lambda: timm.create_model(identifier, pretrained=False)))
    name = f"{identifier}.{spec.weights}"
    if name not in list_pretrained(f"{identifier}.*"):
        tags = [other.split(".", 1)[1] for other in list_pretrained(f"{identifier}.*")]
        raise InputError(
            f"timm has no weights '{spec.weights}' for {identifier} (model {spec.model}); it has {', '.join(tags)}."
        )
    weights = _weights(get_pretrained_cfg(name), spec, cache_dir)
    module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=_overlay(weights))
    return _trained(module, weights=str(weights.path), sha256=weights.sha256, commit=weights.commit)


def saved_config(folder):
    """What `save_for_hf` wrote of the pretraining beside the weights."""
    config = hub.folder_config(folder, "config.json")
    return config.get("pretrained_cfg", config)


def _trained(module, **description):
    """A `Network` with its classifier and what timm knows of its classes."""
    classes = module.pretrained_cfg.get("label_names") or ()
    if not classes and (subset := infer_imagenet_subset(module)):
        classes = ImageNetInfo(subset).label_names()
    return assemble(module, **description).classifying(module, module.get_classifier(), classes)


def _overlay(weights: WeightsFile):
    # A file in place of the address; foreign formats (npz) exist at addresses only, never on the hub.
    return {"file": str(weights.path), "custom_load": weights.path.suffix == ".npz"}


def _weights(config, spec, cache_dir):
    if config.hf_hub_id and (not spec.revision or hub.is_commit(spec.revision)):
        names = (
            [config.hf_hub_filename] if config.hf_hub_filename else ["model.safetensors", "pytorch_model.bin"]
        )
        return hub.snapshot(config.hf_hub_id, spec.revision, names=names)[1]
    if not config.url:
        raise InputError(
            f"Model {spec.model} pins a sha256, but timm names no address for {spec.identifier}.{spec.weights}; pin a "
            "hub commit of 40 digits."
        )
    return obtain(config.url, spec.revision, cache_dir=cache_dir)

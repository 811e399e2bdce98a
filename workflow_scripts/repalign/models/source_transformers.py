"""transformers: vision models of the hub, with their hidden states."""

import contextlib

import torch
import transformers
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageClassification
from transformers.utils import logging

from repalign.errors import InputError
from repalign.inputs.preprocessing import unknown
from repalign.models import hub
from repalign.models.network import Network, seeded
from repalign.models.weights import last_layer

HIDDEN = "hidden_states"


class Preprocess:
    """A hub image processor as a function from one image to one tensor."""

    def __init__(self, processor):
        self.processor = processor

    def __call__(self, image):
        return self.processor(images=image.convert("RGB"), return_tensors="pt")["pixel_values"][0]

    def __repr__(self):
        return " ".join(repr(self.processor).split())


class _Call:
    """Run a vision model; `hidden_states.0` is the embedding output, `hidden_states.i` that of block i."""

    def __init__(self, module, outputs):
        self.module, self.outputs = module, outputs

    def __call__(self, batch, wanted=frozenset()):
        options = {}
        if self.module.config.model_type == "vit_mae":
            # Without masking, and with the patches in their order: the model shuffles them by this noise.
            patches = (batch.shape[-1] // self.module.config.patch_size) ** 2
            options["noise"] = torch.arange(patches, dtype=torch.float32, device=batch.device).repeat(
                len(batch), 1
            )
        output = self.module(pixel_values=batch, output_hidden_states=True, **options)
        found = {f"{HIDDEN}.{i}": state for i, state in enumerate(output.hidden_states)}
        found |= {
            name: output[name]
            for name in ("last_hidden_state", "pooler_output", "image_embeds")
            if name in output
        }
        return {name: found[name] for name in wanted if name in found}


def _vision(module):
    """The vision tower of a two-tower model, or the model itself."""
    return (
        module.vision_model if hasattr(module, "vision_model") and hasattr(module, "text_model") else module
    )


def _assemble(module, preprocess, **description):
    module = _vision(module)
    config = module.config
    if config.model_type == "vit_mae":
        config.mask_ratio = 0.0
    tokens = [name.rsplit(".", 1)[-1] for name, _ in module.named_parameters()]
    class_token = any(name in ("cls_token", "class_embedding") for name in tokens)
    prefix = (
        int(class_token) + int("distillation_token" in tokens) + getattr(config, "num_register_tokens", 0)
    )
    depth = getattr(config, "num_hidden_layers", None)
    if depth is None:
        depth = len(config.depths)
    outputs = [f"{HIDDEN}.{i}" for i in range(depth + 1)] + ["last_hidden_state", "pooler_output"]
    return Network(
        module,
        preprocess,
        _Call(module, outputs),
        outputs=tuple(outputs),
        prefix_tokens=prefix,
        class_token=class_token,
        description={
            "preprocessing": repr(preprocess),
            "versions": {"transformers": transformers.__version__},
            **description,
        },
    )


def load(spec, *, cache_dir=None):
    """Load a row of source `transformers`.

    `identifier` is a repository of the hub, pinned by `revision` (a commit), or a local folder; `weights` is empty or
    `random:<seed>`. Code that comes with a repository is never run.
    """
    folder = hub.local_folder(spec.identifier)
    if spec.weights and spec.random_seed is None:
        raise InputError(
            f"Model {spec.model} has the weights '{spec.weights}', but in transformers the identifier names them; "
            "leave weights empty or write random:<seed>."
        )
    if folder is None:
        if spec.revision and not hub.is_commit(spec.revision):
            raise InputError(
                f"Model {spec.model} pins '{spec.revision}'; transformers needs a hub commit of 40 digits."
            )
        folder, weights = hub.snapshot(spec.identifier, spec.revision)
    elif spec.random_seed is None:
        weights = hub.folder_weights(folder)
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        if not spec.preprocessing and not (folder / "preprocessor_config.json").is_file():
            raise InputError(unknown(f"Model {spec.model}", spec.identifier))
        preprocess = None
        if not spec.preprocessing:
            preprocess = Preprocess(
                AutoImageProcessor.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
            )
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(
            f"{spec.identifier} (model {spec.model}) cannot be opened by transformers {transformers.__version__} "
            f"without running its own code ({str(error).splitlines()[0][:120]}); choose another model."
        ) from error
    if spec.random_seed is not None:
        module = seeded(spec.random_seed, lambda: AutoModel.from_config(config, trust_remote_code=False))
        return _assemble(module, preprocess)
    # Fine-tuned models come with their class scores, which `AutoModel` would leave out.
    classifies = (config.architectures or [""])[0].endswith("ForImageClassification")
    kind = AutoModelForImageClassification if classifies else AutoModel
    with _quiet():
        module, report = kind.from_pretrained(
            folder,
            config=config,
            trust_remote_code=False,
            local_files_only=True,
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    _refuse_random_parts(report, weights.path, spec.model)
    network = _assemble(
        module.base_model if classifies else module,
        preprocess,
        weights=str(weights.path),
        sha256=weights.sha256,
        commit=weights.commit,
    )
    if not classifies:
        return network
    linear = module.get_submodule(last_layer(module))
    classes = tuple(name for _, name in sorted(config.id2label.items()))
    return network.classifying(module, linear, classes)


@contextlib.contextmanager
def _quiet():
    """No list of the decoder's tensors, which nobody needs, and no bar for one file; `_refuse_random_parts` checks."""
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def _refuse_random_parts(report, path, model):
    """transformers fills what a checkpoint lacks with random numbers; only an unused pooler may be."""
    missing = [name for name in report["missing_keys"] if "pooler" not in name]
    if missing or report.get("mismatched_keys"):
        names = sorted(missing) or sorted(str(entry) for entry in report["mismatched_keys"])
        raise InputError(
            f"{path} lacks {names[0]} (and {len(names) - 1} more) of model {model}; the checkpoint is unfit."
        )

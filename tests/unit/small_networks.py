"""Networks small enough to be made and saved within a test."""

import transformers

TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 8,
}


TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 50, "width": 32, "heads": 2, "layers": 1},
}


def save_transformer(folder, kind):
    config = getattr(transformers, f"{kind}Config")(**TINY)
    original = getattr(transformers, f"{kind}Model")(config).eval()
    original.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    transformers.ViTImageProcessor(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(
        folder
    )
    return original


def backbone(module, head):
    return {name: tensor for name, tensor in module.state_dict().items() if not name.startswith(head)}

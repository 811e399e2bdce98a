"""The final classifier of a network, and the layer that it reads."""

import numpy as np
import pytest
import timm
import torch
import torchvision
import transformers
from PIL import Image
from repalign.models.capture import reader
from repalign.models.classifier import final_classifier
from repalign.models.load import load
from repalign.models.network import ModelSpec
from small_networks import TINY, backbone, save_transformer


def scores_by_hand(network, found, pooling=""):
    """Scores of an image from the features of the layer and the stored weights, and the image."""
    pixels = np.random.default_rng(1).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    batch = network.preprocess(Image.fromarray(pixels))[None]
    features = reader(network, [found.layer], pooling)(batch)[found.layer].numpy()
    return features @ found.weight.T + found.bias, batch


def agrees(scores, expected):
    return np.allclose(scores, expected.detach().numpy(), rtol=1e-3, atol=1e-4)


def test_timm_classifies_from_pre_logits_and_names_its_classes(tmp_path):
    original = timm.create_model("test_vit", num_classes=3).eval()
    names = {"label_names": ["ant", "bee", "cat"]}
    timm.models.save_for_hf(original, tmp_path / "net", model_config=names, safe_serialization=True)
    network = load(ModelSpec("m", "timm", str(tmp_path / "net")))
    found = final_classifier(network, ["blocks.1"], "class_token")
    assert (found.layer, found.classes) == ("pre_logits", ("ant", "bee", "cat"))
    scores, batch = scores_by_hand(network, found)
    assert agrees(scores, original(batch))


def test_torchvision_classifies_from_the_layer_of_the_sheet(tmp_path):
    original = torchvision.models.resnet18(num_classes=4).eval()
    torch.save(original.state_dict(), tmp_path / "net.pth")
    network = load(ModelSpec("m", "torchvision", "resnet18", str(tmp_path / "net.pth"), "", "imagenet"))
    found = final_classifier(network, ["layer3", "layer4", "avgpool"], "average")
    # The pooled layer4 is the same as avgpool; the later one is named.
    assert found.layer == "avgpool"
    assert found.weight.shape == (4, 512)
    scores, batch = scores_by_hand(network, found, "average")
    assert agrees(scores, original(batch))
    assert final_classifier(network, ["layer3"], "average") is None


@pytest.mark.parametrize(
    ("kind", "layer"),
    [("ViT", "last_hidden_state"), ("Beit", "pooler_output"), ("Data2VecVision", "pooler_output")],
)
def test_transformers_classify_from_their_summary(tmp_path, kind, layer):
    save_transformer(tmp_path / "net", kind)
    config = getattr(transformers, f"{kind}Config")(
        **TINY, num_labels=3, id2label={0: "ant", 1: "bee", 2: "cat"}
    )
    original = getattr(transformers, f"{kind}ForImageClassification")(config).eval()
    original.save_pretrained(tmp_path / "net")
    network = load(ModelSpec("m", "transformers", str(tmp_path / "net")))
    found = final_classifier(network, ["hidden_states.2", "hidden_states.3"], "class_token")
    assert (found.layer, found.classes) == (layer, ("ant", "bee", "cat"))
    scores, batch = scores_by_hand(network, found, "class_token")
    assert agrees(scores, original(batch).logits)


def test_networks_without_class_labels_have_none(tmp_path):
    save_transformer(tmp_path / "net", "ViT")
    assert (
        final_classifier(load(ModelSpec("m", "transformers", str(tmp_path / "net"))), ["hidden_states.3"])
        is None
    )
    assert final_classifier(load(ModelSpec("m", "timm", "test_vit", "random:0")), ["pre_logits"]) is None
    torch.save({"model": backbone(timm.create_model("test_vit"), "head")}, tmp_path / "mae.pth")
    network = load(ModelSpec("m", "checkpoint", "timm:test_vit", str(tmp_path / "mae.pth"), "", "imagenet"))
    assert final_classifier(network, ["norm"]) is None

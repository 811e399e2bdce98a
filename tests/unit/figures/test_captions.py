from pathlib import Path

import jinja2
import pandas as pd
import pytest
from repalign.figures.captions import count, names, render_caption

CAPTIONS = Path(__file__).resolve().parents[3] / "config/captions"


def test_numbers_and_names_read_as_prose():
    assert count(1, "model") == "one model"
    assert count(27, "model") == "27 models"
    assert names(["clip", "self_sup_sup", "my_tag"]) == "CLIP, self-sup. + sup. and my tag"


def test_a_caption_is_filled_from_the_data_and_the_settings():
    data = pd.DataFrame({"value": [0.1, 0.256]})
    text = render_caption(
        "Highest {{ data.value.max() | percent }}\n of {{ len(data) | count('score') }}.", data
    )
    assert text == "Highest 25.6% of two scores."


def test_an_unknown_name_in_a_caption_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="nothing_of_the_kind"):
        render_caption("{{ nothing_of_the_kind }}", pd.DataFrame())


def test_no_template_holds_a_number_of_a_result():
    """Percentages and decimals come from the data, never from the template."""
    for path in CAPTIONS.glob("*.j2"):
        prose = jinja2.Environment().parse(path.read_text())
        text = "".join(node.data for output in prose.find_all(jinja2.nodes.Output) for node in output.nodes
                       if isinstance(node, jinja2.nodes.TemplateData))  # fmt: skip
        assert "%" not in text, path
        assert not [
            word for word in text.split() if any(c.isdigit() for c in word) and "." in word.strip(".,;")
        ], path

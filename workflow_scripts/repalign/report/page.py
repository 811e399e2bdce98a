"""Put the page together: template, style, scripts, data, pictures."""

import base64
import io
import re
from pathlib import Path

import jinja2

from repalign.labels import shown

HERE = Path(__file__).parent
PICTURE_WIDTH = 1400


def render_page(**content):
    """The HTML of the report.

    Parameters
    ----------
    content : what `page.html.j2` names. Text is escaped; only what the package itself wrote (style, scripts, base64)
        goes in as it is.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["shown"] = shown
    libraries = [inline(vega_bundle()), inline(datatables_bundle())]
    return environment.get_template("page.html.j2").render(
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        library_css=datatables_css(),
        libraries=libraries,
        script=inline((HERE / "page.js").read_text(encoding="utf-8")),
        **content,
    )


def inline(script):
    """JavaScript that may stand inside a script element: nothing in it ends the element or opens a comment."""
    return re.sub(r"<(/script|!--)", r"<\\\1", script, flags=re.IGNORECASE)


def vega_bundle():
    """Vega, Vega-Lite and Vega-Embed as one script that sets `window.vegaEmbed`."""
    import vl_convert

    return vl_convert.javascript_bundle()


def datatables_bundle():
    """DataTables as one module that sets `window.DataTable`."""
    text = _itables("dt_bundle.js").read_text(encoding="utf-8")
    exported = re.search(r"export\s*\{([^}]*)\}", text)
    name = re.search(r"([\w$]+) as default", exported[1])[1]
    return f"{text[: exported.start()]}window.DataTable = {name};{text[exported.end() :]}"


def datatables_css():
    """Style of DataTables."""
    return _itables("dt_bundle.css").read_text(encoding="utf-8")


def _itables(name):
    import itables

    return Path(itables.__file__).parent / "html" / name


def picture(path, width=PICTURE_WIDTH):
    """A picture as a data URL, reduced to a width: (URL, width, height). WebP keeps colours, a palette does not."""
    from PIL import Image

    with Image.open(path) as image:
        image = image.convert("RGB")
        if image.width > width:
            image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=90, method=4)
        return _data_url(buffer, "webp"), image.width, image.height


def thumbnail(path, side=72):
    """An image as a small square data URL."""
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        buffer = io.BytesIO()
        ImageOps.fit(image.convert("RGB"), (side, side)).save(buffer, "JPEG", quality=70)
        return _data_url(buffer, "jpeg")


def _data_url(buffer, kind):
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"

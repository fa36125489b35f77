"""The site: the chapters executed as they are built, every picture and number computed by convspec.

Pages load nothing from another host.  Mathematics is set by MathJax, which a package brings along.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))
# The kernels that execute the pages find `figures` in the same place.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE / "extensions"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

import convspec  # noqa: E402 - Sphinx loads this file on its own, with nothing on its path

project = "convspec"
author = "the convspec authors"
copyright = "the convspec authors"  # noqa: A001 - the name that Sphinx reads
release = convspec.__version__
language = "en"

extensions = [
    *("myst_nb", "sphinx.ext.mathjax", "sphinx-mathjax-offline"),
    *("accessible", "commands", "definitions", "explorer", "generated"),
]
exclude_patterns = ["_build", "_templates", "explorer/**", "extensions"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4
# Executed every time: a page that no longer runs is an error, and no result is older than the code.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

html_theme = "furo"
html_title = "convspec"
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["pictures.css"]
html_copy_source = False
html_show_sourcelink = False

"""Sphinx builds the site from here. Its source folder is the repository, so links work there and on the site alike."""

from __future__ import annotations

import sys
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
import reference

from artifact.version import VERSION

project = "Ferryman"
version = release = VERSION
copyright = "Ferryman's authors, Apache-2.0"  # noqa: A001 # Sphinx' name

root_doc = "docs/index"
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/**", "monitoring/runbooks/*"]
# What is skipped is not walked through either.
exclude_patterns = [".*", "build", "benchmarks", "e2e-results", "infra", "inference", "release", "tests", "training"]

extensions = ["myst_parser", "sphinx_copybutton"]
# So deep do links to headings reach: `page.md#heading`, in GitHub's spelling.
myst_heading_anchors = 4

html_theme = "furo"
html_title = "Ferryman"
html_static_path = ["style.css"]
html_css_files = ["style.css"]
html_extra_path = ["root"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": False}

# The prompt and what is printed are not copied.
copybutton_prompt_text = r"\$ |> "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True


def _reference(_: Sphinx, page: str, source: list[str]) -> None:
    """Put the generated tables where a page of the reference asks for them."""
    for marker, generated in reference.PAGES.items():
        if page == f"docs/reference/{marker}":
            source[0] = source[0].replace(f"<!-- generated: {marker} -->", generated())


def _marks(_: Sphinx, page: nodes.document) -> None:
    """Give the marks of what is executed, and of what is not, a look of their own."""
    for paragraph in page.findall(nodes.paragraph):
        first = paragraph[0] if paragraph.children else None
        if isinstance(first, nodes.emphasis):
            words = first.astext()
            if words.startswith("Not "):
                paragraph["classes"].append("mark-not-executed")
            elif words.startswith(("Executed by", "Shown by")):
                paragraph["classes"].append("mark-executed")


def setup(app: Sphinx) -> None:
    """Connect both to Sphinx."""
    app.connect("source-read", _reference)
    app.connect("doctree-read", _marks)

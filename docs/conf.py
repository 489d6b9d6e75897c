"""The documentation as a site: ``make docs``."""

project = "Training neural networks: a lab course"
extensions = ["myst_parser"]
exclude_patterns = ["pictures"]
html_theme = "furo"
html_title = project
html_extra_path = ["result.schema.json"]
myst_heading_anchors = 4
# A link that leads nowhere ends the build: see the Makefile.
nitpicky = True

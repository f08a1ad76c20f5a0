"""The format `html`: one file for people, with a picture, a table that can be searched, and what to do."""

from amiguard.report.html.render import render_html

__all__ = ["render_html"]

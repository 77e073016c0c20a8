"""Markdown to HTML: CommonMark by markdown-it-py, then cleaned as an e-mail's HTML is.

HTML written in the Markdown is shown, not used. Pure. Called by `core.template_filters`, which pays `cost` first.
"""

from typing import Final

from markdown_it import MarkdownIt

from xnovu.core import sanitise

_STEPS_PER_CHARACTER: Final = 20
"""Measured on its worst input, brackets that never close: a rendering has budget for about 10,000 characters."""

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})


def cost(text: str) -> int:
    """Steps that `to_html` takes at most."""
    return len(text) * _STEPS_PER_CHARACTER


def to_html(text: str) -> str:
    """A line break is kept as one, as people mean it in a message."""
    return sanitise.email(_MARKDOWN.render(text)).strip()

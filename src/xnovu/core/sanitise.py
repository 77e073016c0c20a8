"""HTML made harmless, and HTML made text, by nh3 (ammonia): it parses as browsers do and writes anew what is allowed.

One allow-list for each place: an e-mail's body with its tables and a few styles that can load nothing, the inbox with
text marks and links only. Addresses are absolute and of a scheme that runs nothing. Pure. Called by the template
modules, which pay `cost` from their budget first.
"""

import html
import re
from typing import Final

import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_INBOX_TAGS: Final = _words(
    "a abbr b br code del em i ins kbd li mark ol p s small span strong sub sup u ul"
)
_EMAIL_TAGS: Final = _INBOX_TAGS | _words(
    "blockquote caption center cite col colgroup dd div dl dt font h1 h2 h3 h4 h5 h6 hr img pre q samp table tbody td"
    " tfoot th thead tr"
)
_CELL: Final = _words("align bgcolor colspan height rowspan style valign width")
_EMAIL_ATTRIBUTES: Final = {
    **dict.fromkeys(_EMAIL_TAGS, _words("align dir lang style")),
    "a": _words("dir href lang style title"),
    "col": _words("span style width"),
    "font": _words("color face size"),
    "img": _words("alt height src style width"),
    "ol": _words("start style type"),
    "table": _words("align bgcolor border cellpadding cellspacing height role style width"),
    "td": _CELL,
    "th": _CELL,
    "tr": _words("align bgcolor style valign"),
}
_INBOX_ATTRIBUTES: Final = {"a": _words("href title")}
_STYLES: Final = _words(
    "background-color border border-bottom border-collapse border-color border-left border-radius border-right"
    " border-spacing border-style border-top border-width color direction display font-family font-size font-style"
    " font-weight height letter-spacing line-height margin margin-bottom margin-left margin-right margin-top max-width"
    " min-width padding padding-bottom padding-left padding-right padding-top text-align text-decoration"
    " text-transform vertical-align white-space width word-break"
)
"""Properties that load nothing and cannot lay one thing over another."""

_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
_IMAGE: Final = re.compile(r"\s*https?:", re.IGNORECASE)
_FETCHES: Final = re.compile(r"[<@\\]|(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(", re.IGNORECASE)
_SILENT: Final = _words(
    "head iframe math noembed noframes noscript object script select style svg template textarea title xmp"
)
"""Elements whose content is dropped too."""

_BLOCK_TAGS: Final = _words(
    "blockquote br caption dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table tbody td tfoot th thead tr ul"
)
_LINES: Final = (
    (re.compile(r"<li>"), "\n- "),
    (re.compile(r"</li>"), ""),
    (re.compile(r"</?[a-z0-9]+>"), "\n"),
)
_BLANK_LINES: Final = re.compile(r"\n\s*\n\s*")
_OPENS_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
"""In HTML a `<` opens something before these only (WHATWG, 13.2.5.6: tag open state)."""

_TITLE: Final = re.compile(r"<(title|h1|h2)>")


def cost(text: str) -> int:
    """Steps (about a microsecond each) that any function in here takes at most.

    Measured: a tree of n open elements costs the parser n² / 500, an & about two; doubled.
    """
    tags = text.count("<")
    return len(text) // 16 + tags * tags // 250 + 2 * text.count("&")


def email(text: str) -> str:
    """HTML for the body of an e-mail, always closed. No sheets of style, no forms, no classes."""
    return _EMAIL.clean(text)


def inbox(text: str) -> str:
    """HTML for the body of an in-app message: text marks, lists and links."""
    return _INBOX.clean(text)


def inbox_or_text(text: str) -> str:
    """`inbox` where something opens a tag. Anything else stays: an inbox shows & as it is, not as an entity."""
    return inbox(text) if _OPENS_TAG.search(text) else text


def unopened(text: str) -> str:
    """A text in which no tag opens, for inboxes that show text and for those that show HTML: `a<b` becomes `a< b`."""
    return _OPENS_TAG.sub("< ", text)


def to_text(text: str) -> str:
    """The text of HTML: blocks become lines, entities characters. No element of the input survives."""
    one_line = " ".join(_BLOCKS.clean(text).split())
    for pattern, written in _LINES:
        one_line = pattern.sub(written, one_line)
    lines = (" ".join(line.split()) for line in html.unescape(one_line).splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def title_of(text: str) -> str:
    """The text of the first title or heading of HTML, else the first line of its text."""
    known = _TITLES.clean(text)
    first = _TITLE.search(known)
    if first is None:
        return to_text(text).split("\n", 1)[0]
    end = known.find(f"</{first[1]}>", first.end())
    inner = known[first.end() : end]
    # Nothing in a title is an element to a parser; people write them all the same.
    written = html.unescape(inner) if first[1] == "title" else inner
    return " ".join(to_text(written).split())


def _harmless(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        # A function in a value could fetch in one client or another; colours are functions too.
        return None if _FETCHES.search(value) else value
    if (tag, name) == ("img", "src"):
        return value if _IMAGE.match(value) else None
    return value


_EMAIL: Final = nh3.Cleaner(
    tags=_EMAIL_TAGS,
    clean_content_tags=_SILENT,
    attributes=_EMAIL_ATTRIBUTES,
    attribute_filter=_harmless,
    filter_style_properties=_STYLES,
    url_schemes=_SCHEMES,
    url_relative="deny",
)
_INBOX: Final = nh3.Cleaner(
    tags=_INBOX_TAGS,
    clean_content_tags=_SILENT,
    attributes=_INBOX_ATTRIBUTES,
    url_schemes=_SCHEMES,
    url_relative="deny",
)
_BLOCKS: Final = nh3.Cleaner(
    tags=_BLOCK_TAGS, clean_content_tags=_SILENT, attributes={}, link_rel=None
)
_TITLES: Final = nh3.Cleaner(
    tags={"title", "h1", "h2"}, clean_content_tags=_SILENT - {"title"}, attributes={}
)

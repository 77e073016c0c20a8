"""HTML made harmless, and HTML made text. An allow-list writes everything anew; what is not on it is dropped.

For values that somebody else wrote and that a template shows on purpose as HTML. Not a mail-client-proof style
sanitiser: there is no CSS at all. Pure. Called by `core.template_filters`.
"""

import html
import re
import string
from typing import Final
from urllib.parse import urlsplit

from typing_extensions import override


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS: Final = _words(
    "a abbr b blockquote br caption cite code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q"
    " s samp small span strong sub sup table tbody td tfoot th thead tr u ul"
)
_INLINE: Final = _words(
    "a abbr b br code del em i ins kbd li mark ol p s small span strong sub sup u ul"
)
_VOID: Final = frozenset({"br", "hr", "img"})
_BLOCKS: Final = _words(
    "blockquote br caption dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table tbody td tfoot th thead tr ul"
)
_ATTRIBUTES: Final = {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "td": frozenset({"colspan", "rowspan"}),
    "th": frozenset({"colspan", "rowspan"}),
}
_LINKS: Final = frozenset({"href", "src"})
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
_SILENT: Final = _words(
    "script style head title template noscript iframe object svg math textarea select xmp noembed noframes"
)
"""Elements whose content is dropped too."""

_LONGEST_TAG: Final = 2048
_DEEPEST: Final = 100
_TAG: Final = re.compile(
    r"""<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*+)(?P<attributes>(?:[\s/](?:[^<>"']++|"[^"]*+"|'[^']*+')*+)?)>"""
)
_ATTRIBUTE: Final = re.compile(
    r"""(?P<name>[A-Za-z][A-Za-z0-9-]*+)(?:\s*+=\s*+(?P<value>"[^"]*+"|'[^']*+'|[^\s"'>]++))?"""
)
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_BLANK_LINES: Final = re.compile(r"\n\s*\n\s*")


def sanitise(text: str, *, inline: bool = False) -> str:
    """HTML with allowed elements and attributes only, always closed. `inline`: without headings, tables, images."""
    return _Cleaner(_INLINE if inline else _TAGS).run(text)


def to_text(text: str) -> str:
    """The text of HTML: blocks become lines, entities characters. No element of the input survives."""
    plain = _Text().run(text)
    lines = (" ".join(line.split()) for line in plain.splitlines())
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def safe_link(address: str) -> bool:
    """Whether an address may stand in a link: absolute, with a scheme that runs nothing."""
    cleaned = "".join(address.split())
    try:
        return cleaned.isprintable() and urlsplit(cleaned).scheme.lower() in _SCHEMES
    except ValueError:
        return False


class _Reader:
    """Reads HTML from left to right, once: never slower than its length, unlike `html.parser` on hostile input.

    What is no complete tag is text; the content of `_SILENT` elements, comments and declarations is left out.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []

    def run(self, text: str) -> str:
        lowered = text.lower() if text.isascii() else _ascii_lower(text)
        position = 0
        while (start := text.find("<", position)) >= 0:
            self._data(text[position:start])
            position = self._markup(text, lowered, start)
        self._data(text[position:])
        self._finish()
        return "".join(self._parts)

    def _markup(self, text: str, lowered: str, start: int) -> int:
        """Handle what begins with `<`; answers where to go on."""
        if text.startswith("<!--", start):
            return _after("-->", text, start + 4)
        if text.startswith(("<!", "<?"), start):
            return _after(">", text, start)
        found = _TAG.match(text, start, start + _LONGEST_TAG)
        if found is None:
            self._write("<")
            return start + 1
        tag = found["name"].lower()
        if tag in _SILENT and not found["end"]:
            return _after(">", text, _after(f"</{tag}", lowered, found.end()))
        if tag not in _SILENT and found["end"]:
            self._shut(tag)
        elif tag not in _SILENT:
            self._open(tag, found["attributes"])
        return found.end()

    def _data(self, text: str) -> None:
        if text:
            self._write(html.unescape(text))

    def _finish(self) -> None:
        """What is still to be written at the end."""

    def _open(self, tag: str, attributes: str) -> None:
        raise NotImplementedError

    def _shut(self, tag: str) -> None:
        raise NotImplementedError

    def _write(self, data: str) -> None:
        raise NotImplementedError


def _after(end: str, text: str, start: int) -> int:
    """The position after the next `end`, or the end of the text."""
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _ascii_lower(text: str) -> str:
    """Lower case of the same length: some letters have more than one in lower case."""
    return text.translate(_LOWER)


class _Cleaner(_Reader):
    """Writes allowed elements anew."""

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__()
        self._allowed = allowed
        self._stack: list[str] = []

    @override
    def _open(self, tag: str, attributes: str) -> None:
        if tag not in self._allowed or len(self._stack) >= _DEEPEST:
            return
        known = _ATTRIBUTES.get(tag, frozenset())
        kept: dict[str, str] = {}
        for found in _ATTRIBUTE.finditer(attributes):
            name = found["name"].lower()
            written = found["value"] or ""
            value = html.unescape(written[1:-1] if written[:1] in {'"', "'"} else written)
            if name in known and value and (name not in _LINKS or safe_link(value)):
                kept.setdefault(name, f' {name}="{html.escape(value)}"')
        self._parts.append(f"<{tag}{''.join(kept.values())}>")
        if tag not in _VOID:
            self._stack.append(tag)

    @override
    def _shut(self, tag: str) -> None:
        if tag in self._stack:
            while (last := self._stack.pop()) != tag:
                self._parts.append(f"</{last}>")
            self._parts.append(f"</{tag}>")

    @override
    def _write(self, data: str) -> None:
        self._parts.append(html.escape(data, quote=False))

    @override
    def _finish(self) -> None:
        self._parts.extend(f"</{tag}>" for tag in reversed(self._stack))


class _Text(_Reader):
    """Writes text only."""

    @override
    def _open(self, tag: str, attributes: str) -> None:
        if tag in _BLOCKS:
            self._parts.append("\n- " if tag == "li" else "\n")

    @override
    def _shut(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._parts.append("\n")

    @override
    def _write(self, data: str) -> None:
        self._parts.append(" ".join(data.splitlines()) if data.strip() else " ")

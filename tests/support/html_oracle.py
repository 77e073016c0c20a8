"""What in a piece of HTML could run or fetch something: by Python's own parser, which shares no code with the sanitiser."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

from typing_extensions import override


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


KNOWN = _words(
    "a abbr b blockquote br caption center cite code col colgroup dd del div dl dt em font h1 h2 h3 h4 h5 h6 hr i img ins"
    " kbd li mark ol p pre q s samp small span strong sub sup table tbody td tfoot th thead tr u ul"
)
SCHEMES = {"http", "https", "mailto", "tel"}
ADDRESSES = {"href", "src", "action", "formaction", "background", "data", "xlink:href", "ping"}


class _Oracle(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in KNOWN:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        plain = "".join(char for char in value if char.isprintable() and char != " ").lower()
        if name.startswith("on") or name in {"srcdoc", "srcset", "id", "class", "ping", "target"}:
            self.found.append(f"{tag}.{name}")
        if name in ADDRESSES and value and urlsplit(plain).scheme not in SCHEMES:
            self.found.append(f"{tag}.{name}={plain}")
        if name == "style" and any(
            word in plain
            for word in ("url(", "expression", "\\", "position", "@import", "behavior")
        ):
            self.found.append(f"{tag}.style={plain}")

    @override
    def handle_comment(self, data: str) -> None:
        self.found.append("comment")

    @override
    def handle_decl(self, decl: str) -> None:
        self.found.append("declaration")

    @override
    def handle_pi(self, data: str) -> None:
        self.found.append("instruction")

    @override
    def unknown_decl(self, data: str) -> None:
        self.found.append("declaration")


def dangers(text: str) -> list[str]:
    oracle = _Oracle()
    oracle.feed(text)
    oracle.close()
    return oracle.found

"""The original's spellings, turned into Jinja's before the parser sees them: tokens in, tokens out.

* `{{ value | default: "x" }}` (Liquid) → `| default("x")`
* `xnovu_render('key', { name: 'x' })` (JavaScript) → `{ 'name': 'x' }`
* `{% xnovu_render "key", name: value %}` → a tag of its own, by `RenderTag.parse`

Used by the template modules only. Facts: the two generations of the TypeScript original.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from jinja2 import TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser
from typing_extensions import override

RENDER: Final = "xnovu_render"
INCLUDE: Final = "xnovu include"
LOOP: Final = "xnovu loop"
MEASURED: Final = "xnovu measured"
SLICED: Final = "xnovu sliced"
JOINED: Final = "xnovu joined"
"""Names of the filters that `template_rewriter` puts in. No template can spell them: they hold a space."""

MAX_TOKENS: Final = 6000
"""Words and signs between braces; counted while they are read, before anything is built of them."""

_OPENING: Final = {"lparen": "rparen", "lbrace": "rbrace", "lbracket": "rbracket"}
_CLOSING: Final = frozenset(_OPENING.values())
_ENDS: Final = frozenset({"variable_end", "block_end"})


class RenderTag(Extension):
    """The tag, and the two rewritten spellings."""

    tags = {RENDER}  # noqa: RUF012  # as the base class declares it

    @override
    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        tokens = list(islice(stream, MAX_TOKENS + 1))
        if len(tokens) > MAX_TOKENS:
            raise TemplateSyntaxError(
                f"it has more than {MAX_TOKENS} words and signs", tokens[-1].lineno
            )
        return _arguments(_keys(tokens))

    @override
    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        key = parser.parse_expression()
        pairs: list[nodes.Pair] = []
        while parser.stream.current.type != "block_end":
            parser.stream.skip_if("comma")
            name = parser.stream.expect("name")
            parser.stream.expect("colon")
            value = parser.parse_expression()
            pairs.append(nodes.Pair(nodes.Const(name.value), value, lineno=name.lineno))
        call = nodes.Call(
            nodes.Name(RENDER, "load", lineno=line),
            [key, nodes.Dict(pairs, lineno=line)],
            [],
            None,
            None,
            lineno=line,
        )
        return nodes.Output([call], lineno=line)


def _keys(tokens: list[Token]) -> list[Token]:
    """Bare names before a colon, in the objects of a call of `xnovu_render`, become strings."""
    found: list[Token] = []
    open_brackets: list[str] = []
    calls: list[int] = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        if token.type in _OPENING:
            if token.type == "lparen" and before is not None and before.test(f"name:{RENDER}"):
                calls.append(len(open_brackets))
            open_brackets.append(token.type)
        elif token.type in _CLOSING and open_brackets:
            open_brackets.pop()
            if calls and calls[-1] == len(open_brackets):
                calls.pop()
        bare = (
            calls
            and token.type == "name"
            and open_brackets[-1:] == ["lbrace"]
            and before is not None
            and before.type in {"lbrace", "comma"}
            and tokens[index + 1 : index + 2]
            and tokens[index + 1].type == "colon"
        )
        found.append(Token(token.lineno, "string", token.value) if bare else token)
    return found


def _arguments(tokens: list[Token]) -> Iterator[Token]:
    """`| name: a, b` becomes `| name(a, b)`, outside of brackets, where Jinja knows no colon."""
    depth, opened, tag = 0, False, False
    for index, token in enumerate(tokens):
        if token.type == "block_begin":
            tag = tokens[index + 1 : index + 2] != [] and tokens[index + 1].test(f"name:{RENDER}")
        depth += (token.type in _OPENING) - (token.type in _CLOSING)
        if opened and (token.type in _ENDS or (token.type == "pipe" and depth == 0)):
            yield Token(token.lineno, "rparen", ")")
            opened = False
        starts = token.type == "colon" and depth == 0 and index > 1 and not tag and not opened
        if starts and tokens[index - 1].type == "name" and tokens[index - 2].type == "pipe":
            yield Token(token.lineno, "lparen", "(")
            opened = True
        else:
            yield token

"""What our limits cost: a 1 KiB template rendered by XNovu and by plain Jinja2, both with the template compiled.

    python benchmarks/rendering.py

Wanted: at most 1.3 times plain Jinja2 (with autoescape, as an e-mail needs it), and 95 % of renderings or more find
their template compiled. CPU time, so that neighbours on the machine count for little; the least of many rounds.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jinja2

from xnovu.core.contracts.notifications import Channel
from xnovu.core.records import Template
from xnovu.core.template_language import Format
from xnovu.core.templates import Renderer

WANTED = 1.3
ROUNDS = 200
EACH = 20

PARAGRAPH = (
    "<p>Site {{ site.name }} reports {{ reading.value }} {{ reading.unit }} at {{ reading.place }}, above the limit of"
    " {{ limit }}. Please leave by the {{ exit | default('main') }} exit, and call {{ contact.name }}"
    " ({{ contact.phone }}) when you are outside.</p>"
)
LIST = "<ul>{% for step in steps %}<li>{{ loop.index }}. {{ step }}</li>{% endfor %}</ul>"
FILLING = (
    "<p>Stay calm, take nothing with you, help others where you can, and do not use the lift.</p>"
)
SOURCE = PARAGRAPH + "{% if urgent %}<b>Now.</b>{% endif %}" + LIST
SOURCE += FILLING * ((1024 - len(SOURCE)) // len(FILLING) + 1)
SOURCE = SOURCE[:1024]

VALUES: Mapping[str, Any] = {
    "site": {"name": "Plant 3"},
    "reading": {"value": 41.5, "unit": "ppm", "place": "boiler room"},
    "limit": 30,
    "contact": {"name": "Ada & Ben", "phone": "+49 30 1234"},
    "steps": ["switch off", "walk", "gather", "wait"],
    "urgent": True,
}


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call: the least of many rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(EACH):
            work()
        best = min(best, (time.process_time() - started) / EACH)
    return best


def main() -> None:
    plain = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    compiled = plain.from_string(SOURCE)
    library = {"k": Template("k", Channel.EMAIL, None, "Alarm", SOURCE)}
    assert Renderer({}).text(SOURCE, VALUES, "t", Format.EMAIL) == compiled.render(VALUES)
    base = seconds(lambda: compiled.render(VALUES))
    bounded = seconds(lambda: Renderer({}).text(SOURCE, VALUES, "t", Format.EMAIL))
    whole = seconds(lambda: Renderer(library).template("k", VALUES, Channel.EMAIL))
    print(f"template of {len(SOURCE)} characters, all compiled; CPU microseconds a rendering")
    print(f"  plain Jinja2, autoescape        {base * 1e6:7.1f}   1.00")
    print(
        f"  within limits                   {bounded * 1e6:7.1f}   {bounded / base:.2f}   wanted {WANTED}"
    )
    print(f"  and subject, and HTML cleaned   {whole * 1e6:7.1f}   {whole / base:.2f}")


if __name__ == "__main__":
    main()

"""Lint finds what would stop a notification, names where, and is silent where nothing would."""

from xnovu.commands.template_lint import Problem, lint_library, lint_sources
from xnovu.core.contracts.notifications import Channel, WorkflowType
from xnovu.core.records import Template, Workflow


def a_template(key: str, body: str, subject: str | None = None) -> Template:
    return Template(key, Channel.EMAIL, None, subject, body)


def including(key: str, *others: str) -> Template:
    return a_template(key, " ".join(f"{{{{ xnovu_render('{o}', {{}}) }}}}" for o in others))


def a_workflow(overrides: dict[str, object], *channels: Channel) -> Workflow:
    return Workflow(1, "w", WorkflowType.DYNAMIC, None, channels, None, overrides)  # type: ignore[arg-type] # as JSON has it


def test_a_file_with_a_fault_is_named_with_its_line() -> None:
    found = lint_sources({"good.txt": "{{ a }}", "bad.txt": "one\n{{ a }"})
    assert found.looked_at == 2
    (problem,) = found.problems
    assert problem.where == "bad.txt"
    assert "bad.txt, line 2" in problem.message


def test_templates_that_fit_together_are_silent() -> None:
    templates = [including("a", "b", "c"), including("b", "c"), a_template("c", "x", "{{ y }}")]
    workflow = a_workflow({"emailTemplateId": "a"}, Channel.EMAIL)
    assert lint_library(templates, [workflow]).problems == ()


def test_a_fault_in_a_subject_is_found() -> None:
    (problem,) = lint_library([a_template("a", "fine", "{{ broken")], []).problems
    assert problem.where == "template 'a'"


def test_what_is_included_and_not_there_is_named() -> None:
    assert lint_library([including("a", "gone")], []).problems == (
        Problem("template 'a'", "it includes 'gone', which is not there or not published"),
    )


def test_a_circle_is_told_of_each_in_it_and_of_who_leads_into_it() -> None:
    templates = [
        including("a", "b"),
        including("b", "a"),
        including("c", "a"),
        a_template("d", "x"),
    ]
    assert [p.where for p in lint_library(templates, []).problems] == [
        "template 'a'",
        "template 'b'",
        "template 'c'",
    ]


def test_ten_levels_are_the_most() -> None:
    chain = [including(str(n), str(n + 1)) for n in range(10)] + [a_template("10", "end")]
    (problem,) = lint_library(chain, []).problems
    assert (problem.where, "11 deep" in problem.message) == ("template '0'", True)
    assert lint_library(chain[1:], []).problems == ()


def test_a_lattice_of_includes_is_looked_at_once() -> None:
    lattice = [including(f"{n}", f"{n + 1}", f"{n + 1}x") for n in range(9)]
    lattice += [including(f"{n}x", f"{n + 1}", f"{n + 1}x") for n in range(9)]
    lattice += [a_template("9", "end"), a_template("9x", "end")]
    assert lint_library(lattice, []).problems == ()


def test_channels_of_a_workflow_without_their_template_are_named() -> None:
    overrides = {"emailTemplateId": "gone", "smsTemplateId": 3}
    workflow = a_workflow(overrides, Channel.IN_APP)
    found = lint_library([], [workflow])
    assert {p.where for p in found.problems} == {"workflow 'w'"}
    text = " ".join(p.message for p in found.problems)
    for part in (
        "names 'gone'",
        "template_overrides.inAppTemplateId",
        "template_overrides.smsTemplateId",
    ):
        assert part in text

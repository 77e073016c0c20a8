"""What an Enterprise's plan says. Values only."""

from datetime import UTC, datetime

from support.manifests import changed, enterprise

from xnovu.core.api.v1alpha1 import Enterprise
from xnovu.core.contracts.common import CredentialSource
from xnovu.core.ids import FINALIZER
from xnovu.core.plan import (
    AddFinalizer,
    ApplyConfig,
    EnterpriseView,
    Plan,
    Problem,
    ProjectCredentials,
    RemoveFinalizer,
    ShutDown,
    config_of,
    plan_enterprise,
)


def the(**changes: object) -> Enterprise:
    base = {"metadata.uid": "u1", "metadata.generation": 3}
    paths = {key.replace("__", "."): value for key, value in changes.items()}
    return Enterprise.model_validate(changed(enterprise(), base | paths))


def plan(
    found: Enterprise,
    *,
    holder: str | None = None,
    secrets: Problem | None = None,
    projected: bool = True,
    generation: int | None = 3,
) -> Plan:
    return plan_enterprise(EnterpriseView(found, holder, secrets, projected, generation))


HELD = {"metadata__finalizers": [FINALIZER]}
LEAVING = {**HELD, "metadata__deletionTimestamp": datetime(2026, 1, 1, tzinfo=UTC).isoformat()}


def test_a_new_enterprise_is_held_then_given_its_credentials_then_configured() -> None:
    got = plan(the(), projected=False, generation=None)
    assert [type(s) for s in got.steps] == [AddFinalizer, ProjectCredentials, ApplyConfig]


def test_what_is_as_wanted_needs_nothing() -> None:
    assert plan(the(**HELD)) == Plan()


def test_a_change_is_told_with_its_generation() -> None:
    found = the(**HELD)
    assert plan(found, generation=2).steps == (ApplyConfig(config_of(found)),)
    assert config_of(found).generation == 3


def test_a_problem_of_a_secret_stops_everything() -> None:
    problem = Problem("SecretNotFound", "no secret")
    assert plan(the(), secrets=problem, generation=None) == Plan((), problem)


def test_an_id_that_is_taken_is_more_important_than_a_secret() -> None:
    got = plan(the(), holder="other/acme", secrets=Problem("SecretNotFound", "x"), generation=None)
    assert got.steps == ()
    assert got.problem is not None
    assert got.problem.reason == "EnterpriseIdTaken"


def test_an_unknown_zone_is_said_with_its_field() -> None:
    got = plan(the(spec__timeZone="Mars/Base"))
    assert got.problem is not None
    assert got.problem.message.startswith("spec.timeZone")


def test_one_that_leaves_is_shut_down_first() -> None:
    assert plan(the(**LEAVING)).steps == (ShutDown(), RemoveFinalizer())


def test_one_whose_id_is_anothers_leaves_the_others_workflows_alone() -> None:
    assert plan(the(**LEAVING), holder="other/acme").steps == (RemoveFinalizer(),)


def test_by_force_it_leaves_at_once() -> None:
    forced = the(**LEAVING, metadata__annotations={"xnovu.io/force-finalize": "true"})
    assert plan(forced).steps == (RemoveFinalizer(),)


def test_a_named_secret_never_falls_back_to_the_installations() -> None:
    named = config_of(the(spec__novu={"secretRef": {"name": "n"}})).enterprise
    assert named.novu is CredentialSource.ENTERPRISE
    assert named.supabase is CredentialSource.INSTALLATION

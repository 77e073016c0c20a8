"""The same contract, met by Novu's official Python SDK: what it can parse, the sandbox answers exactly enough."""

import novu_py
import pytest
from novu_py.utils import BackoffStrategy, RetryConfig
from support.sandbox_cases import ADA, NOTICE, put

# Without this the SDK retries for up to an hour, under a new idempotency key each time.
ONCE = RetryConfig("none", BackoffStrategy(1, 1, 1, 1), False)


@pytest.fixture
def novu(novu_sandbox):
    key = novu_sandbox.secret_key
    with novu_py.Novu(secret_key=key, server_url=novu_sandbox.url, retry_config=ONCE) as client:
        yield client


def event(**fields):
    return novu_py.TriggerEventRequestDto(workflow_id="notice", **fields)


# The SDK reads its own deprecated fields when it builds a query.
@pytest.mark.filterwarnings("ignore:warning. .. DEPRECATED:DeprecationWarning")
def test_a_trigger_its_feed_and_its_messages(novu_sandbox, novu):
    put(novu_sandbox, NOTICE)
    answer = novu.trigger(
        trigger_event_request_dto=event(
            to={"subscriber_id": "ada", "first_name": "Ada"},
            payload={"title": "Hello"},
            transaction_id="t",
        )
    )
    assert answer.result.status.value == "processed"
    assert answer.result.transaction_id == "t"
    assert answer.headers["ratelimit-limit"] == ["6000"]
    novu_sandbox.settled()
    feed = novu.notifications.list(request={"transaction_id": "t", "page": 0, "limit": 10}).result
    (item,) = feed.data
    assert (item.subscriber.subscriber_id, item.jobs[0].status) == ("ada", "completed")
    one = novu.notifications.retrieve(notification_id=item.id).result
    assert one.transaction_id == "t"
    messages = novu.messages.retrieve(request={"transaction_id": ["t"]}).result
    assert [message.subject for message in messages.data] == ["Hello"]
    novu.messages.delete_by_transaction_id(transaction_id="t")
    assert novu.messages.retrieve(request={}).result.data == []


async def test_the_asynchronous_client_gets_the_same(novu_sandbox):
    put(novu_sandbox, NOTICE)
    key, url = novu_sandbox.secret_key, novu_sandbox.url
    async with novu_py.Novu(secret_key=key, server_url=url, retry_config=ONCE) as novu:
        answer = await novu.trigger_async(
            trigger_event_request_dto=event(to="ada", transaction_id="t")
        )
        assert answer.result.status.value == "processed"
    novu_sandbox.settled()
    assert len(novu_sandbox.deliveries(transactionId="t")) == 1


def test_bulk_and_cancel(novu_sandbox, novu):
    put(novu_sandbox, NOTICE)
    bulk = novu.trigger_bulk(bulk_trigger_event_dto={"events": [event(to="ada"), event(to="ben")]})
    assert [item.status.value for item in bulk.result] == ["processed", "processed"]
    assert novu.cancel(transaction_id="t").result is False


def test_subscribers(novu):
    person = {"subscriber_id": "ada", "first_name": "Ada", "email": ADA["email"]}
    made = novu.subscribers.create(create_subscriber_request_dto=person)
    assert made.result.first_name == "Ada"
    changed = novu.subscribers.patch(
        subscriber_id="ada", patch_subscriber_request_dto={"last_name": "L."}
    )
    assert changed.result.last_name == "L."
    assert novu.subscribers.retrieve(subscriber_id="ada").result.email == ADA["email"]
    assert novu.subscribers.search(request={}).result.total_count == 1
    assert novu.subscribers.delete(subscriber_id="ada").result.acknowledged


def test_workflows(novu_sandbox, novu):
    put(novu_sandbox, NOTICE)
    listed = novu.workflows.list(request={}).result
    assert {workflow.workflow_id for workflow in listed.workflows} == {"notice", "xnovu-dynamic"}
    got = novu.workflows.get(workflow_id="notice").result
    assert (got.name, got.steps[0].type.value) == ("Notice", "in_app")
    generic = novu.workflows.get(workflow_id="xnovu-dynamic").result
    assert [step.type.value for step in generic.steps][:2] == ["in_app", "email"]


@pytest.mark.parametrize(
    ("fault", "status"), [({"kind": "429"}, 429), ({"kind": "5xx"}, 500), ({"kind": "401"}, 401)]
)
def test_errors_keep_their_status(novu_sandbox, novu, fault, status):
    put(novu_sandbox, NOTICE)
    novu_sandbox.fault(**fault)
    with pytest.raises(novu_py.models.NovuError) as caught:
        novu.trigger(trigger_event_request_dto=event(to="ada"))
    assert caught.value.status_code == status


def test_an_unknown_workflow_is_422(novu):
    with pytest.raises(novu_py.models.NovuError) as caught:
        novu.trigger(trigger_event_request_dto=event(to="ada"))
    assert caught.value.status_code == 422

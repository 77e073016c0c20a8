"""Two tenants of one database: whatever one names of the other, it gets nothing and changes nothing.

`tests/database/test_tenants_apart.py` has the functions one by one as the adapter calls them; here are all functions
that there are, found in the catalogue, the fields that a row or a rule can name, people's own access, and the filters.
"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from support.rows import Database, Rows

from xnovu_dev import keys
from xnovu_dev.home import Home
from xnovu_dev.state import Stack

pytestmark = pytest.mark.stack

CANARY = "canary-of-the-neighbour"
"""In every text of the neighbour's, and in nothing that is asked: an answer that quotes the question has none."""

HOLDER = "default/somebody"
STATES = ("PENDING", "PROCESSING", "SENT", "FAILED", "RETRACTED")
TABLES = (
    "typ_notification_category",
    "typ_notification_priority",
    "ent_notification_template",
    "ent_notification_workflow",
    "ent_notification_rule",
    "ent_notification",
    "notification_delivery",
)


def called(servers: Stack, name: str, arguments: dict[str, Any], token: str | None = None) -> Any:
    """As the worker calls it: through PostgREST, with the service role."""
    key = token or servers.supabase.service_role_key
    return httpx.post(
        f"{servers.supabase.url}/rest/v1/rpc/{name}",
        json=arguments,
        headers={"apikey": key, "Authorization": f"Bearer {key}", "Content-Profile": "notify"},
        timeout=15,
    )


def neighbours(rows: Rows) -> tuple[Rows, dict[str, int]]:
    """Another enterprise with a row in every state, and all that a row can name; the canary stands in every text."""
    other = rows.other()
    workflow, _ = other.workflow()
    other.execute(
        "update notify.ent_notification_workflow set description = %s where id = %s",
        CANARY,
        workflow,
    )
    priority = other.one(
        "insert into notify.typ_notification_priority (name, code, sort_order, enterprise_id)"
        " values ('p', %s, 5, %s) returning id",
        f"{CANARY}-{other.enterprise}", other.enterprise,
    )  # fmt: skip
    category = other.one(
        "insert into notify.typ_notification_category (name, code, enterprise_id)"
        " values (%s, %s, %s) returning id",
        f"{CANARY} {uuid4()}", f"{CANARY}-{other.enterprise}", other.enterprise,
    )  # fmt: skip
    other.execute(
        "insert into notify.ent_notification_template"
        " (name, template_key, channel_type, body_template, publish_status, enterprise_id)"
        " values (%s, %s, 'IN_APP', %s, 'PUBLISH', %s)",
        f"t {uuid4()}", f"{CANARY}-{other.enterprise}", CANARY, other.enterprise,
    )  # fmt: skip
    rule = other.one(
        "insert into notify.ent_notification_rule"
        " (name, trigger_type, trigger_config, rule_payload, publish_status, enterprise_id)"
        " values (%s, 'CRON', %s, %s, 'PUBLISH', %s) returning id",
        f"{CANARY} {uuid4()}", Jsonb({"cron": "0 9 * * *"}), Jsonb({"t": CANARY}), other.enterprise,
    )  # fmt: skip
    for status in STATES:
        other.notification(
            name=f"{CANARY} {status} {uuid4()}", payload=Jsonb({"text": CANARY}),
            notification_status=status, claim_owner=HOLDER, dedupe_key=f"{CANARY}-{status}",
            error_details=Jsonb({"reason": CANARY}), subscribers=[CANARY],
            notification_workflow_id=workflow, typ_notification_priority_id=priority,
        )  # fmt: skip
    return other, {"workflow": workflow, "priority": priority, "rule": rule, "category": category}


def everything_of(rows: Rows) -> list[object]:
    """All rows of an enterprise in all tables, as JSON."""
    found: list[object] = []
    for table in TABLES:
        query = sql.SQL(
            "select to_jsonb(t) from notify.{} t where enterprise_id = %s order by t::text"
        ).format(sql.Identifier(table))
        found += rows.connection.execute(query, [rows.enterprise]).fetchall()
    return found


def functions(rows: Rows) -> list[tuple[str, list[tuple[str, str]]]]:
    """What PostgREST can call and can look at rows: name, and the names and types of the arguments.

    It cannot call triggers and functions of a row; what is immutable answers its arguments.
    """
    found = rows.connection.execute(
        "select p.proname, coalesce((select json_agg(json_build_array(a.name, format_type(a.type, null)))"
        "  from unnest(p.proargnames[1:p.pronargs], p.proargtypes::oid[]) a (name, type)), '[]')"
        " from pg_proc p where p.pronamespace = 'notify'::regnamespace and p.prorettype <> 'trigger'::regtype"
        " and p.provolatile <> 'i'"
        " and has_function_privilege('service_role', p.oid, 'execute') order by 1"
    ).fetchall()
    return [
        (name, [(n, t) for n, t in arguments])
        for name, arguments in found
        if not any(t.startswith("notify.") for _, t in arguments)
    ]


def item(mine: Rows, theirs: int, ids: dict[str, int]) -> dict[str, Any]:
    """One element with every member that any of the functions looks at: my enterprise, and all else of the neighbour."""
    return {
        "enterprise_id": mine.enterprise, "notification_id": theirs, "id": theirs, "ids": [theirs],
        "owner": HOLDER, "next_owner": "y/mine", "generation": 0, "status": "SENT",
        "kind": "realtime", "limit": 100, "max_in_flight": 100, "withdrawn": True, "sweep": True,
        "counts": True, "workflow_id": ids["workflow"], "rule_id": ids["rule"], "name": "n",
        "priority": "p-x", "dedupe_key": "k", "payload": {}, "recipients": [], "topics": [],
        "channels": [], "overrides": {}, "tags": [], "subscriber_id": "ada", "channel": "IN_APP",
    }  # fmt: skip


def arguments_of(
    wanted: list[tuple[str, str]], mine: Rows, theirs: int, ids: dict[str, int]
) -> dict[str, Any]:
    by_type: dict[str, Any] = {
        "uuid": mine.enterprise, "bigint": theirs, "integer": 1, "double precision": 1.0,
        "text": "x", "boolean": False, "jsonb": [item(mine, theirs, ids)], "bigint[]": [theirs],
        "text[]": ["ada"], "timestamp with time zone": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    found = {name: by_type[kind] for name, kind in wanted}
    # Filters are objects, reports too; what is a batch is a list.
    objects = {n for n, kind in wanted if kind == "jsonb" and n in {"item", "wanted", "report"}}
    return found | {n: item(mine, theirs, ids) for n in objects}


def test_no_function_that_there_is_answers_or_changes_anything_of_the_neighbour(
    servers: Stack, rows: Rows
) -> None:
    """Also those that come later: they are read from the catalogue. One that takes no enterprise cannot be asked."""
    other, ids = neighbours(rows)
    theirs = other.connection.execute(
        "select id from notify.ent_notification where enterprise_id = %s", [other.enterprise]
    ).fetchall()
    before = everything_of(other)
    asked, answered = set(), set()
    for name, wanted in functions(rows):
        kinds = {kind for _, kind in wanted}
        if not kinds & {"uuid", "jsonb"}:
            continue
        asked.add(name)
        for (notification,) in theirs:
            answer = called(servers, name, arguments_of(wanted, rows, notification, ids))
            assert CANARY not in answer.text, f"{name}: {answer.text}"
            assert other.enterprise not in answer.text, f"{name}: {answer.text}"
            answered |= {name} if answer.is_success else set()
    assert everything_of(other) == before
    # What was refused before it looked at anything proves nothing.
    assert {
        "poll", "claim_notifications", "fetch_notification", "finish_notifications",
        "settle_retraction", "record_shadow", "create_notification", "retract_notification",
        "replay_notification",
    } <= answered, asked - answered  # fmt: skip


def test_the_search_would_find_a_function_that_forgets_the_enterprise(
    servers: Stack, rows: Rows
) -> None:
    other, _ = neighbours(rows)
    (notification,) = other.connection.execute(
        "select id from notify.ent_notification where enterprise_id = %s limit 1",
        [other.enterprise],
    ).fetchone() or (0,)
    answer = called(
        servers,
        "fetch_notification",
        {"enterprise": other.enterprise, "notification": notification},
    )
    assert CANARY in answer.text


async def test_a_row_that_names_what_is_the_neighbours_gets_none_of_it(
    database_of: Database, rows: Rows
) -> None:
    _, ids = neighbours(rows)
    own, _ = rows.workflow()
    plain = rows.notification(notification_workflow_id=own)
    named = rows.notification(
        notification_workflow_id=own,
        typ_notification_priority_id=ids["priority"],
        typ_notification_category_id=ids["category"],
        notification_rule_id=ids["rule"],
    )
    stolen = rows.notification(notification_workflow_id=ids["workflow"])
    database = database_of(rows)
    answer = await database.poll(rows.ask())
    # Their priority is the highest there is; mine is as if it were not there.
    assert [(d.id, d.priority) for d in answer.due] == [(n, 3) for n in (plain, named, stolen)]
    claimed = await database.claim([rows.claim(n) for n in (plain, named, stolen)])
    assert CANARY not in repr(claimed)
    assert [c.workflow is not None for c in claimed] == [True, True, False]
    assert claimed[1].notification is not None
    assert claimed[1].notification.priority is None


async def test_a_template_and_a_dedupe_key_of_the_neighbour_are_not_mine(
    database_of: Database, rows: Rows
) -> None:
    other, _ = neighbours(rows)
    database = database_of(rows)
    assert await database.templates([f"{CANARY}-{other.enterprise}"]) == {}
    _, key = rows.workflow()
    before = everything_of(other)
    made, created = await database.create(rows.wanted(key, f"{CANARY}-PENDING"))
    again, _ = await database.create(rows.wanted(key, f"{CANARY}-PENDING"))
    assert created
    assert again == made
    assert rows.one(
        "select enterprise_id::text from notify.ent_notification where id = %s", made
    ) == (rows.enterprise)
    assert everything_of(other) == before


def signed_in(servers: Stack, enterprise: str) -> str:
    """The token of a person of this enterprise, as Supabase Auth signs it."""
    secret = keys.of_home(Home(servers.kubeconfig.parent)).jwt_secret
    now = int(time.time())
    claims = {"role": "authenticated", "enterprise_id": enterprise, "iat": now, "exp": now + 600}
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode()
        for p in ({"alg": "HS256", "typ": "JWT"}, claims)
    ]
    signature = hmac.digest(secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


def test_people_see_all_of_their_own_and_nothing_of_the_neighbour(
    servers: Stack, rows: Rows
) -> None:
    other, ids = neighbours(rows)
    named = rows.notification(
        notification_workflow_id=ids["workflow"], typ_notification_priority_id=ids["priority"]
    )
    for of in (rows, other):
        of.execute(
            "insert into notify.notification_delivery"
            " (notification_id, enterprise_id, generation, subscriber_id, channel, status, transaction_id)"
            " select id, enterprise_id, 0, 'ada', 'IN_APP', 'sent', 't' from notify.ent_notification"
            " where enterprise_id = %s",
            of.enterprise,
        )  # fmt: skip
    token = signed_in(servers, rows.enterprise)
    headers = {"apikey": token, "Authorization": f"Bearer {token}", "Accept-Profile": "notify"}
    with httpx.Client(base_url=f"{servers.supabase.url}/rest/v1", headers=headers) as http:
        for table in TABLES:
            found = http.get(f"/{table}", params={"limit": 1000})
            assert found.status_code == 200, found.text
            assert {row["enterprise_id"] for row in found.json()} <= {rows.enterprise}, table
            asked = http.get(f"/{table}", params={"enterprise_id": f"eq.{other.enterprise}"})
            assert asked.json() == []
        embedded = http.get(
            "/ent_notification",
            params={
                "id": f"eq.{named}",
                "select": "id,ent_notification_workflow(*),typ_notification_priority(*)",
            },
        )
        assert embedded.json() == [
            {"id": named, "ent_notification_workflow": None, "typ_notification_priority": None}
        ]
    assert called(servers, "poll", {"requests": []}, token).status_code in {401, 403, 404}


HOSTILE = (
    "a)", "a,b", 'a"', 'a","b', "a\\", 'a\\"', ".or", "or(1.eq.1)", "a).or.enterprise_id.not.is.null",
    '") , enterprise_id.neq.("', "a&enterprise_id=not.is.null", "a#", "a?b=c", "%22)", "in.(a)", "*",
    "a%", "null", "{a}", "a;--", "' or '1'='1", "世界", "a b", " a ", "a:b", "\u202e", "\u00e9", "\U0001f389",
    "e\u0301", "\x1f", "\t", "a\r\nb",
)  # fmt: skip


async def test_a_template_key_finds_the_row_of_exactly_this_key(
    database_of: Database, rows: Rows
) -> None:
    """PostgREST reads filters as text: what a tenant writes into a key must stay a key."""
    other = rows.other()
    keys_of: dict[str, str] = {}
    statement = (
        "insert into notify.ent_notification_template"
        " (name, template_key, channel_type, body_template, publish_status, enterprise_id)"
        " values (%s, %s, 'IN_APP', %s, 'PUBLISH', %s)"
    )
    for number, hostile in enumerate(HOSTILE):
        # Each is told apart by what it begins with.
        for of, body in ((rows, "mine"), (other, CANARY)):
            key = f"{of.enterprise[:8]}{hostile}"
            of.connection.execute(statement, [f"t{number}", key, f"{body} {number}", of.enterprise])
            keys_of[key] = body
    database = database_of(rows)
    for number, hostile in enumerate(HOSTILE):
        key = f"{rows.enterprise[:8]}{hostile}"
        found = await database.templates([key])
        assert {k: t.body for k, t in found.items()} == {key: f"mine {number}"}, ascii(hostile)
        assert await database.templates([f"{other.enterprise[:8]}{hostile}"]) == {}
        assert await database.templates([hostile]) == {}, ascii(hostile)
    found = await database.templates(list(keys_of))
    assert set(found) == {k for k, body in keys_of.items() if body == "mine"}


async def test_rows_of_two_tenants_mixed_stay_with_their_own(
    database_of: Database, rows: Rows
) -> None:
    """Each claims all ids there are and gets its own, in one batch with whatever is wrong about the rest."""
    other = rows.other()
    mine, theirs = [], []
    for number in range(40):
        of, ids = (rows, mine) if number % 3 else (other, theirs)
        ids.append(of.notification(notification_status=STATES[number % 5], claim_owner="x"))
    every = sorted([*mine, *theirs])
    for of, own in ((rows, set(mine)), (other, set(theirs))):
        database = database_of(of)
        asked = await database.poll(of.ask(withdrawn=True, sweep=True))
        assert {d.id for d in asked.due} | set(asked.withdrawn) | set(asked.stale) <= own
        claimed = await database.claim([of.claim(n) for n in every])
        seen = {c.notification_id for c in claimed if c.outcome != "Missing"}
        assert seen == own
        assert {c.notification.enterprise_id for c in claimed if c.notification} == {of.enterprise}


def test_the_catalogue_knows_the_tables_of_this_test(rows: Rows) -> None:
    """A new table with an enterprise in it must be looked at here."""
    found = rows.connection.execute(
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relnamespace = 'notify'::regnamespace and c.relkind = 'r'"
        " and a.attname = 'enterprise_id' and has_table_privilege('authenticated', c.oid, 'select')"
    ).fetchall()
    assert {name for (name,) in found} == set(TABLES)


def test_row_level_security_is_on_for_every_table(rows: Rows) -> None:
    open_to_all = rows.connection.execute(
        "select relname from pg_class where relnamespace = 'notify'::regnamespace and relkind = 'r'"
        " and not relrowsecurity"
    ).fetchall()
    assert open_to_all == []


def test_a_person_writes_nothing(servers: Stack, rows: Rows) -> None:
    token = signed_in(servers, rows.enterprise)
    headers = {"apikey": token, "Authorization": f"Bearer {token}", "Content-Profile": "notify"}
    n = rows.notification()
    with httpx.Client(base_url=f"{servers.supabase.url}/rest/v1", headers=headers) as http:
        answers = [
            http.patch("/ent_notification", params={"id": f"eq.{n}"}, json={"name": "mine now"}),
            http.delete("/ent_notification", params={"id": f"eq.{n}"}),
            http.post("/ent_notification", json={"name": "x", "enterprise_id": rows.enterprise}),
        ]
    assert {a.status_code for a in answers} <= {401, 403}
    with pytest.raises(psycopg.Error):
        rows.connection.execute(
            "set role authenticated; insert into notify.ent_notification default values"
        )
    rows.connection.execute("reset role")

-- The round trips of the worker. Each takes and answers a JSON array, so that one call serves many enterprises.
-- Only service_role may call them (see the migration on rights). Ids are locked in order, so that two batches cannot
-- deadlock.

-- Producers write these columns as they like. What is no JSON object is named in `malformed` and answered as an empty one,
-- and a time that no client can hold is clamped, so that such a row ends FAILED with a reason and stops nothing else.
create or replace function notify.jobject(value jsonb) returns jsonb language sql immutable as $$
  select case when jsonb_typeof(value) = 'object' then value else '{}'::jsonb end
$$;

create or replace function notify.jtexts(items text[]) returns jsonb language sql immutable as $$
  select coalesce(jsonb_agg(x order by o) filter (where x is not null), '[]'::jsonb)
  from unnest(items) with ordinality as t (x, o)
$$;

create or replace function notify.due_time(n notify.ent_notification) returns timestamptz language sql stable as $$
  select least(greatest(coalesce(n.scheduled_for, n.created_at), '1970-01-01Z'), '9999-01-01Z')
$$;

create or replace function notify.jitem(n notify.ent_notification) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', n.id, 'enterprise_id', n.enterprise_id, 'name', n.name, 'status', n.notification_status,
    'payload', notify.jobject(n.payload),
    'recipients', notify.jtexts(n.recipients::text[]) || notify.jtexts(n.subscribers),
    'channels', notify.jtexts(n.channels::text[]), 'overrides', notify.jobject(n.overrides),
    'tags', notify.jtexts(n.tags), 'topics', notify.jtexts(n.topics),
    'priority', (select p.code from notify.typ_notification_priority p where p.id = n.typ_notification_priority_id),
    'workflow_id', n.notification_workflow_id, 'generation', n.replay_generation,
    'due_at', notify.due_time(n), 'attempts', n.attempt_count,
    'malformed', to_jsonb(array_remove(array[
      case when jsonb_typeof(n.payload) <> 'object' then 'payload' end,
      case when jsonb_typeof(n.overrides) not in ('object', 'null') then 'overrides' end], null)))
$$;

-- A workflow that this enterprise may use: its own or a global one, published.
create or replace function notify.jworkflow(enterprise uuid, workflow bigint) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', w.id, 'key', w.workflow_key, 'type', w.workflow_type, 'enterprise_id', w.enterprise_id,
    'default_channels', notify.jtexts(w.default_channels::text[]),
    'payload_schema', case when jsonb_typeof(w.payload_schema) = 'object' then w.payload_schema end,
    'template_overrides', notify.jobject(w.template_overrides),
    'malformed', to_jsonb(array_remove(array[
      case when jsonb_typeof(w.payload_schema) not in ('object', 'null') then 'payload_schema' end,
      case when jsonb_typeof(w.template_overrides) not in ('object', 'null') then 'template_overrides' end], null)))
  from notify.ent_notification_workflow w
  where w.id = workflow and (w.enterprise_id = enterprise or w.enterprise_id is null)
    and w.publish_status = 'PUBLISH' and not w.deactivated
$$;

create or replace function notify.is_due(n notify.ent_notification) returns boolean language sql stable as $$
  select n.publish_status = 'PUBLISH' and not n.deactivated
    and (n.scheduled_for is null or n.scheduled_for <= now())
$$;

create or replace function notify.poll_one(r jsonb) returns jsonb language plpgsql stable as $$
declare
  enterprise uuid := (r ->> 'enterprise_id')::uuid;
  scheduled boolean := r ->> 'kind' = 'scheduled';
  shadow boolean := coalesce((r ->> 'shadow')::boolean, false);
  processing int;
  room int;
  answer jsonb;
begin
  select count(*) into processing from notify.ent_notification n
    where n.enterprise_id = enterprise and n.notification_status = 'PROCESSING';
  room := greatest(0, least((r ->> 'limit')::int, (r ->> 'max_in_flight')::int - processing));
  -- Two branches, of which one runs: each matches the predicate of its own partial index.
  with waiting as materialized (
    select n.id, n.typ_notification_priority_id, notify.due_time(n) as due_at from notify.ent_notification n
    where not scheduled and n.enterprise_id = enterprise and n.notification_status = 'PENDING'
      and n.publish_status = 'PUBLISH' and not n.deactivated and n.scheduled_for is null
      and not (shadow and n.shadow_generation is not distinct from n.replay_generation)
    union all
    select n.id, n.typ_notification_priority_id, notify.due_time(n) from notify.ent_notification n
    where scheduled and n.enterprise_id = enterprise and n.notification_status = 'PENDING'
      and n.publish_status = 'PUBLISH' and not n.deactivated and n.scheduled_for <= now()
      and not (shadow and n.shadow_generation is not distinct from n.replay_generation)
  ), due as (
    select w.id, case when p.sort_order is null then 3 else greatest(1, least(5, 6 - p.sort_order)) end as priority
    from waiting w
    left join notify.typ_notification_priority p on p.id = w.typ_notification_priority_id
    order by priority, w.id
    limit room
  )
  select jsonb_build_object(
    'due', (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'priority', d.priority)
                                      order by d.priority, d.id), '[]'::jsonb) from due d),
    'lag_seconds', (select extract(epoch from now() - min(w.due_at)) from waiting w))
  into answer;
  answer := answer || jsonb_build_object(
    'enterprise_id', enterprise, 'withdrawn', '[]'::jsonb, 'stale', '[]'::jsonb,
    'next_due_seconds', null, 'counts', null);
  if scheduled then
    answer := answer || jsonb_build_object('next_due_seconds', (
      select extract(epoch from min(n.scheduled_for) - now()) from notify.ent_notification n
      where n.enterprise_id = enterprise and n.notification_status = 'PENDING'
        and n.publish_status = 'PUBLISH' and not n.deactivated
        and n.scheduled_for > now() and n.scheduled_for < 'infinity'));
  end if;
  if coalesce((r ->> 'withdrawn')::boolean, false) then
    answer := answer || jsonb_build_object('withdrawn', (
      select coalesce(jsonb_agg(x.id), '[]'::jsonb) from (
        select n.id from notify.ent_notification n
        where n.enterprise_id = enterprise and n.notification_status = 'RETRACTED'
          and n.claim_owner is not null and n.retraction_settled_at is null
        order by n.id limit (r ->> 'limit')::int) x));
  end if;
  if coalesce((r ->> 'sweep')::boolean, false) then
    answer := answer || jsonb_build_object('stale', (
      select coalesce(jsonb_agg(x.id), '[]'::jsonb) from (
        select n.id from notify.ent_notification n
        where n.enterprise_id = enterprise and n.notification_status = 'PROCESSING'
          and coalesce(n.lease_expires_at, n.updated_at + interval '5 minutes') < now()
        order by n.id limit (r ->> 'limit')::int) x));
  end if;
  if coalesce((r ->> 'counts')::boolean, false) then
    answer := answer || jsonb_build_object('counts', jsonb_build_object(
      'pending', (select count(*) from notify.ent_notification n
          where n.enterprise_id = enterprise and n.notification_status = 'PENDING'
            and n.publish_status = 'PUBLISH' and not n.deactivated and n.scheduled_for is null)
        + (select count(*) from notify.ent_notification n
          where n.enterprise_id = enterprise and n.notification_status = 'PENDING'
            and n.publish_status = 'PUBLISH' and not n.deactivated and n.scheduled_for <= now()),
      'processing', processing,
      'sent_24h', (select count(*) from notify.ent_notification n where n.enterprise_id = enterprise
        and n.notification_status = 'SENT' and n.processed_at > now() - interval '24 hours'),
      'failed_24h', (select count(*) from notify.ent_notification n where n.enterprise_id = enterprise
        and n.notification_status = 'FAILED' and n.processed_at > now() - interval '24 hours')));
  end if;
  return answer;
end $$;

create or replace function notify.poll(requests jsonb) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(notify.poll_one(r) order by o), '[]'::jsonb)
  from jsonb_array_elements(requests) with ordinality as t (r, o)
$$;

-- What a claim by `owner` finds in a row, before it is moved.
create or replace function notify.claim_outcome(n notify.ent_notification, owner text) returns text
language sql stable as $$
  select case
    when n.notification_status = 'PENDING' then case when notify.is_due(n) then 'Claimed' else 'NotDue' end
    when n.notification_status = 'PROCESSING' then
      case when n.claim_owner is null or n.claim_owner = owner then 'Resumed' else 'Foreign' end
    when n.notification_status = 'RETRACTED' and n.claim_owner is not null and n.retraction_settled_at is null
      then 'Retracted'
    else 'Done' end
$$;

create or replace function notify.claim_notifications(claims jsonb, lease_seconds int default 300) returns jsonb
language plpgsql as $$
declare
  c record;
  n notify.ent_notification;
  outcome text;
  answers jsonb := '[]'::jsonb;
begin
  for c in
    select (x ->> 'enterprise_id')::uuid as enterprise, (x ->> 'notification_id')::bigint as id, x ->> 'owner' as owner
    from jsonb_array_elements(claims) x order by (x ->> 'notification_id')::bigint
  loop
    select * into n from notify.ent_notification t where t.id = c.id and t.enterprise_id = c.enterprise for update;
    outcome := case when n.id is null then 'Missing' else notify.claim_outcome(n, c.owner) end;
    if outcome in ('Claimed', 'Resumed') then
      update notify.ent_notification t set
        notification_status = 'PROCESSING', claim_owner = c.owner, attempt_count = t.attempt_count + 1,
        lease_expires_at = now() + make_interval(secs => lease_seconds)
      where t.id = c.id returning * into n;
    end if;
    answers := answers || notify.claim_answer(c.id, outcome, n);
  end loop;
  return answers;
end $$;

create or replace function notify.claim_answer(id bigint, outcome text, n notify.ent_notification) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'notification_id', id, 'outcome', outcome,
    'notification', case when outcome in ('Missing', 'Foreign') then null else notify.jitem(n) end,
    'workflow', case when outcome in ('Missing', 'Foreign') then null
                else notify.jworkflow(n.enterprise_id, n.notification_workflow_id) end)
$$;

create or replace function notify.fetch_notification(enterprise uuid, notification bigint, owner text default null)
returns jsonb language plpgsql stable as $$
declare
  n notify.ent_notification;
begin
  select * into n from notify.ent_notification t where t.id = notification and t.enterprise_id = enterprise;
  return notify.claim_answer(
    notification, case when n.id is null then 'Missing' else notify.claim_outcome(n, owner) end, n);
end $$;

create or replace function notify.finish_notifications(items jsonb) returns jsonb language plpgsql as $$
declare
  i record;
  n notify.ent_notification;
  outcome text;
  answers jsonb := '[]'::jsonb;
begin
  for i in
    select (x ->> 'enterprise_id')::uuid as enterprise, (x ->> 'notification_id')::bigint as id, x ->> 'owner' as owner,
      (x ->> 'generation')::int as generation, (x ->> 'status')::shared_types.notification_status as status,
      x ->> 'transaction_id' as transaction_id, x -> 'error_details' as error_details
    from jsonb_array_elements(items) x order by (x ->> 'notification_id')::bigint
  loop
    select * into n from notify.ent_notification t where t.id = i.id and t.enterprise_id = i.enterprise for update;
    outcome := case
      when n.id is null or n.claim_owner is distinct from i.owner or n.replay_generation <> i.generation then 'Lost'
      when n.notification_status = 'PROCESSING' then 'Finished'
      when n.notification_status = i.status then 'Already'
      when n.notification_status = 'RETRACTED' then 'Retracted'
      else 'Lost' end;
    if outcome = 'Finished' then
      update notify.ent_notification t set
        notification_status = i.status, transaction_id = coalesce(i.transaction_id, t.transaction_id),
        error_details = case when jsonb_typeof(i.error_details) = 'object' then i.error_details end,
        processed_at = now(), lease_expires_at = null
      where t.id = i.id;
    end if;
    answers := answers || jsonb_build_object('notification_id', i.id, 'outcome', outcome);
  end loop;
  return answers;
end $$;

create or replace function notify.settle_retraction(enterprise uuid, notification bigint, report jsonb) returns void
language sql as $$
  update notify.ent_notification t set retraction_settled_at = now(), retraction_report = report
  where t.id = notification and t.enterprise_id = enterprise and t.notification_status = 'RETRACTED'
    and t.retraction_settled_at is null
$$;

create or replace function notify.record_shadow(enterprise uuid, notification bigint, report jsonb) returns void
language sql as $$
  update notify.ent_notification t set shadow_report = report, shadow_generation = t.replay_generation
  where t.id = notification and t.enterprise_id = enterprise
    and t.shadow_generation is distinct from t.replay_generation
$$;

create or replace function notify.create_notification(item jsonb) returns jsonb language plpgsql as $$
declare
  enterprise uuid := (item ->> 'enterprise_id')::uuid;
  workflow bigint;
  made bigint;
begin
  select w.id into workflow from notify.ent_notification_workflow w
    where (w.workflow_key = item ->> 'workflow_key' or w.id = (item ->> 'workflow_id')::bigint)
      and (w.enterprise_id = enterprise or w.enterprise_id is null)
      and w.publish_status = 'PUBLISH' and not w.deactivated;
  select n.id into made from notify.ent_notification n
    where n.enterprise_id = enterprise and n.dedupe_key = item ->> 'dedupe_key';
  if made is not null then
    return jsonb_build_object('id', made, 'created', false);
  end if;
  if workflow is null then
    return jsonb_build_object('id', null, 'created', false);
  end if;
  insert into notify.ent_notification
    (name, enterprise_id, dedupe_key, publish_status, notification_workflow_id, notification_rule_id,
     typ_notification_priority_id, payload, recipients, subscribers, topics, channels, overrides, tags)
  select item ->> 'name', enterprise, item ->> 'dedupe_key', 'PUBLISH', workflow,
    (select r.id from notify.ent_notification_rule r
      where r.id = (item ->> 'rule_id')::bigint and r.enterprise_id = enterprise),
    (select p.id from notify.typ_notification_priority p where p.code = item ->> 'priority'
       and (p.enterprise_id = enterprise or p.enterprise_id is null)),
    item -> 'payload',
    (select coalesce(array_agg(x::uuid), '{}') from jsonb_array_elements_text(item -> 'recipients') x
      where x ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    (select coalesce(array_agg(x), '{}') from jsonb_array_elements_text(item -> 'recipients') x
      where x !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
    (select coalesce(array_agg(x), '{}') from jsonb_array_elements_text(item -> 'topics') x),
    (select coalesce(array_agg(x::shared_types.notification_channel_type), '{}')
      from jsonb_array_elements_text(item -> 'channels') x),
    item -> 'overrides',
    (select coalesce(array_agg(x), '{}') from jsonb_array_elements_text(item -> 'tags') x)
  on conflict do nothing
  returning id into made;
  if made is not null then
    return jsonb_build_object('id', made, 'created', true);
  end if;
  -- Another try was quicker, between our look and our insert.
  select n.id into made from notify.ent_notification n
    where n.enterprise_id = enterprise and n.dedupe_key = item ->> 'dedupe_key';
  if made is null then
    raise exception 'a notification of this name exists already: %', left(item ->> 'name', 120)
      using errcode = 'unique_violation';
  end if;
  return jsonb_build_object('id', made, 'created', false);
end $$;

create or replace function notify.retract_notification(enterprise uuid, notification bigint, reason text)
returns text language sql as $$
  update notify.ent_notification t set notification_status = 'RETRACTED', retraction_reason = left(reason, 1000)
  where t.id = notification and t.enterprise_id = enterprise and t.notification_status <> 'RETRACTED'
  returning t.notification_status::text
$$;

-- The owner stays: an earlier generation may have reached somebody, so a withdrawal still has something to undo.
create or replace function notify.replay_notification(enterprise uuid, notification bigint) returns int language sql as $$
  update notify.ent_notification t set notification_status = 'PENDING', replay_generation = t.replay_generation + 1,
    error_details = null, processed_at = null, lease_expires_at = null
  where t.id = notification and t.enterprise_id = enterprise and t.notification_status = 'FAILED'
  returning t.replay_generation
$$;

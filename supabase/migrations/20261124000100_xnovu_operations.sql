-- What the command line asks and does: one notification with everything around it, dead letters by reason, replay by
-- filter. Each is of one enterprise. Only service_role may call them.

create index if not exists ent_notification_failed_idx
  on notify.ent_notification (enterprise_id, processed_at) where notification_status = 'FAILED';

-- Times that no client can hold are clamped, as `due_time` does.
create or replace function notify.jtime(t timestamptz) returns timestamptz language sql immutable as $$
  select case when t is not null then least(greatest(t, '1970-01-01Z'), '9999-01-01Z') end
$$;

-- Rows that the original left FAILED have details of another shape, or none.
create or replace function notify.failure_reason(n notify.ent_notification) returns text language sql immutable as $$
  select coalesce(nullif(left(n.error_details ->> 'reason', 100), ''), 'Unknown')
$$;

create or replace function notify.failed_at(n notify.ent_notification) returns timestamptz language sql stable as $$
  select notify.jtime(coalesce(n.processed_at, n.updated_at))
$$;

create or replace function notify.jdead_letter(n notify.ent_notification) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', n.id, 'name', n.name, 'reason', notify.failure_reason(n), 'message', left(n.error_details ->> 'message', 1000),
    'failed_at', notify.failed_at(n), 'attempts', n.attempt_count, 'generation', n.replay_generation,
    'published', n.publish_status = 'PUBLISH' and not n.deactivated,
    'workflow_key', (select w.workflow_key from notify.ent_notification_workflow w
      where w.id = n.notification_workflow_id and (w.enterprise_id = n.enterprise_id or w.enterprise_id is null)))
$$;

create or replace function notify.jarray(value jsonb) returns jsonb language sql immutable as $$
  select case when jsonb_typeof(value) = 'array' then value else '[]'::jsonb end
$$;

-- `wanted`: any of {"reason": text, "since": time, "ids": [id, …], "limit": number}; an absent or null member filters nothing.
create or replace function notify.dead_letters_of(enterprise uuid, wanted jsonb) returns setof notify.ent_notification
language sql stable as $$
  select n.* from notify.ent_notification n
  where n.enterprise_id = enterprise and n.notification_status = 'FAILED'
    and (wanted ->> 'reason' is null or notify.failure_reason(n) = wanted ->> 'reason')
    and (wanted ->> 'since' is null or notify.failed_at(n) >= (wanted ->> 'since')::timestamptz)
    and (wanted ->> 'ids' is null
      or n.id in (select x::bigint from jsonb_array_elements_text(notify.jarray(wanted -> 'ids')) x))
$$;

-- All of them by reason, and the newest `limit` one by one.
create or replace function notify.dead_letters(enterprise uuid, wanted jsonb default '{}') returns jsonb
language sql stable as $$
  with found as materialized (
    select d.id, notify.failure_reason(d) as reason, left(d.error_details ->> 'message', 1000) as message,
      notify.failed_at(d) as at
    from notify.dead_letters_of(enterprise, wanted) d
  ), reasons as (
    select f.reason, count(*) as count, min(f.at) as oldest, max(f.at) as newest,
      (array_agg(f.id order by f.at desc, f.id desc))[1:3] as examples,
      (array_agg(f.message order by f.at desc, f.id desc))[1] as message
    from found f group by f.reason
  ), newest as (
    select f.id, f.at from found f order by f.at desc, f.id desc limit coalesce((wanted ->> 'limit')::int, 20)
  )
  select jsonb_build_object(
    'total', (select count(*) from found),
    'reasons', (select coalesce(jsonb_agg(to_jsonb(r) order by r.count desc, r.reason), '[]'::jsonb) from reasons r),
    'rows', (select coalesce(jsonb_agg(notify.jdead_letter(n) order by w.at desc, w.id desc), '[]'::jsonb)
      from newest w join notify.ent_notification n on n.id = w.id))
$$;

-- Back in: the oldest `limit` of them, each as a new generation, so that it is not mistaken for a duplicate. With
-- `dry_run` the same rows are answered and nothing changes. A row that somebody else holds or replayed is left out.
create or replace function notify.replay_dead_letters(enterprise uuid, wanted jsonb, dry_run boolean default true)
returns jsonb language plpgsql as $$
declare
  chosen bigint[];
  answer jsonb;
begin
  select coalesce(array_agg(x.id), '{}') into chosen from (
    select d.id from notify.dead_letters_of(enterprise, wanted) d
    order by notify.failed_at(d), d.id limit coalesce((wanted ->> 'limit')::int, 100)) x;
  if dry_run then
    select coalesce(jsonb_agg(notify.jdead_letter(n) order by notify.failed_at(n), n.id), '[]'::jsonb) into answer
      from notify.ent_notification n where n.id = any (chosen);
    return answer;
  end if;
  with locked as (
    select n.id, notify.jdead_letter(n) as was, notify.failed_at(n) as at from notify.ent_notification n
    where n.id = any (chosen) and n.enterprise_id = enterprise and n.notification_status = 'FAILED'
    order by n.id for update skip locked
  ), replayed as (
    select l.was || jsonb_build_object('generation', notify.replay_notification(enterprise, l.id)) as item, l.at, l.id
    from locked l
  )
  select coalesce(jsonb_agg(r.item order by r.at, r.id), '[]'::jsonb) into answer from replayed r;
  return answer;
end $$;

-- Everything that is to be said of one notification. Null: there is none for this enterprise.
create or replace function notify.describe_notification(enterprise uuid, notification bigint) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'id', n.id, 'enterprise_id', n.enterprise_id, 'name', n.name, 'status', n.notification_status,
    'publish_status', n.publish_status, 'deactivated', n.deactivated, 'asked_at', now(),
    'created_at', notify.jtime(n.created_at), 'scheduled_for', notify.jtime(n.scheduled_for),
    'updated_at', notify.jtime(n.updated_at), 'processed_at', notify.jtime(n.processed_at),
    'retracted_at', notify.jtime(n.retracted_at), 'retraction_reason', n.retraction_reason,
    'retraction_settled_at', notify.jtime(n.retraction_settled_at),
    'retraction_report', case when n.retraction_report is not null then notify.jobject(n.retraction_report) end,
    'attempts', n.attempt_count, 'generation', n.replay_generation, 'owner', n.claim_owner,
    'lease_expires_at', notify.jtime(n.lease_expires_at), 'transaction_id', n.transaction_id,
    'reason', case when n.error_details is not null then notify.failure_reason(n) end,
    'message', left(n.error_details ->> 'message', 1000),
    'channels', notify.jtexts(n.channels::text[]), 'topics', notify.jtexts(n.topics),
    'recipients', notify.jtexts(n.recipients::text[]) || notify.jtexts(n.subscribers),
    'workflow_id', n.notification_workflow_id, 'rule_id', n.notification_rule_id, 'dedupe_key', n.dedupe_key,
    'workflow', notify.jworkflow(n.enterprise_id, n.notification_workflow_id) -> 'key',
    'workflow_type', notify.jworkflow(n.enterprise_id, n.notification_workflow_id) -> 'type',
    -- Columns of the delivery log, which a later migration adds.
    'delivery_problem', to_jsonb(n) ->> 'delivery_problem',
    'reached', jsonb_array_length(notify.jarray(to_jsonb(n) #> '{delivery_state,recipients}')),
    'deliveries', (
      select coalesce(jsonb_agg(to_jsonb(x) order by x.generation desc, x.subscriber_id, x.channel), '[]'::jsonb)
      from (select d.generation, d.subscriber_id, d.channel, d.status, d.detail, d.transaction_id, d.updated_at
        from notify.notification_delivery d where d.notification_id = n.id and d.enterprise_id = enterprise
        order by d.generation desc, d.subscriber_id, d.channel limit 200) x),
    'delivery_counts', (
      select coalesce(jsonb_object_agg(x.status, x.count), '{}'::jsonb) from (
        select d.status, count(*) as count from notify.notification_delivery d
        where d.notification_id = n.id and d.enterprise_id = enterprise and d.generation = n.replay_generation
        group by d.status) x))
  from notify.ent_notification n
  where n.id = notification and n.enterprise_id = enterprise
$$;

-- The one question that names no enterprise: whose a notification is. It answers the id and nothing else.
create or replace function notify.enterprise_of(notification bigint) returns uuid language sql stable as $$
  select n.enterprise_id from notify.ent_notification n where n.id = notification
$$;

-- Workflows that an enterprise may use, for `xnovu template lint`.
create or replace function notify.usable_workflows(enterprise uuid) returns jsonb language sql stable as $$
  select coalesce(jsonb_agg(notify.jworkflow(enterprise, w.id) order by w.id), '[]'::jsonb)
  from notify.ent_notification_workflow w
  where (w.enterprise_id = enterprise or w.enterprise_id is null) and w.publish_status = 'PUBLISH' and not w.deactivated
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace and proname = any (array[
      'jtime', 'failure_reason', 'failed_at', 'jdead_letter', 'jarray', 'dead_letters_of', 'dead_letters',
      'replay_dead_letters', 'describe_notification', 'enterprise_of', 'usable_workflows'])
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end $$;

-- A row may name a priority of another enterprise: a producer writes what it likes. It is not read then, as a workflow is
-- not. Both functions are otherwise as they were.

create or replace function notify.jitem(n notify.ent_notification) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', n.id, 'enterprise_id', n.enterprise_id, 'name', n.name, 'status', n.notification_status,
    'payload', notify.jobject(n.payload),
    'recipients', notify.jtexts(n.recipients::text[]) || notify.jtexts(n.subscribers),
    'channels', notify.jtexts(n.channels::text[]), 'overrides', notify.jobject(n.overrides),
    'tags', notify.jtexts(n.tags), 'topics', notify.jtexts(n.topics),
    'priority', (select p.code from notify.typ_notification_priority p where p.id = n.typ_notification_priority_id
      and (p.enterprise_id = n.enterprise_id or p.enterprise_id is null)),
    'workflow_id', n.notification_workflow_id, 'generation', n.replay_generation,
    'due_at', notify.due_time(n), 'attempts', n.attempt_count,
    'malformed', to_jsonb(array_remove(array[
      case when jsonb_typeof(n.payload) <> 'object' then 'payload' end,
      case when jsonb_typeof(n.overrides) not in ('object', 'null') then 'overrides' end], null)))
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
    select w.id, case when p.sort_order is null then 3 else greatest(1, least(5, 6 - least(greatest(p.sort_order, -9), 9))) end as priority
    from waiting w
    left join notify.typ_notification_priority p on p.id = w.typ_notification_priority_id
      and (p.enterprise_id = enterprise or p.enterprise_id is null)
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

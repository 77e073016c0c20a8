-- What became of a delivery: who an earlier generation reached, what Novu's feed shows, whose claims are left behind.
-- Additive. The functions that are replaced here keep their names, arguments and meaning.

alter table notify.ent_notification
  add column if not exists delivery_state jsonb,
  add column if not exists send_rounds int not null default 0,
  add column if not exists feed_due_at timestamptz,
  add column if not exists feed_checks int not null default 0,
  add column if not exists feed_checked_at timestamptz,
  add column if not exists delivery_report jsonb,
  add column if not exists delivery_problem text;

comment on column notify.ent_notification.delivery_state is
  'Of a notification that FAILED in part: recipients and topics that were reached, and what is unclear. A replay reads it.';
comment on column notify.ent_notification.send_rounds is
  'Highest number of a send to those alone that Novu''s feed missed; part of their transaction ids.';
comment on column notify.ent_notification.feed_due_at is
  'When Novu''s feed is asked again what became of it; null: all is known, or nothing is expected any more.';
comment on column notify.ent_notification.delivery_problem is
  'Why a notification that Novu accepted did not arrive: NobodyReceived, NotAllReceived. Null: none known.';

create index if not exists ent_notification_feed_idx
  on notify.ent_notification (enterprise_id, feed_due_at)
  where feed_due_at is not null and notification_status in ('SENT', 'FAILED');
create index if not exists ent_notification_problem_idx
  on notify.ent_notification (enterprise_id, processed_at) where delivery_problem is not null;

-- Installations that work on this database: a Temporal namespace, by name and by its own id, and when it last looked here.
create table if not exists notify.installation (
  id text primary key,
  seen_at timestamptz not null default now()
);

create or replace function notify.jdelivery(n notify.ent_notification) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'reached', coalesce(n.delivery_state -> 'recipients', '[]'::jsonb),
    'reached_topics', coalesce(n.delivery_state -> 'topics', '[]'::jsonb),
    'unclear', coalesce(n.delivery_state -> 'unclear', '[]'::jsonb),
    'rounds', n.send_rounds)
$$;

create or replace function notify.claim_answer(id bigint, outcome text, n notify.ent_notification) returns jsonb
language sql stable as $$
  select jsonb_build_object(
    'notification_id', id, 'outcome', outcome,
    'notification', case when outcome in ('Missing', 'Foreign', 'Locked') then null
                    else notify.jitem(n) || notify.jdelivery(n) end,
    'workflow', case when outcome in ('Missing', 'Foreign', 'Locked') then null
                else notify.jworkflow(n.enterprise_id, n.notification_workflow_id) end)
$$;

create or replace function notify.finish_notifications(items jsonb) returns jsonb language plpgsql as $$
declare
  patient boolean := true;
  i record;
  n notify.ent_notification;
  outcome text;
  answers jsonb := '[]'::jsonb;
begin
  for i in
    select (x ->> 'enterprise_id')::uuid as enterprise, (x ->> 'notification_id')::bigint as id, x ->> 'owner' as owner,
      (x ->> 'generation')::int as generation, (x ->> 'status')::shared_types.notification_status as status,
      x ->> 'transaction_id' as transaction_id, x -> 'error_details' as error_details,
      x -> 'delivery_state' as delivery_state, (x ->> 'feed_seconds')::double precision as feed_seconds
    from jsonb_array_elements(items) x order by (x ->> 'notification_id')::bigint
  loop
    n := notify.locked(i.enterprise, i.id, patient);
    outcome := case
      when n.id is null and exists (
        select from notify.ent_notification t where t.id = i.id and t.enterprise_id = i.enterprise) then 'Locked'
      when n.id is null or n.claim_owner is distinct from i.owner or n.replay_generation <> i.generation then 'Lost'
      when n.notification_status = 'PROCESSING' then 'Finished'
      when n.notification_status = i.status then 'Already'
      when n.notification_status = 'RETRACTED' then 'Retracted'
      else 'Lost' end;
    patient := patient and outcome <> 'Locked';
    if outcome = 'Finished' then
      update notify.ent_notification t set
        notification_status = i.status, transaction_id = coalesce(i.transaction_id, t.transaction_id),
        error_details = case when jsonb_typeof(i.error_details) = 'object' then i.error_details end,
        delivery_state = case when jsonb_typeof(i.delivery_state) = 'object' then i.delivery_state
                         else t.delivery_state end,
        feed_due_at = case when i.status = 'SENT' or jsonb_typeof(i.delivery_state) = 'object'
                      then now() + make_interval(secs => i.feed_seconds) end,
        feed_checks = 0,
        processed_at = now(), lease_expires_at = null
      where t.id = i.id;
    end if;
    answers := answers || jsonb_build_object('notification_id', i.id, 'outcome', outcome);
  end loop;
  return answers;
end $$;

-- The owner stays: an earlier generation may have reached somebody, so a withdrawal still has something to undo. So does
-- `delivery_state`: whom an earlier generation reached, the next one leaves out.
create or replace function notify.replay_notification(enterprise uuid, notification bigint) returns int language sql as $$
  update notify.ent_notification t set notification_status = 'PENDING', replay_generation = t.replay_generation + 1,
    error_details = null, processed_at = null, lease_expires_at = null,
    feed_due_at = null, feed_checks = 0, delivery_report = null, delivery_problem = null
  where t.id = notification and t.enterprise_id = enterprise and t.notification_status = 'FAILED'
  returning t.replay_generation
$$;

-- A send to the missing alone is noted before it is made: whoever looks later must know that there is such a transaction.
create or replace function notify.note_round(enterprise uuid, notification bigint, round int) returns void language sql as $$
  update notify.ent_notification t set send_rounds = greatest(t.send_rounds, round)
  where t.id = notification and t.enterprise_id = enterprise
$$;

-- Rows whose lease is over: those of `installation` and of nobody, and how many are held by others. An installation that
-- has not looked here for a quarter of an hour is gone (its Temporal was lost): what it held is nobody's from then on. One
-- that never looked is not known to be gone.
create or replace function notify.sweep(enterprise uuid, installation text, most int) returns jsonb language plpgsql as $$
declare
  answer jsonb;
begin
  insert into notify.installation as i (id) values (sweep.installation)
    on conflict (id) do update set seen_at = now() where i.seen_at < now() - interval '20 seconds';
  update notify.ent_notification t set claim_owner = null
    where t.id in (
      select n.id from notify.ent_notification n
      join notify.installation i on i.id = split_part(n.claim_owner, '/', 1)
      where n.enterprise_id = enterprise and n.notification_status = 'PROCESSING'
        and n.lease_expires_at < now() and i.seen_at < now() - interval '15 minutes'
      order by n.id limit most for update of n skip locked);
  with late as (
    select n.id, split_part(n.claim_owner, '/', 1) as holder, n.lease_expires_at from notify.ent_notification n
    where n.enterprise_id = enterprise and n.notification_status = 'PROCESSING'
      and coalesce(n.lease_expires_at, n.updated_at + interval '5 minutes') < now()
  )
  select jsonb_build_object(
    'stale', (select coalesce(jsonb_agg(x.id order by x.id), '[]'::jsonb) from (
      select l.id from late l where l.holder is null or l.holder = sweep.installation
      order by l.lease_expires_at nulls first, l.id limit most) x),
    'foreign_count', (select count(*) from late l where l.holder <> sweep.installation),
    'foreign_owners', (select coalesce(jsonb_agg(x.holder order by x.holder), '[]'::jsonb) from (
      select distinct l.holder from late l where l.holder <> sweep.installation limit 3) x))
  into answer;
  return answer;
end $$;

-- The owner lives: it is not looked at again before the new lease is over, so that others have their turn.
create or replace function notify.extend_leases(enterprise uuid, notifications bigint[], lease_seconds int) returns void
language sql as $$
  update notify.ent_notification t set lease_expires_at = now() + make_interval(secs => lease_seconds)
  where t.id = any (notifications) and t.enterprise_id = enterprise and t.notification_status = 'PROCESSING'
    -- A dead batch's row waits for a workflow of its own; a new lease would keep that one away (notify.is_held).
    and coalesce(t.claim_owner, '') not like '%/batch-%'
$$;

create or replace function notify.due_feeds(enterprise uuid, most int) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'rows', (select coalesce(jsonb_agg(x.item), '[]'::jsonb) from (
      select jsonb_build_object(
        'notification', notify.jitem(n) - 'payload' - 'overrides' || '{"payload": {}, "overrides": {}}'
                        || notify.jdelivery(n),
        'checks', n.feed_checks, 'age_seconds', extract(epoch from now() - n.processed_at)) as item
      from notify.ent_notification n
      where n.enterprise_id = enterprise and n.notification_status in ('SENT', 'FAILED') and n.feed_due_at <= now()
      order by n.feed_due_at limit most) x),
    'next_due_seconds', (select extract(epoch from min(n.feed_due_at) - now()) from notify.ent_notification n
      where n.enterprise_id = enterprise and n.notification_status in ('SENT', 'FAILED') and n.feed_due_at > now()),
    'unreached_24h', (select count(*) from notify.ent_notification n
      where n.enterprise_id = enterprise and n.delivery_problem is not null
        and n.processed_at > now() - interval '24 hours'))
$$;

-- Written once per check: another process that looked at the same time is late and changes nothing.
create or replace function notify.record_deliveries(
  enterprise uuid, notification bigint, generation int, checks int, next_seconds double precision, report jsonb,
  problem text, deliveries jsonb
) returns boolean language plpgsql as $$
#variable_conflict use_column
begin
  update notify.ent_notification t set
    feed_checked_at = now(), feed_checks = t.feed_checks + 1, delivery_report = report, delivery_problem = problem,
    feed_due_at = now() + make_interval(secs => next_seconds)
  where t.id = notification and t.enterprise_id = enterprise and t.replay_generation = record_deliveries.generation
    and t.feed_checks = checks and t.notification_status in ('SENT', 'FAILED');
  if not found then
    return false;
  end if;
  insert into notify.notification_delivery as d
    (notification_id, enterprise_id, generation, subscriber_id, channel, status, detail, transaction_id)
  select distinct on (x ->> 'generation', x ->> 'subscriber_id', x ->> 'channel')
    notification, enterprise, (x ->> 'generation')::int, x ->> 'subscriber_id',
    (x ->> 'channel')::shared_types.notification_channel_type, x ->> 'status', x ->> 'detail', x ->> 'transaction_id'
  from jsonb_array_elements(deliveries) x
  on conflict (notification_id, generation, subscriber_id, channel) do update set
    status = excluded.status, detail = excluded.detail, transaction_id = excluded.transaction_id, updated_at = now()
    where (d.status, d.detail) is distinct from (excluded.status, excluded.detail);
  return true;
end $$;

do $$
declare
  f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace and proname = any (array[
      'claim_answer', 'jdelivery', 'finish_notifications', 'replay_notification', 'note_round', 'sweep', 'extend_leases',
      'due_feeds', 'record_deliveries'])
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
  revoke all on notify.installation from public, anon, authenticated;
  grant select, insert, update, delete on notify.installation to service_role;
  alter table notify.installation enable row level security;
  drop policy if exists xnovu_service on notify.installation;
  create policy xnovu_service on notify.installation to service_role using (true) with check (true);
end $$;

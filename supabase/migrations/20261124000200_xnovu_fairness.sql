-- Rows that are delivered in batches, and how fast an enterprise's rows are taken in. Additive.
--
-- An owner is `<installation>/<holder>`. The holder is a notification's own workflow, a batch (`batch-<token>`, one token per
-- batch, never used again), or nobody yet (`released`: a batch let it go, and certainly nothing was sent).

-- Held by a living batch: whoever else comes must leave it alone until the lease is over. A batch sends nothing that could
-- still be under way then. A withdrawn row is held too: undoing it before the batch has sent it would undo nothing.
create or replace function notify.is_held(n notify.ent_notification, owner text) returns boolean language sql stable as $$
  select coalesce(
    n.notification_status in ('PROCESSING', 'RETRACTED') and n.claim_owner like '%/batch-%'
    and n.claim_owner is distinct from owner and n.lease_expires_at > now(), false)
$$;

-- What a claim by `owner` finds in a row, before it is moved. A batch that died leaves what its rows' own workflows may take
-- over as Resumed, which verifies before it sends.
create or replace function notify.claim_outcome(n notify.ent_notification, owner text) returns text
language sql stable as $$
  select case
    when n.notification_status = 'PENDING' then case when notify.is_due(n) then 'Claimed' else 'NotDue' end
    when notify.is_held(n, owner) then 'Held'
    when n.notification_status = 'PROCESSING' then case
      when n.claim_owner is null or n.claim_owner = owner then 'Resumed'
      when split_part(n.claim_owner, '/', 1) <> split_part(owner, '/', 1) then 'Foreign'
      when n.claim_owner like '%/released' then 'Claimed'
      when n.claim_owner like '%/batch-%' then 'Resumed'
      else 'Foreign' end
    when n.notification_status = 'RETRACTED' and n.claim_owner is not null and n.retraction_settled_at is null
      then 'Retracted'
    else 'Done' end
$$;

-- As before, but that a claim may bring a lease of its own.
-- The row, locked; null when it is not there, or when a transaction that somebody has left open holds it. One round trip is many
-- tenants', so such a row is passed over. Whoever holds it for a moment only, as another claim does, is waited for: once a trip.
create or replace function notify.locked(enterprise uuid, notification bigint, patient boolean)
returns notify.ent_notification language plpgsql as $$
declare
  n notify.ent_notification;
begin
  select * into n from notify.ent_notification t where t.id = notification and t.enterprise_id = enterprise
    for update skip locked;
  if n.id is null and patient then
    perform set_config('lock_timeout', '200ms', true);
    select * into n from notify.ent_notification t where t.id = notification and t.enterprise_id = enterprise for update;
  end if;
  return n;
exception when lock_not_available then
  return null;
end $$;

create or replace function notify.claim_notifications(claims jsonb, lease_seconds int default 300) returns jsonb
language plpgsql as $$
declare
  patient boolean := true;
  c record;
  n notify.ent_notification;
  outcome text;
  answers jsonb := '[]'::jsonb;
begin
  for c in
    select (x ->> 'enterprise_id')::uuid as enterprise, (x ->> 'notification_id')::bigint as id, x ->> 'owner' as owner,
      coalesce((x ->> 'lease_seconds')::int, claim_notifications.lease_seconds) as lease
    from jsonb_array_elements(claims) x order by (x ->> 'notification_id')::bigint
  loop
    n := notify.locked(c.enterprise, c.id, patient);
    outcome := case
      when n.id is not null then notify.claim_outcome(n, c.owner)
      when exists (select from notify.ent_notification t where t.id = c.id and t.enterprise_id = c.enterprise) then 'Locked'
      else 'Missing' end;
    patient := patient and outcome <> 'Locked';
    if outcome in ('Claimed', 'Resumed') then
      update notify.ent_notification t set
        notification_status = 'PROCESSING', claim_owner = c.owner, attempt_count = least(t.attempt_count, 2147483646) + 1,
        lease_expires_at = now() + make_interval(secs => c.lease)
      where t.id = c.id returning * into n;
    end if;
    answers := answers || notify.claim_answer(c.id, outcome, n);
  end loop;
  return answers;
end $$;

-- A batch lets rows go that it did not finish. `next_owner` is who may have sent (the row's own workflow: it verifies) or
-- `released` (nobody did). The lease is over at once, so that the sweeper finds what nobody takes up. Answers the ids.
create or replace function notify.release_notifications(items jsonb) returns jsonb language sql as $$
  with wanted as (
    select (x ->> 'enterprise_id')::uuid as enterprise, (x ->> 'notification_id')::bigint as id,
      x ->> 'owner' as owner, x ->> 'next_owner' as next_owner
    from jsonb_array_elements(items) x
  ), locked as (
    select n.id, w.next_owner from notify.ent_notification n
    join wanted w on w.id = n.id and w.enterprise = n.enterprise_id and w.owner = n.claim_owner
    where n.notification_status in ('PROCESSING', 'RETRACTED')
    order by n.id for update of n skip locked
  ), released as (
    update notify.ent_notification t set claim_owner = l.next_owner, lease_expires_at = now()
    from locked l where t.id = l.id returning t.id
  )
  select coalesce(jsonb_agg(r.id order by r.id), '[]'::jsonb) from released r
$$;

-- How much an enterprise with a rate may still begin. One row an enterprise, one statement a decision, so the rate holds
-- over all workers and monitors. The bucket holds one second's worth, at least one.
create table if not exists notify.enterprise_pace (
  enterprise_id uuid primary key,
  tokens double precision not null,
  counted_at timestamptz not null default now()
);

-- Take up to `wanted` tokens; with `reserve` all of them, now or from what comes. Answers what was granted, and the seconds
-- until the next token, or until the reserved ones are there.
create or replace function notify.take_pace(enterprise uuid, rate double precision, wanted int, reserve boolean default false)
returns jsonb language plpgsql as $$
declare
  room double precision := greatest(1, rate);
  have double precision;
  granted int;
begin
  insert into notify.enterprise_pace as p (enterprise_id, tokens, counted_at)
    values (enterprise, room, clock_timestamp())
  on conflict (enterprise_id) do update set
    tokens = least(room, p.tokens + rate * greatest(0, extract(epoch from clock_timestamp() - p.counted_at))),
    counted_at = clock_timestamp()
  returning tokens into have;
  granted := case when reserve then wanted else greatest(0, least(wanted, floor(have)::int)) end;
  update notify.enterprise_pace p set tokens = p.tokens - granted where p.enterprise_id = enterprise
    returning p.tokens into have;
  return jsonb_build_object(
    'granted', granted,
    'wait_seconds', case when reserve then greatest(0, -have / rate) else greatest(0, (1 - have) / rate) end);
end $$;

do $$
declare
  f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace and proname = any (array[
      'is_held', 'locked', 'claim_outcome', 'claim_notifications', 'release_notifications', 'take_pace'])
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
  -- A tenant's people have no business with it, not even to look.
  revoke all on notify.enterprise_pace from public, anon, authenticated;
  grant select, insert, update, delete on notify.enterprise_pace to service_role;
  alter table notify.enterprise_pace enable row level security;
  drop policy if exists xnovu_service on notify.enterprise_pace;
  create policy xnovu_service on notify.enterprise_pace to service_role using (true) with check (true);
end $$;

-- Who may do what: service_role works, people who are signed in see their own enterprise, nobody else sees anything.
-- Supabase has these roles; elsewhere they are made without a password and without login.

do $$
declare
  role_name text;
begin
  foreach role_name in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = role_name) then
      execute format('create role %I nologin', role_name);
    end if;
  end loop;
end $$;

grant usage on schema notify, shared_types to authenticated, service_role;
grant usage, select on all sequences in schema notify to service_role;

create or replace function notify.claimed_enterprise() returns uuid language sql stable as $$
  select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'enterprise_id', '')::uuid
$$;

-- Only what these migrations made or know: the schema may hold tables and functions of somebody else. A project's default
-- privileges may have given everything to everybody, so each role is named.
do $$
declare
  f regprocedure;
  t text;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace and proname = any (array[
      'guard_status', 'jobject', 'jtexts', 'due_time', 'jitem', 'jworkflow', 'is_due', 'poll_one', 'poll', 'claim_outcome',
      'claim_notifications', 'claim_answer', 'fetch_notification', 'finish_notifications', 'settle_retraction',
      'record_shadow', 'create_notification', 'retract_notification', 'replay_notification', 'claimed_enterprise'])
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
  grant execute on function notify.claimed_enterprise() to authenticated;

  foreach t in array array[
    'typ_notification_category', 'typ_notification_priority', 'ent_notification_template', 'ent_notification_workflow',
    'ent_notification_rule', 'ent_notification', 'notification_delivery']
  loop
    execute format('grant select, insert, update, delete on notify.%I to service_role', t);
    execute format('grant select on notify.%I to authenticated', t);
    execute format('alter table notify.%I enable row level security', t);
    execute format('drop policy if exists xnovu_service on notify.%I', t);
    execute format('create policy xnovu_service on notify.%I to service_role using (true) with check (true)', t);
    execute format('drop policy if exists xnovu_own on notify.%I', t);
    execute format('create policy xnovu_own on notify.%I for select to authenticated '
      'using (enterprise_id = (select notify.claimed_enterprise()))', t);
  end loop;
end $$;

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
grant select, insert, update, delete on all tables in schema notify to service_role;
grant usage, select on all sequences in schema notify to service_role;
grant select on all tables in schema notify to authenticated;
revoke execute on all functions in schema notify from public;
grant execute on all functions in schema notify to service_role;

create or replace function notify.claimed_enterprise() returns uuid language sql stable as $$
  select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'enterprise_id', '')::uuid
$$;
revoke execute on function notify.claimed_enterprise() from public;
grant execute on function notify.claimed_enterprise() to authenticated, service_role;

do $$
declare
  t text;
begin
  for t in select tablename from pg_tables where schemaname = 'notify' loop
    execute format('alter table notify.%I enable row level security', t);
    execute format('drop policy if exists xnovu_service on notify.%I', t);
    execute format('create policy xnovu_service on notify.%I to service_role using (true) with check (true)', t);
    execute format('drop policy if exists xnovu_own on notify.%I', t);
    execute format('create policy xnovu_own on notify.%I for select to authenticated '
      'using (enterprise_id = (select notify.claimed_enterprise()))', t);
  end loop;
end $$;

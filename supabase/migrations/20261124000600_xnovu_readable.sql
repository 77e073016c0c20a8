-- One round trip answers many tenants' rows. A value that no client can read (deeper than its parser goes, a number of more digits
-- than it takes, megabytes) would spoil the answer for all of them, so it is answered as an empty object and named in `malformed`:
-- such a row ends FAILED with a reason. The bounds are above what a payload may be (`xnovu.core.payload`), whose messages are better.
create or replace function notify.is_readable(value jsonb) returns boolean language plpgsql immutable as $$
declare
  t text := value::text;
begin
  return length(t) <= 1048576
    -- Python reads no integer of more than 4,300 digits (docs.python.org, sys.set_int_max_str_digits).
    and t !~ '([0-9]{200}){20}'
    -- Looking for depth costs a walk, which only what has that many brackets can need.
    and (length(t) - length(translate(t, '[{', '')) < 200 or not jsonb_path_exists(value, '$.**{200}'));
end $$;

create or replace function notify.is_jobject(value jsonb) returns boolean language sql immutable as $$
  select coalesce(jsonb_typeof(value) = 'object' and notify.is_readable(value), false)
$$;

create or replace function notify.jobject(value jsonb) returns jsonb language sql immutable as $$
  select case when notify.is_jobject(value) then value else '{}'::jsonb end
$$;

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
      case when not notify.is_jobject(n.payload) then 'payload' end,
      case when jsonb_typeof(n.overrides) <> 'null' and not notify.is_jobject(n.overrides) then 'overrides' end], null)))
$$;

create or replace function notify.jworkflow(enterprise uuid, workflow bigint) returns jsonb language sql stable as $$
  select jsonb_build_object(
    'id', w.id, 'key', w.workflow_key, 'type', w.workflow_type, 'enterprise_id', w.enterprise_id,
    'default_channels', notify.jtexts(w.default_channels::text[]),
    'payload_schema', case when notify.is_jobject(w.payload_schema) then w.payload_schema end,
    'template_overrides', notify.jobject(w.template_overrides),
    'malformed', to_jsonb(array_remove(array[
      case when jsonb_typeof(w.payload_schema) <> 'null' and not notify.is_jobject(w.payload_schema)
        then 'payload_schema' end,
      case when jsonb_typeof(w.template_overrides) <> 'null' and not notify.is_jobject(w.template_overrides)
        then 'template_overrides' end], null)))
  from notify.ent_notification_workflow w
  where w.id = workflow and (w.enterprise_id = enterprise or w.enterprise_id is null)
    and w.publish_status = 'PUBLISH' and not w.deactivated
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace
      and proname = any (array['is_readable', 'is_jobject', 'jobject', 'jitem', 'jworkflow'])
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end $$;

-- Looking at a row without saying who looks: a claimed one was hidden as if it were somebody else's, so every delivery that
-- went step by step ended as NotificationNotFound. With an owner, another owner's row stays hidden.
create or replace function notify.fetch_notification(enterprise uuid, notification bigint, owner text default null)
returns jsonb language plpgsql stable as $$
declare
  n notify.ent_notification;
begin
  select * into n from notify.ent_notification t where t.id = notification and t.enterprise_id = enterprise;
  return notify.claim_answer(
    notification,
    case when n.id is null then 'Missing' else notify.claim_outcome(n, coalesce(owner, n.claim_owner)) end, n);
end $$;

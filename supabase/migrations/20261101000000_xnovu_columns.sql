-- What XNovu needs beside the original's columns. Additive: the original runs on, unaware of it.

alter table notify.ent_notification
  add column if not exists topics text[] not null default '{}',
  add column if not exists subscribers text[] not null default '{}',
  add column if not exists dedupe_key text,
  add column if not exists claim_owner text,
  add column if not exists lease_expires_at timestamptz,
  add column if not exists attempt_count int not null default 0,
  add column if not exists replay_generation int not null default 0,
  add column if not exists retraction_settled_at timestamptz,
  add column if not exists retraction_report jsonb,
  add column if not exists shadow_report jsonb,
  add column if not exists shadow_generation int;

comment on column notify.ent_notification.subscribers is
  'Recipients of a rule that are no UUIDs; sent to beside `recipients`.';
comment on column notify.ent_notification.dedupe_key is
  'One notification per enterprise and key: the occurrence of a rule, or a key of the producer''s own.';
comment on column notify.ent_notification.claim_owner is
  'Temporal namespace and workflow id that hold a PROCESSING row; kept afterwards.';
comment on column notify.ent_notification.replay_generation is
  'Raised by a deliberate replay, so that it is not mistaken for a duplicate.';

create unique index if not exists ent_notification_dedupe_idx
  on notify.ent_notification (enterprise_id, dedupe_key) where dedupe_key is not null;
-- Exactly the predicate of intake: what waits is a few rows, however large the table is.
create index if not exists ent_notification_due_idx
  on notify.ent_notification (enterprise_id, id)
  where notification_status = 'PENDING' and publish_status = 'PUBLISH' and not deactivated
    and scheduled_for is null;
create index if not exists ent_notification_scheduled_idx
  on notify.ent_notification (enterprise_id, scheduled_for)
  where notification_status = 'PENDING' and publish_status = 'PUBLISH' and not deactivated
    and scheduled_for is not null;
create index if not exists ent_notification_processing_idx
  on notify.ent_notification (enterprise_id, lease_expires_at) where notification_status = 'PROCESSING';
create index if not exists ent_notification_withdrawn_idx
  on notify.ent_notification (enterprise_id, id)
  where notification_status = 'RETRACTED' and claim_owner is not null and retraction_settled_at is null;
create index if not exists ent_notification_processed_idx
  on notify.ent_notification (enterprise_id, processed_at)
  where notification_status in ('SENT', 'FAILED');

create table if not exists notify.notification_delivery (
  notification_id bigint not null references notify.ent_notification (id) on delete cascade,
  enterprise_id uuid not null,
  generation int not null,
  subscriber_id text not null,
  channel shared_types.notification_channel_type not null,
  status text not null,
  detail text,
  transaction_id text not null,
  updated_at timestamptz not null default now(),
  primary key (notification_id, generation, subscriber_id, channel)
);
create index if not exists notification_delivery_enterprise_idx
  on notify.notification_delivery (enterprise_id, updated_at desc);

-- A status moves one way, whoever writes it. Back to PENDING leads only a replay, which raises the generation.
create or replace function notify.guard_status() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  if new.notification_status is not distinct from old.notification_status then
    return new;
  end if;
  if new.notification_status = 'RETRACTED' then
    new.retracted_at := coalesce(new.retracted_at, now());
    return new;
  end if;
  if (old.notification_status, new.notification_status) in
      (('PENDING', 'PROCESSING'), ('PROCESSING', 'SENT'), ('PROCESSING', 'FAILED'), ('PENDING', 'FAILED')) then
    return new;
  end if;
  if old.notification_status = 'FAILED' and new.notification_status = 'PENDING'
      and new.replay_generation > old.replay_generation then
    return new;
  end if;
  raise exception 'notification %: % cannot become %', old.id, old.notification_status, new.notification_status
    using errcode = 'check_violation',
          hint = 'Statuses move forward; notify.replay_notification sends a FAILED one again.';
end $$;

drop trigger if exists xnovu_guard_status on notify.ent_notification;
create trigger xnovu_guard_status before update on notify.ent_notification
  for each row execute function notify.guard_status();

-- The schema `notify` as the TypeScript original has it: its tables, enums, names and types.
-- Applies to an empty database and, unchanged, to one that has these tables already. Nothing of ours is in here.

create schema if not exists shared_types;
create schema if not exists notify;

do $$
begin
  create type shared_types.notification_channel_type as enum ('IN_APP', 'EMAIL', 'SMS', 'CHAT', 'PUSH');
exception when duplicate_object then null;
end $$;
do $$
begin
  create type shared_types.notification_workflow_type as enum ('STATIC', 'DYNAMIC');
exception when duplicate_object then null;
end $$;
do $$
begin
  create type shared_types.notification_status as enum ('PENDING', 'PROCESSING', 'SENT', 'FAILED', 'RETRACTED');
exception when duplicate_object then null;
end $$;
do $$
begin
  create type shared_types.publish_status as enum ('NONE', 'DRAFT', 'DISCARD', 'PUBLISH', 'DELETED', 'REVIEW');
exception when duplicate_object then null;
end $$;

-- The original keeps `path` as LTREE; the extension is not everywhere, so where we create the table it is text with the
-- same content. Nothing of ours reads it.
create table if not exists notify.typ_notification_category (
  id bigint generated always as identity primary key,
  name text not null,
  description text,
  code text unique,
  path text,
  path_text text,
  sort_order int,
  publish_status shared_types.publish_status not null default 'DRAFT',
  deactivated boolean not null default false,
  business_id uuid,
  repr text generated always as (name) stored,
  enterprise_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  unique (name, enterprise_id)
);

create table if not exists notify.typ_notification_priority (
  id bigint generated always as identity primary key,
  name text not null,
  description text,
  code text unique,
  sort_order int,
  publish_status shared_types.publish_status not null default 'DRAFT',
  deactivated boolean not null default false,
  business_id uuid,
  repr text generated always as (name) stored,
  enterprise_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  unique (name, enterprise_id)
);

create table if not exists notify.ent_notification_template (
  id bigint generated always as identity primary key,
  name text not null,
  description text,
  template_key text unique,
  typ_notification_category_id bigint references notify.typ_notification_category (id) on delete set null,
  channel_type shared_types.notification_channel_type not null,
  subject_template text,
  body_template text not null,
  variables_description jsonb,
  publish_status shared_types.publish_status not null default 'DRAFT',
  deactivated boolean not null default false,
  business_id uuid,
  repr text generated always as (name) stored,
  enterprise_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  unique (name, enterprise_id, typ_notification_category_id)
);

create table if not exists notify.ent_notification_workflow (
  id bigint generated always as identity primary key,
  name text not null,
  description text,
  workflow_type shared_types.notification_workflow_type not null,
  workflow_key text unique not null,
  default_channels shared_types.notification_channel_type[],
  payload_schema jsonb,
  control_schema jsonb,
  template_overrides jsonb,
  publish_status shared_types.publish_status not null default 'DRAFT',
  deactivated boolean not null default false,
  business_id uuid,
  repr text generated always as (name) stored,
  enterprise_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  unique (name, enterprise_id)
);

create table if not exists notify.ent_notification_rule (
  id bigint generated always as identity primary key,
  name text not null,
  description text,
  notification_workflow_id bigint references notify.ent_notification_workflow (id) on delete cascade,
  trigger_type text,
  trigger_config jsonb,
  rule_payload jsonb,
  publish_status shared_types.publish_status not null default 'DRAFT',
  deactivated boolean not null default false,
  business_id uuid,
  repr text generated always as (name) stored,
  enterprise_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  unique (name, enterprise_id)
);

create table if not exists notify.ent_notification (
  id bigint generated always as identity primary key,
  name text not null,
  description text,
  typ_notification_category_id bigint references notify.typ_notification_category (id) on delete set null,
  typ_notification_priority_id bigint references notify.typ_notification_priority (id) on delete set null,
  notification_workflow_id bigint references notify.ent_notification_workflow (id) on delete set null,
  notification_rule_id bigint references notify.ent_notification_rule (id) on delete set null,
  notification_status shared_types.notification_status not null default 'PENDING',
  payload jsonb not null,
  recipients uuid[] not null,
  channels shared_types.notification_channel_type[] default '{IN_APP}',
  overrides jsonb,
  tags text[],
  transaction_id text,
  scheduled_for timestamptz,
  processed_at timestamptz,
  retracted_at timestamptz,
  retraction_reason text,
  error_details jsonb,
  workflow_version int default 1,
  publish_status shared_types.publish_status not null default 'DRAFT',
  deactivated boolean not null default false,
  business_id uuid,
  repr text generated always as (name) stored,
  enterprise_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  created_by uuid,
  updated_by uuid,
  unique (name, enterprise_id)
);

create index if not exists ent_notification_created_at_idx on notify.ent_notification (created_at desc);

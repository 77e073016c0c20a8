-- A template's key is an enterprise's own: the original's was everybody's, so that one enterprise's template kept all others
-- from using its key, and none could put its own in place of a global one. Rows that are there fit the new rule as they are.

alter table notify.ent_notification_template
  drop constraint if exists ent_notification_template_template_key_key;

create unique index if not exists xnovu_template_key
  on notify.ent_notification_template (template_key, enterprise_id);

create unique index if not exists xnovu_global_template_key
  on notify.ent_notification_template (template_key) where enterprise_id is null;

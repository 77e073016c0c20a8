-- A transaction that somebody left open must not hold PostgREST's connections as well: what waits for one row gives up (55P03,
-- tried again later) before the pool is full of it and every tenant waits. Claims and final statuses pass such a row over.
do $$
declare
  f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace
      and proname = any (array['settle_retraction', 'record_shadow', 'retract_notification', 'replay_notification',
        'note_round', 'extend_leases', 'record_deliveries', 'sweep', 'take_pace'])
  loop
    execute format('alter function %s set lock_timeout = ''2s''', f);
  end loop;
end $$;

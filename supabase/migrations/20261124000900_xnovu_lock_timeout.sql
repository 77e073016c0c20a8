-- A transaction that somebody left open must not hold PostgREST's connections as well: claims and final statuses that wait for
-- a row give up (55P03, tried again later) before a pool of twenty is full of them and every tenant waits.
do $$
declare
  f regprocedure;
begin
  for f in
    select oid::regprocedure from pg_proc where pronamespace = 'notify'::regnamespace
      and proname = any (array['claim_notifications', 'finish_notifications'])
  loop
    execute format('alter function %s set lock_timeout = ''2s''', f);
  end loop;
end $$;

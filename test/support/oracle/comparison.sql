-- The comparison of two tables in plain SQL, as docs/reconciliation.md defines it: slow, obvious, and written
-- without a look at the engine. Takes o_fact, o_column, o_total and o_row (oracle.ts fills them); gives o_line.

-- Every value as received and under its rules. A value that can't be read stays as it is.
create temp table o_value on commit drop as
select side, n, i, raw, case when good then pg_temp.in_one_form(v, kind, rule) else raw end as ruled,
       case when good then pg_temp.in_one_form(v, kind, rule) end as counted, not good as bad
from (select *, pg_temp.is_readable(v, kind) and (v is null) = (steps is null) as good
      from (select *, pg_temp.mapped(steps, side, kind, rule, marks) as v
            from (select r.side, r.n, c.i, r.cells[c.i] as raw, c.kind, c.rule, f.marks, pg_temp.steps(r.cells[c.i], c.kind, c.rule, f.marks) as steps
                  from o_row r cross join o_column c cross join o_fact f offset 0) a offset 0) b offset 0) d;

-- Kinds 1 and 2: rows that can't be read, rows without a valid key.
create temp table o_seen on commit drop as
select r.*, v.ruled, v.counted, v.key, v.judged,
       coalesce(r.issue, v.bad) as unread,
       r.issue is null and v.bad is null and f.keyed and v.blank as invalid
from o_row r cross join o_fact f join (
  select side, n,
         array_agg(ruled order by i) as ruled,
         array_agg(counted order by i) as counted,
         array_agg(ruled order by i) filter (where is_key) as key,
         array_agg(ruled order by i) filter (where judged) as judged,
         (array_agg(name || ' is no ' || case when rule #> array['values', side::text] is null then kind else 'value of the map of this side' end order by i) filter (where bad))[1] as bad,
         bool_or(is_key and coalesce(btrim(ruled, pg_temp.spaces()), '') = '') as blank
  from o_value join o_column using (i) group by side, n) v using (side, n);

-- A side that is limited to the keys of the other.
delete from o_seen s using o_fact f
where s.side = f.scoped and s.issue is null and not exists (
  select from o_seen o where o.side <> s.side and o.issue is null and o.key = s.key and array_position(s.key, null) is null);

create temp table o_unusable on commit drop as
select case when unread is not null then 'unreadable' else 'key_invalid' end as kind, side, cells, ruled, counted,
       coalesce(unread, 'a key part is null or blank') as hint, raw, count(*) as times,
       (array_agg(array[file, line::text] order by file collate "C" nulls first, line nulls first))[1:1] as origin
from o_seen where unread is not null or invalid
group by 1, side, cells, ruled, counted, unread, raw;

-- Kind 3: rows of a key. A variant is what is equal under the rules of compared columns, an entry what is equal as received.
create temp table o_entry on commit drop as
select row_number() over () as entry, *, l - least(l, r) as l_left, r - least(l, r) as r_left
from (select key, judged, cells, ruled, count(*) filter (where side = 0) as l, count(*) filter (where side = 1) as r,
             (array_agg(array[file, line::text] order by file collate "C" nulls first, line nulls first) filter (where side = 0))[1:1] as l_origin,
             (array_agg(array[file, line::text] order by file collate "C" nulls first, line nulls first) filter (where side = 1))[1:1] as r_origin,
             pg_temp.row_order(judged) as variant, pg_temp.row_order(cells) as at
      from o_seen where unread is null and not invalid group by key, judged, cells, ruled) e;
analyze o_entry;

-- Within a variant rows are paired in their order; where one side has more, its last ones remain.
create temp table o_place on commit drop as
select *, sum(l_left) over upto as l_upto, sum(r_left) over upto as r_upto,
       least(sum(l_left) over whole, sum(r_left) over whole) as paired
from o_entry
window whole as (partition by key, variant), upto as (partition by key, variant order by at);

create temp table o_pair on commit drop as
select a.entry as l_entry, b.entry as r_entry, least(a.l_upto, b.r_upto) - greatest(a.l_upto - a.l_left, b.r_upto - b.r_left) as times, false as alone
from o_place a join o_place b on a.key = b.key and a.variant = b.variant
  and least(a.l_upto, b.r_upto) > greatest(a.l_upto - a.l_left, b.r_upto - b.r_left)
where a.l_left > 0 and b.r_left > 0;

create temp table o_rest on commit drop as
select key, entry, at, variant, least(l_left, greatest(0, l_upto - paired)) as l, least(r_left, greatest(0, r_upto - paired)) as r from o_place;

create temp table o_key on commit drop as
select e.key, e.l_total, e.r_total, e.variants, t.l, t.r, t.l_entry, t.r_entry
from (select key, sum(l) as l_total, sum(r) as r_total, count(distinct variant) as variants from o_entry group by key) e
join (select key, sum(l) as l, sum(r) as r,
             (array_agg(entry order by variant, at) filter (where l > 0))[1] as l_entry,
             (array_agg(entry order by variant, at) filter (where r > 0))[1] as r_entry
      from o_rest group by key) t on e.key = t.key;

-- Kinds 3 to 6, in their order; what is left of a key after equal rows were cancelled.
create temp table o_decided on commit drop as
select k.*, case
    when k.l = 0 and k.r = 0 then null
    when f.keyed and k.l = 1 and k.r = 1 then 'pair'
    when f.keyed and (l_total > 1 or r_total > 1) then 'duplicate'
    when k.r > 0 then 'missing_in_source'
    when f.pending is not null and
         (case length(e.ruled[f.pending]) when 10 then e.ruled[f.pending] || 'T00:00:00Z' when 16 then e.ruled[f.pending] || ':00Z' when 19 then e.ruled[f.pending] || 'Z' else e.ruled[f.pending] end)::timestamptz
         + f.grace > f.as_of then 'pending'
    else 'missing_in_target' end as kind
from o_key k cross join o_fact f left join o_entry e on e.entry = k.l_entry;
insert into o_pair select l_entry, r_entry, 1, true from o_decided where kind = 'pair';

analyze o_decided;
analyze o_rest;

-- Kinds 6 to 9: each compared value of each pair.
create temp table o_verdict on commit drop as
select *, case
    when raw_a is not distinct from raw_b and a is not distinct from b then 'identical'
    when a is not distinct from b then case when rule ? 'precision' then 'within_tolerance' else 'equal_after_rules' end
    when pg_temp.is_tolerated(a, b, column_kind, rule) then 'within_tolerance'
    else 'value_mismatch' end as verdict
from (select p.*, c.i, c.name, c.kind as column_kind, c.rule, l.cells[c.i] as raw_a, r.cells[c.i] as raw_b, l.ruled[c.i] as a, r.ruled[c.i] as b,
             coalesce(l.ruled[c.grouped_by], '') as g
      from o_pair p join o_entry l on l.entry = p.l_entry join o_entry r on r.entry = p.r_entry cross join o_column c where c.judged) v;

analyze o_pair;
analyze o_verdict;
create temp table o_judged on commit drop as
select l_entry, r_entry, alone, times, case
    when bool_or(verdict = 'value_mismatch') then 'value_mismatch'
    when bool_or(verdict = 'within_tolerance') then 'within_tolerance'
    when bool_or(verdict = 'equal_after_rules') then 'equal_after_rules'
    else 'identical' end as kind
from o_verdict group by l_entry, r_entry, alone, times;

-- Every row in its kind, with how many keys (pairs count once): for the counts and the proof.
create temp table o_booked on commit drop as
select 'identical' as kind, least(l, r) as l, least(l, r) as r, least(l, r) as keys, ruled, ruled as counted from o_entry where least(l, r) > 0
union all select j.kind, j.times, 0, j.times, e.ruled, e.ruled from o_judged j join o_entry e on e.entry = j.l_entry
union all select j.kind, 0, j.times, 0, e.ruled, e.ruled from o_judged j join o_entry e on e.entry = j.r_entry
union all select d.kind, t.l, t.r, case when row_number() over (partition by d.key order by t.entry) = 1 then 1 else 0 end, e.ruled, e.ruled
  from o_decided d join o_rest t on t.key = d.key join o_entry e on e.entry = t.entry
  where d.kind <> 'pair' and t.l + t.r > 0
union all select kind, case when side = 0 then times else 0 end, case when side = 1 then times else 0 end, 1, ruled, counted from o_unusable;

-- The sums of on_both sides from all rows, and the explanations from the kinds.
create temp table o_sum on commit drop as
select total, g, coalesce(sum(amount) filter (where side = 0), 0) as l, coalesce(sum(amount) filter (where side = 1), 0) as r
from (select t.total, s.side, coalesce(s.ruled[t.per], '') as g, pg_temp.amount(s.counted, t.factors) as amount from o_seen s cross join o_total t) a group by total, g;

create temp table o_explained on commit drop as
select t.total, coalesce(b.ruled[t.per], '') as g, b.kind, sum((b.r - b.l) * pg_temp.amount(b.counted, t.factors)) as amount
from o_booked b cross join o_total t group by 1, 2, 3;

-- What is told, a line each, in order: breaks, then counts, rules, tolerances, proof.
create temp table o_line (part int, place text[] collate "C", line json) on commit drop;

-- Breaks of rows that can't be used: unreadable before key_invalid, source before target, by their values.
insert into o_line
select 1,
  array[case kind when 'unreadable' then '1' else '2' end || side] || pg_temp.sortable(cells || hint || raw),
  json_build_array('break', kind,
    (select coalesce(json_agg(cells[i] order by i), '[]') from o_column where is_key),
    case when raw is not null
      then json_build_array(json_build_array('(record)', case side when 0 then raw end, case side when 1 then raw end, 'text', null))
      else (select coalesce(json_agg(json_build_array(name, case side when 0 then cells[i] end, case side when 1 then cells[i] end,
              pg_temp.nature(name, o_column.kind, is_group, ruled[i], ruled[i]), null) order by i), '[]') from o_column where judged and not is_key) end,
    case side when 0 then times else 0 end, case side when 1 then times else 0 end,
    case when origin[1][1] is not null and origin[1][2] is not null then json_build_array(origin[1][1], origin[1][2]) end, hint,
    pg_temp.identity(f.reconciliation, 'unusable',
      'side'::text || (select array_agg(o_column.kind order by i) from o_column) || case when raw is not null then array['record'] else '{}' end,
      case side when 0 then 'left' else 'right' end || cells || case when raw is not null then array[raw] else '{}' end))
from o_unusable cross join o_fact f;

-- Breaks of keys, by their keys.
insert into o_line
select 3, pg_temp.sortable(key), json_build_array('break', kind,
  (select json_agg(row_cells[i] order by i) from o_column where is_key),
  (select coalesce(json_agg(json_build_array(name, l_cells[i], r_cells[i], nature,
            case when on_both and nature = 'amount' and not (b.kind = 'value_mismatch' and mixed) then trim_scale(r_ruled[i]::numeric - l_ruled[i]::numeric)::text end) order by i), '[]')
   from (select *, bool_or(nature = 'currency') over () as mixed
         from (select *, case when on_both then pg_temp.nature(name, c.kind, is_group, l_ruled[i], r_ruled[i])
                         else pg_temp.nature(name, c.kind, is_group, coalesce(l_ruled[i], r_ruled[i]), coalesce(l_ruled[i], r_ruled[i])) end as nature
               from o_column c
               where judged and case when b.kind = 'value_mismatch'
                 then i in (select v.i from o_verdict v where v.alone and v.l_entry = b.l_entry and v.r_entry = b.r_entry and v.verdict = 'value_mismatch')
                 else not is_key end) x) y),
  l, r, origin, hint, pg_temp.identity(reconciliation, family, key_kinds, key))
from (
  select d.key, d.l, d.r, d.l_entry, d.r_entry, k.kind, f.reconciliation,
         d.l_entry is not null and d.r_entry is not null as on_both,
         e.cells as l_cells, g.cells as r_cells, e.ruled as l_ruled, g.ruled as r_ruled, coalesce(e.cells, g.cells) as row_cells,
         (select array_agg(kind order by i) from o_column where is_key) as key_kinds,
         case k.kind when 'value_mismatch' then 'value' else k.kind end as family,
         case when k.kind = 'duplicate' then d.l_total || ' in the source, ' || d.r_total || ' in the target, ' || case d.variants when 1 then 'all equal' else 'conflicting' end
              when k.kind = 'value_mismatch' and (d.l_total > 1 or d.r_total > 1) then 'left over after equal duplicates were cancelled'
              else '' end as hint,
         (select case when o[1][1] is not null and o[1][2] is not null then json_build_array(o[1][1], o[1][2]) end
          from (select case when e.entry is not null then e.l_origin else g.r_origin end as o) x) as origin
  from o_decided d cross join o_fact f
  left join o_entry e on e.entry = d.l_entry left join o_entry g on g.entry = d.r_entry
  left join o_judged j on j.alone and j.l_entry = d.l_entry and j.r_entry = d.r_entry
  cross join lateral (select case when d.kind = 'pair' then j.kind else d.kind end as kind) k
  where k.kind in ('duplicate', 'missing_in_target', 'missing_in_source', 'value_mismatch')) b;

insert into o_line select 4, array[kind], json_build_array('kind', kind, sum(l), sum(r), sum(keys)) from o_booked group by kind;

insert into o_line select 5, array[name, rule], json_build_array('rule', name, rule, times) from (
  select name, rule_name as rule, sum(times) as times
  from (select name, times, case
          when a is not distinct from b then pg_temp.winning_rules(raw_a, raw_b, column_kind, rule, marks)
          else pg_temp.tolerance(rule) end as rule_name
        from o_verdict cross join o_fact where verdict in ('within_tolerance', 'equal_after_rules')) w group by 1, 2) x;

insert into o_line select 6, array[name, g], json_build_array('tolerated', name, g, count(*), trim_scale(sum(d))::text, trim_scale(sum(abs(d)))::text)
from (select *, pg_temp.apart(a, b, column_kind) as d from o_verdict where verdict = 'within_tolerance' and a is distinct from b) t group by name, g;

insert into o_line select 7, array[total, g], json_build_array('total', total, g, trim_scale(l)::text, trim_scale(r)::text, trim_scale(r - l)::text,
  (select coalesce(json_agg(json_build_array(kind, trim_scale(amount)::text) order by kind collate "C"), '[]') from o_explained e where e.total = s.total and e.g = s.g and amount <> 0),
  trim_scale(r - l - (select coalesce(sum(amount), 0) from o_explained e where e.total = s.total and e.g = s.g))::text)
from o_sum s;

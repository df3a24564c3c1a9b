-- What a value is under its column's rules, as docs/reconciliation.md says it: plain functions of one value.
-- First of the two parts of the oracle; comparison.sql uses them. They live in the session's temp schema.

create or replace function pg_temp.spaces() returns text immutable language sql as $$
  select E'\t\n\x0b\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
$$;

-- The steps in their order: 1 nfc, 2 trim, 3 collapse, 4 null token, 5 strip accents, 6 fold case.
-- `marks` is a bracket expression of all combining marks.
create or replace function pg_temp.step(step int, v text, kind text, rule jsonb, marks text) returns text immutable language sql as $$
  select case step
    when 1 then case when kind = 'text' then normalize(v, nfc) else v end
    when 2 then case when rule ? 'trim' then btrim(v, pg_temp.spaces()) else v end
    when 3 then case when rule ? 'collapse' then regexp_replace(v, '[' || pg_temp.spaces() || ']+', ' ', 'g') else v end
    when 4 then case when rule -> 'nullTokens' ? v then null else v end
    when 5 then case when kind = 'text' and rule ? 'stripAccents' then normalize(regexp_replace(normalize(v, nfd), marks, '', 'g'), nfc) else v end
    when 6 then case when kind = 'text' and rule ? 'foldCase' then lower(v) else v end
  end
$$;

-- All steps. A loop, because one inside the other would be unfolded into an expression of thousands of parts.
create or replace function pg_temp.steps(v text, kind text, rule jsonb, marks text) returns text language plpgsql immutable as $$
begin
  for i in 1..6 loop v := pg_temp.step(i, v, kind, rule, marks); end loop;
  return v;
end $$;

-- The last two steps at once, for the texts of a value map.
create or replace function pg_temp.folded(v text, kind text, rule jsonb, marks text) returns text immutable language sql as $$
  select pg_temp.step(6, pg_temp.step(5, normalize(v, nfc), kind, rule, marks), kind, rule, marks)
$$;

-- The last step, where a side has a value map: what the map says; null for what it lacks. Its texts are folded like the values.
create or replace function pg_temp.mapped(v text, side int, kind text, rule jsonb, marks text) returns text immutable language sql as $$
  select case when rule #> array['values', side::text] is null then v else (
    select pg_temp.folded(e ->> 1, kind, rule, marks)
    from jsonb_array_elements(rule #> array['values', side::text]) with ordinality as u(e, p)
    where pg_temp.folded(e ->> 0, kind, rule, marks) = v order by p limit 1) end
$$;

create or replace function pg_temp.is_day(v text) returns boolean immutable language sql as $$
  select case
    when v !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' or left(v, 4) = '0000' then false
    else substr(v, 9, 2)::int <= extract(day from make_date(left(v, 4)::int, substr(v, 6, 2)::int, 1) + interval '1 month - 1 day')
  end
$$;

-- Whether a value, after the steps, is what its column is. Null is.
create or replace function pg_temp.is_readable(v text, kind text) returns boolean immutable language sql as $$
  select coalesce(case kind
    when 'decimal' then v ~ '^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$'
    when 'integer' then v ~ '^[+-]?[0-9]+$'
    when 'boolean' then v in ('true', 'false')
    when 'date' then pg_temp.is_day(v)
    when 'timestamp' then v ~ '^.{10}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?Z$' and pg_temp.is_day(left(v, 10))
    else true
  end, true)
$$;

-- A readable value in the one form in which equal values are equal texts.
create or replace function pg_temp.in_one_form(v text, kind text, rule jsonb) returns text immutable language sql as $$
  select case
    when kind in ('decimal', 'integer') then trim_scale(v::numeric)::text
    when kind <> 'timestamp' then v
    when rule ? 'precision' then left(v, case rule ->> 'precision' when 'second' then 19 when 'minute' then 16 else 10 end)
    when v like '%.%' then regexp_replace(v, '\.?0*Z$', 'Z')
    else v
  end
$$;

-- Seconds since 1970, exact to the ninth place.
create or replace function pg_temp.seconds(v text) returns numeric immutable language sql as $$
  select extract(epoch from (left(v, 19) || 'Z')::timestamptz)::numeric + coalesce(substring(v from '\.[0-9]+'), '0')::numeric
$$;

-- What a tolerance is about: target - source, of instants in seconds; null where there is nothing to subtract.
create or replace function pg_temp.apart(a text, b text, kind text) returns numeric immutable language sql as $$
  select case when kind in ('decimal', 'integer') then b::numeric - a::numeric when kind = 'timestamp' then pg_temp.seconds(b) - pg_temp.seconds(a) end
$$;

-- Whether two values that differ under rules are let pass. Bounds belong to the tolerance; one of both is enough.
create or replace function pg_temp.is_near(a numeric, b numeric, rule jsonb) returns boolean immutable language sql as $$
  select coalesce(abs(b - a) <= (rule ->> 'within')::numeric, false)
    or coalesce(abs(b - a) <= (rule ->> 'relative')::numeric * greatest(abs(a), abs(b)), false)
$$;

create or replace function pg_temp.is_tolerated(a text, b text, kind text, rule jsonb) returns boolean immutable language sql as $$
  select coalesce(case kind
    when 'timestamp' then rule ? 'withinSeconds' and abs(pg_temp.apart(a, b, kind)) <= (rule ->> 'withinSeconds')::numeric
    when 'decimal' then pg_temp.is_near(a::numeric, b::numeric, rule)
    when 'integer' then pg_temp.is_near(a::numeric, b::numeric, rule)
    end, false)
$$;

-- What a tolerance is called.
create or replace function pg_temp.tolerance(rule jsonb) returns text immutable language sql as $$
  select case when rule ? 'withinSeconds' then 'within ' || (rule ->> 'withinSeconds') || ' s'
    else concat_ws(' or ', 'within ' || (rule ->> 'within'), 'relative ' || (rule ->> 'relative')) end
$$;

-- The rules that made two different texts equal: those that changed either, until both were one.
create or replace function pg_temp.winning_rules(a text, b text, kind text, rule jsonb, marks text) returns text language plpgsql immutable as $$
declare
  names constant text[] := '{nfc,trim,collapse,null token,strip accents,fold case}';
  helped text[] := '{}';
  x text; y text;
begin
  if rule ? 'precision' then return 'precision ' || (rule ->> 'precision'); end if;
  for i in 1..6 loop
    x := pg_temp.step(i, a, kind, rule, marks);
    y := pg_temp.step(i, b, kind, rule, marks);
    if x is distinct from a or y is distinct from b then helped := helped || names[i]; end if;
    a := x; b := y;
    exit when a is not distinct from b;
  end loop;
  if a is distinct from b then
    helped := helped || case when kind in ('decimal', 'integer') then 'same number' when kind = 'timestamp' then 'same instant' when rule ? 'values' then 'value map' else 'text rules' end;
  end if;
  return array_to_string(helped, ' + ');
end $$;

-- What sort of difference a column shows.
create or replace function pg_temp.nature(name text, kind text, is_group boolean, a text, b text) returns text immutable language sql as $$
  select case
    when a is null or b is null then 'null_vs_value'
    when kind in ('decimal', 'integer') then 'amount'
    when kind in ('date', 'timestamp') then 'date_time'
    when kind = 'boolean' then 'status'
    when is_group then 'currency'
    when regexp_replace(name, '([a-z])([A-Z])', '\1 \2', 'g') ~* '(^|[^a-z])(ccy|currency|curr)([^a-z]|$)' and a ~ '^[A-Z]{3}$' and b ~ '^[A-Z]{3}$' then 'currency'
    when name ~* '(id|ref|reference|no|nr|number|code|iban|bic|account)$' then 'reference'
    when a ~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?$' and b ~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?$' then 'amount'
    when name ~* 'status|state$|flag' then 'status'
    else 'text'
  end
$$;

-- A row in one text that no other row has, and its MD5 read from its last byte on: the order of rows within a key.
create or replace function pg_temp.row_order(vs text[]) returns text immutable language sql as $$
  select (select string_agg(substr(h, p, 2), '' order by p desc) from generate_series(1, 31, 2) p)
  from (select md5(coalesce(string_agg(case when v is null then 'n' else octet_length(v) || ':' || v end, '' order by p), '')) as h
        from unnest(vs) with ordinality as u(v, p)) m
$$;

create or replace function pg_temp.with_length(v text) returns text immutable language sql as $$
  select octet_length(v) || ':' || v || ';'
$$;

-- The lasting name of a difference.
create or replace function pg_temp.identity(reconciliation text, family text, kinds text[], vs text[]) returns text immutable language sql as $$
  select left(encode(sha256(convert_to(
    E'break-1\n' || pg_temp.with_length(reconciliation) || family || E'\n' ||
    coalesce((select string_agg(k || ':' || coalesce(pg_temp.with_length(v), 'null;'), '' order by p) from unnest(kinds, vs) with ordinality as u(k, v, p)), ''),
    'UTF8')), 'hex'), 32)
$$;

-- Nulls first, then by bytes, whatever the values are.
create or replace function pg_temp.sortable(vs text[]) returns text[] immutable language sql as $$
  select coalesce(array_agg(case when v is null then '0' else '1' || v end order by p), '{}') from unnest(vs) with ordinality as u(v, p)
$$;

-- What a row adds to a total: the product of its factors, nothing where one is null (or can't be read, which is given as null).
create or replace function pg_temp.amount(vs text[], factors int[]) returns numeric immutable language sql as $$
  select case
    when (select bool_and(vs[f] is not null) from unnest(factors) f)
      then case when array_length(factors, 1) = 1 then vs[factors[1]]::numeric else vs[factors[1]]::numeric * vs[factors[2]]::numeric end
    else 0 end
$$;

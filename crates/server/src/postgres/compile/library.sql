-- What compiled steps call. Nothing here raises an error for a value of a document, and NULL stands for what the
-- interpreter would refuse, or what only the interpreter can read.

CREATE SCHEMA IF NOT EXISTS exuvia;

-- Documents

-- Whether anything nests deeper than 99 levels. Each level takes eight bytes or more.
CREATE OR REPLACE FUNCTION exuvia.is_deep(value jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN pg_column_size(value) > 700
    AND jsonb_path_exists(value, 'strict $.**{99} ? (@.type() == "object" || @.type() == "array")', '{}', true);
END
$exuvia$;

-- The value at a path of names.
CREATE OR REPLACE FUNCTION exuvia.at(value jsonb, path text[]) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY path LOOP
    value := value->name;
  END LOOP;
  RETURN value;
END
$exuvia$;

CREATE OR REPLACE FUNCTION exuvia.object(names text[], parts jsonb[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT coalesce(jsonb_object_agg(member.name, member.part), '{}') FROM unnest(names, parts) AS member(name, part)
$exuvia$;

-- The members whose names start with a prefix.
CREATE OR REPLACE FUNCTION exuvia.starting(object jsonb, prefix text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT coalesce(jsonb_object_agg(member.name, member.part), '{}')
  FROM jsonb_each(object) AS member(name, part) WHERE starts_with(member.name, prefix)
$exuvia$;

-- An object without the members that another has.
CREATE OR REPLACE FUNCTION exuvia.without(object jsonb, others jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT object - ARRAY(SELECT jsonb_object_keys(others))
$exuvia$;

-- The places, counted from 0, of the items that have this key, as an array.
CREATE OR REPLACE FUNCTION exuvia.places(items jsonb, path text[], key jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT coalesce(jsonb_agg(item.ord - 1 ORDER BY item.ord), '[]')
  FROM jsonb_array_elements(items) WITH ORDINALITY AS item(part, ord) WHERE exuvia.at(item.part, path) = key
$exuvia$;

-- Numbers and texts

-- A count in a residue; 0 where it is not there.
CREATE OR REPLACE FUNCTION exuvia.count_in(value jsonb) RETURNS integer
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  IF value IS NULL THEN
    RETURN 0;
  ELSIF jsonb_typeof(value) <> 'number' THEN
    RETURN NULL;
  ELSIF value::numeric <> trunc(value::numeric) OR value::numeric NOT BETWEEN 0 AND 2147483647 THEN
    RETURN NULL;
  END IF;
  RETURN value::integer;
END
$exuvia$;

-- The number that a text is by JSON's grammar. The exponent has three digits at most.
CREATE OR REPLACE FUNCTION exuvia.number(written text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  IF written ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$' THEN
    RETURN to_jsonb(written::numeric);
  END IF;
  RETURN NULL;
END
$exuvia$;

-- A whole number up to 2^53 - 1 as a text.
CREATE OR REPLACE FUNCTION exuvia.digits(value jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  number numeric := value::numeric;
BEGIN
  IF abs(number) <= 9007199254740991 AND number = trunc(number) THEN
    RETURN to_jsonb(trunc(number)::bigint::text);
  END IF;
  RETURN NULL;
END
$exuvia$;

-- A list of texts as one.
CREATE OR REPLACE FUNCTION exuvia.joined(items jsonb, separator text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT CASE WHEN coalesce(bool_and(jsonb_typeof(item.part) = 'string'), true)
    THEN to_jsonb(coalesce(string_agg(item.part #>> '{}', separator ORDER BY item.ord), '')) END
  FROM jsonb_array_elements(items) WITH ORDINALITY AS item(part, ord)
$exuvia$;

-- Times

-- The whole seconds since 1970 of a time as RFC 3339 writes it, in the years 0 to 9999. (Howard Hinnant,
-- "chrono-Compatible Low-Level Date Algorithms".)
CREATE OR REPLACE FUNCTION exuvia.whole_seconds(written text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  parts text[] := regexp_match(written,
    '^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.][0-9]+)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$');
  year integer := parts[1];
  month integer := parts[2];
  day integer := parts[3];
  hour integer := parts[4];
  minute integer := parts[5];
  second integer := parts[6];
  zone_hour integer := coalesce(parts[8]::integer, 0);
  zone_minute integer := coalesce(parts[9]::integer, 0);
  is_leap boolean := year % 4 = 0 AND (year % 100 <> 0 OR year % 400 = 0);
  era integer;
  year_of_era integer;
  days bigint;
  seconds bigint;
BEGIN
  IF parts IS NULL OR month NOT BETWEEN 1 AND 12 OR hour > 23 OR minute > 59 OR second > 59
    OR zone_hour > 23 OR zone_minute > 59 THEN
    RETURN NULL;
  END IF;
  IF day < 1 OR day > (CASE month WHEN 2 THEN 28 + is_leap::integer ELSE 30 + (month + month / 8) % 2 END) THEN
    RETURN NULL;
  END IF;
  year := year - (month <= 2)::integer;
  era := (year + 400) / 400 - 1;
  year_of_era := year - era * 400;
  days := era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100
    + (153 * ((month + 9) % 12) + 2) / 5 + day - 1 - 719468;
  seconds := days * 86400 + hour * 3600 + minute * 60 + second
    - CASE parts[7] WHEN '-' THEN -1 ELSE 1 END * (zone_hour * 3600 + zone_minute * 60);
  IF seconds >= -62167219200 AND seconds < 253402300800 THEN
    RETURN seconds;
  END IF;
  RETURN NULL;
END
$exuvia$;

CREATE OR REPLACE FUNCTION exuvia.is_time(written text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN exuvia.whole_seconds(written) IS NOT NULL;
END
$exuvia$;

-- Seconds since 1970, with a fraction, as RFC 3339 writes them.
CREATE OR REPLACE FUNCTION exuvia.written_time(seconds numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  whole bigint := floor(seconds);
  fraction text := substr(trim_scale(seconds - whole)::text, 2);
  day bigint := floor(whole / 86400.0);
  second integer := whole - day * 86400;
  shifted bigint := day + 719468;
  era bigint := (shifted + 146097) / 146097 - 1;
  day_of_era integer := shifted - era * 146097;
  year_of_era integer := (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  day_of_year integer := day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  month_of_year integer := (5 * day_of_year + 2) / 153;
  month integer := CASE WHEN month_of_year < 10 THEN month_of_year + 3 ELSE month_of_year - 9 END;
  year bigint := year_of_era + era * 400 + (month <= 2)::integer;
BEGIN
  RETURN lpad(year::text, 4, '0') || '-' || lpad(month::text, 2, '0') || '-'
    || lpad((day_of_year - (153 * month_of_year + 2) / 5 + 1)::text, 2, '0') || 'T'
    || lpad((second / 3600)::text, 2, '0') || ':' || lpad((second / 60 % 60)::text, 2, '0') || ':'
    || lpad((second % 60)::text, 2, '0') || fraction || 'Z';
END
$exuvia$;

-- A point in time, written differently; `null` stays `null`.
CREATE OR REPLACE FUNCTION exuvia.time(value jsonb, source text, target text, whole boolean) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  seconds numeric;
BEGIN
  IF jsonb_typeof(value) = 'null' THEN
    RETURN value;
  ELSIF source = 'iso' AND jsonb_typeof(value) = 'string' THEN
    seconds := exuvia.whole_seconds(value #>> '{}')
      + coalesce(('0' || substring(value #>> '{}' FROM '[.][0-9]+'))::numeric, 0);
  ELSIF source <> 'iso' AND jsonb_typeof(value) = 'number' THEN
    -- No number with more digits than that is read.
    IF min_scale(value::numeric) > 400 THEN
      RETURN NULL;
    END IF;
    seconds := value::numeric * CASE source WHEN 'epoch-ms' THEN 0.001 ELSE 1 END;
  END IF;
  IF seconds IS NULL OR seconds < -62167219200 OR seconds >= 253402300800 THEN
    RETURN NULL;
  END IF;
  IF target = 'iso' THEN
    RETURN to_jsonb(exuvia.written_time(seconds));
  END IF;
  seconds := seconds * CASE target WHEN 'epoch-ms' THEN 1000 ELSE 1 END;
  RETURN to_jsonb(trim_scale(CASE WHEN whole THEN floor(seconds) ELSE seconds END));
END
$exuvia$;

-- Residues, as the interpreter writes them

-- One end of a move: what stood there, and how many objects were made.
CREATE OR REPLACE FUNCTION exuvia.moved(name text, value jsonb, made_name text, made integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN CASE WHEN value IS NULL THEN '{}' ELSE jsonb_build_object(name, value) END
    || CASE made WHEN 0 THEN '{}' ELSE jsonb_build_object(made_name, made) END;
END
$exuvia$;

-- The pair of an edit, and where an item of a list stood.
CREATE OR REPLACE FUNCTION exuvia.memo(older jsonb, newer jsonb, older_at integer, newer_at integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN '{"memo": true}'::jsonb
    || CASE WHEN older IS NULL THEN '{}' ELSE jsonb_build_object('older', older) END
    || CASE WHEN newer IS NULL THEN '{}' ELSE jsonb_build_object('newer', newer) END
    || CASE WHEN older_at IS NULL THEN '{}' ELSE jsonb_build_object('older_at', older_at) END
    || CASE WHEN newer_at IS NULL THEN '{}' ELSE jsonb_build_object('newer_at', newer_at) END;
END
$exuvia$;

CREATE OR REPLACE FUNCTION exuvia.branch(taken boolean, older boolean, newer boolean, kept jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN jsonb_build_object('branch', jsonb_build_array(taken, older, newer))
    || CASE WHEN kept IS NULL THEN '{}' ELSE jsonb_build_object('inner', kept) END;
END
$exuvia$;

CREATE OR REPLACE FUNCTION exuvia.is_branch(signs jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN coalesce(jsonb_typeof(signs) = 'array' AND jsonb_array_length(signs) = 3 AND jsonb_typeof(signs->0) = 'boolean'
    AND jsonb_typeof(signs->1) = 'boolean' AND jsonb_typeof(signs->2) = 'boolean', false);
END
$exuvia$;

CREATE OR REPLACE FUNCTION exuvia.are_sides(sides jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN coalesce(jsonb_typeof(sides) = 'array' AND jsonb_array_length(sides) = 2
    AND jsonb_typeof(sides->0) = 'object' AND jsonb_typeof(sides->1) = 'object', false);
END
$exuvia$;

-- Lists by key. Where the residue has a digest of the key, only the interpreter can compare it: SQL writes the key itself,
-- as the only item of an array.

CREATE OR REPLACE FUNCTION exuvia.are_items(known jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT CASE jsonb_typeof(known) WHEN 'array' THEN NOT EXISTS (
    SELECT FROM jsonb_array_elements(known) AS item(part)
    WHERE jsonb_typeof(item.part) <> 'array' OR jsonb_array_length(item.part) <> 5
      OR jsonb_typeof(item.part->0) <> 'array' OR jsonb_typeof(item.part->1) <> 'number'
      OR jsonb_typeof(item.part->2) <> 'array' OR jsonb_typeof(item.part->3) <> 'number'
  ) ELSE false END
$exuvia$;

-- Keys, and how many items with the same key come before each.
CREATE OR REPLACE FUNCTION exuvia.marks(items jsonb, path text[]) RETURNS TABLE (ord bigint, mark jsonb, nth bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT keyed.ord, keyed.mark, row_number() OVER (PARTITION BY keyed.mark ORDER BY keyed.ord) - 1
  FROM (
    SELECT item.ord, jsonb_build_array(coalesce(exuvia.at(item.part, path), 'null')) AS mark
    FROM jsonb_array_elements(items) WITH ORDINALITY AS item(part, ord)
  ) AS keyed
$exuvia$;

-- For each item the residue that is known of it. `side` is where the marks of these items stand.
CREATE OR REPLACE FUNCTION exuvia.recall_items(items jsonb, path text[], known jsonb, side integer) RETURNS jsonb[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  IF NOT exuvia.are_items(known) THEN
    RETURN NULL;
  END IF;
  RETURN coalesce((
    SELECT array_agg((
      SELECT item.part->4 FROM jsonb_array_elements(known) AS item(part)
      WHERE item.part->side = marks.mark AND (item.part->(side + 1))::numeric = marks.nth LIMIT 1
    ) ORDER BY marks.ord)
    FROM exuvia.marks(items, path) AS marks
  ), '{}');
END
$exuvia$;

-- The residues of items, with their marks in the older and the newer version.
CREATE OR REPLACE FUNCTION exuvia.kept_items(older jsonb, newer jsonb, path text[], kept jsonb[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $exuvia$
  SELECT jsonb_agg(jsonb_build_array(a.mark, a.nth, b.mark, b.nth, kept[a.ord]) ORDER BY a.ord)
  FROM exuvia.marks(older, path) AS a JOIN exuvia.marks(newer, path) AS b ON a.ord = b.ord
  WHERE kept[a.ord] IS NOT NULL
$exuvia$;

-- The residues that are known of an object's values, by name.
CREATE OR REPLACE FUNCTION exuvia.recall_members(known jsonb, side integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  IF NOT exuvia.are_items(known) THEN
    RETURN NULL;
  END IF;
  RETURN coalesce((
    SELECT jsonb_object_agg(item.part->side->>0, item.part->4) FROM jsonb_array_elements(known) AS item(part)
    WHERE jsonb_typeof(item.part->side->0) = 'string' AND item.part->(side + 1) = '0'
  ), '{}');
END
$exuvia$;

CREATE OR REPLACE FUNCTION exuvia.kept_member(name text, kept jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
BEGIN
  RETURN jsonb_build_array(jsonb_build_array(jsonb_build_array(name), 0, jsonb_build_array(name), 0, kept));
END
$exuvia$;

-- A list becomes an object: an array of the object and, where there is one, the residue.
CREATE OR REPLACE FUNCTION exuvia.name_items(items jsonb, by text, spare text, entry jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  hidden jsonb := coalesce(entry->'hidden', '{}');
  members jsonb;
  slots jsonb;
  shown jsonb;
  all_named boolean;
  in_order boolean;
BEGIN
  IF jsonb_typeof(hidden) <> 'object' OR entry->'hidden' IS NULL AND entry IS NOT NULL THEN
    RETURN NULL;
  END IF;
  WITH keyed AS (
    SELECT item.ord, item.part,
      CASE WHEN jsonb_typeof(item.part) = 'object' AND jsonb_typeof(item.part->by) = 'string' THEN item.part->>by END
        COLLATE "C" AS name
    FROM jsonb_array_elements(items) WITH ORDINALITY AS item(part, ord)
  ), chosen AS (
    SELECT keyed.*, keyed.name IS NOT NULL AND 1 = row_number() OVER (
      PARTITION BY keyed.name ORDER BY CASE spare WHEN 'last' THEN -keyed.ord ELSE keyed.ord END
    ) AS named
    FROM keyed
  )
  SELECT
    coalesce(jsonb_object_agg(name, CASE WHEN hidden ? name THEN jsonb_set(part, ARRAY[by], hidden->name) ELSE part - by END)
      FILTER (WHERE named), '{}'),
    coalesce(jsonb_agg(CASE WHEN named THEN to_jsonb(name) ELSE jsonb_build_array(part) END ORDER BY ord), '[]'),
    coalesce(jsonb_object_agg(name, hidden->name) FILTER (WHERE named AND hidden ? name), '{}'),
    coalesce(bool_and(named), true),
    array_agg(name ORDER BY ord) IS NOT DISTINCT FROM array_agg(name ORDER BY name)
  INTO members, slots, shown, all_named, in_order
  FROM chosen;
  IF spare = 'refuse' AND NOT all_named THEN
    RETURN NULL;
  ELSIF all_named AND in_order AND shown = '{}' THEN
    RETURN jsonb_build_array(members);
  END IF;
  RETURN jsonb_build_array(members, jsonb_build_object('order', slots, 'hidden', shown));
END
$exuvia$;

-- An object becomes a list: an array of the list and, where there is one, the residue.
CREATE OR REPLACE FUNCTION exuvia.list_members(members jsonb, by text, spare text, entry jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $exuvia$
DECLARE
  known jsonb := coalesce(entry->'order', '[]');
  others jsonb := members;
  items jsonb[] := '{}';
  slots jsonb[] := '{}';
  hidden jsonb := '{}';
  plain boolean := true;
  slot jsonb;
  item jsonb;
  name text;
  before text;
  is_listed boolean;
BEGIN
  IF jsonb_typeof(known) <> 'array' OR EXISTS (
    SELECT FROM jsonb_each(members) AS member(name, part) WHERE jsonb_typeof(member.part) <> 'object'
  ) THEN
    RETURN NULL;
  END IF;
  -- The names that are known, in their order, then the others in theirs.
  FOR slot IN
    SELECT ordered.slot FROM (
      SELECT known_slot.part AS slot, known_slot.ord, NULL::text COLLATE "C" AS newcomer
      FROM jsonb_array_elements(known) WITH ORDINALITY AS known_slot(part, ord)
      UNION ALL
      SELECT to_jsonb(member.name), NULL, member.name FROM jsonb_object_keys(members) AS member(name)
    ) AS ordered ORDER BY ordered.ord NULLS LAST, ordered.newcomer
  LOOP
    IF jsonb_typeof(slot) = 'string' THEN
      name := slot #>> '{}';
      CONTINUE WHEN NOT others ? name;
      item := others->name;
      others := others - name;
      IF item ? by THEN
        hidden := hidden || jsonb_build_object(name, item->by);
      END IF;
      items := array_append(items, jsonb_set(item, ARRAY[by], to_jsonb(name)));
      slots := array_append(slots, slot);
      plain := plain AND (before IS NULL OR before COLLATE "C" <= name COLLATE "C");
      before := name;
    ELSIF jsonb_typeof(slot) = 'array' AND slot <> '[]' THEN
      item := slot->-1;
      CONTINUE WHEN spare = 'refuse';
      IF jsonb_typeof(item) = 'object' AND jsonb_typeof(item->by) = 'string' THEN
        -- One that shares its key stays only where the list, read again, would leave it out again.
        name := item->>by;
        is_listed := NOT others ? name;
        CONTINUE WHEN NOT members ? name OR is_listed <> (spare = 'first');
      END IF;
      items := array_append(items, item);
      slots := array_append(slots, slot);
      plain := false;
    ELSE
      RETURN NULL;
    END IF;
  END LOOP;
  IF plain AND hidden = '{}' THEN
    RETURN jsonb_build_array(to_jsonb(items));
  END IF;
  RETURN jsonb_build_array(to_jsonb(items), jsonb_build_object('order', to_jsonb(slots), 'hidden', hidden));
END
$exuvia$;

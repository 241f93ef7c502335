-- Tables in the style of Postgres's own regression tests; every value that a rule masks holds the word canary, or a number above a million.
-- A statement ends with a semicolon at the end of its line. :lz4 is lz4 where that Postgres has it, else pglz.
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN address AS text CHECK (VALUE ~ '^[^@]+@[^@]+$');

-- Rows of 250 columns with NULLs, dropped and added ones.
DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id int PRIMARY KEY, ' || (SELECT string_agg(format('c%s %s', n, (ARRAY['text', 'int', 'numeric', 'bool', 'timestamptz'])[n % 5 + 1]), ', ') FROM generate_series(1, 250) n) || ')'; END $$;
DO $$ BEGIN EXECUTE 'INSERT INTO wide SELECT n, ' || (SELECT string_agg(CASE n % 5 WHEN 0 THEN format('CASE WHEN n %% 7 <> %s THEN ''canary '' || n END', n % 7) WHEN 1 THEN 'NULLIF(n % 3, 0) * 1000' WHEN 2 THEN 'n / 7.0' WHEN 3 THEN 'n % 2 = 0' ELSE 'timestamptz ''2020-02-02 00:00+00'' + n * interval ''1 hour''' END, ', ') FROM generate_series(1, 250) n) || ' FROM generate_series(1, 120) n'; END $$;
ALTER TABLE wide DROP COLUMN c10, DROP COLUMN c12, DROP COLUMN c250;
ALTER TABLE wide ADD COLUMN later text DEFAULT 'canary later', ADD COLUMN shown_later text DEFAULT 'shown later', ADD COLUMN empty_later int;
INSERT INTO wide (id, c5, c245, later) SELECT n, 'canary ' || n, 'canary ' || n, 'canary ' || n FROM generate_series(121, 200) n;
UPDATE wide SET c5 = 'canary updated' WHERE id % 9 = 0;

-- HOT chains, pruned and not, rows of transactions that were undone.
CREATE TABLE hot (id int PRIMARY KEY, name text NOT NULL, n int) WITH (fillfactor = 50);
INSERT INTO hot SELECT n, 'canary ' || n, 1 FROM generate_series(1, 1000) n;
UPDATE hot SET n = 2 WHERE id % 2 = 0;
UPDATE hot SET n = 3, name = name || ' canary longer' WHERE id % 4 = 0;
UPDATE hot SET n = 4 WHERE id % 8 = 0;
DELETE FROM hot WHERE id % 11 = 0;
VACUUM hot;
UPDATE hot SET n = 5 WHERE id % 3 = 0;
DO $$ BEGIN UPDATE hot SET name = 'canary undone', n = 6 WHERE id % 5 = 0; RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END $$;
DO $$ BEGIN INSERT INTO hot SELECT n, 'canary undone', 7 FROM generate_series(2001, 2100) n; ALTER TABLE hot ADD COLUMN never int8 DEFAULT 1; UPDATE hot SET never = 2 WHERE id < 20; RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END $$;
SELECT count(*) FROM hot;
DELETE FROM hot WHERE id % 13 = 0;

-- Compressed in line, out of line compressed and plain, and short.
CREATE TABLE stored (id int PRIMARY KEY, pg text COMPRESSION pglz, lz text COMPRESSION :lz4, outside text, main text, plain varchar(2000), shown text, shown_lz text COMPRESSION :lz4, bytes bytea);
ALTER TABLE stored ALTER outside SET STORAGE EXTERNAL, ALTER main SET STORAGE MAIN, ALTER plain SET STORAGE PLAIN, ALTER shown SET STORAGE EXTERNAL;
INSERT INTO stored SELECT n, repeat('canary ' || n, 300), repeat('canary ' || n, 350), repeat('canary out', 400), repeat('canary main ', 300), repeat('canary ', n % 50), repeat('shown ' || n, 500), repeat('shown lz ' || n, 500), convert_to(repeat('canary', 500), 'UTF8') FROM generate_series(1, 60) n;
INSERT INTO stored SELECT n, s, s, s, 'canary', 'canary', replace(s, 'canary', 'shown'), replace(s, 'canary', 'shown'), convert_to(s, 'UTF8') FROM generate_series(61, 90) n, LATERAL (SELECT string_agg('canary' || md5((n * i)::text), '') AS s FROM generate_series(1, 300) i) t;
INSERT INTO stored SELECT n, '', 'canary', '', NULL, NULL, NULL, '', '' FROM generate_series(91, 120) n;
UPDATE stored SET lz = lz || 'canary', shown = shown || '.' WHERE id % 4 = 0;
DELETE FROM stored WHERE id % 9 = 0;
VACUUM stored;

CREATE TABLE arrays (id int PRIMARY KEY, words text[], grid int[][], amounts numeric[], shown text[]);
INSERT INTO arrays SELECT n, array_fill('canary ' || n, array[n % 30]), array[[n + 1000000, NULL], [n + 2000000, 3]], array[n + 1000000.5, NULL], array['shown', NULL, n::text] FROM generate_series(1, 400) n;
INSERT INTO arrays SELECT n, NULL, '{}', '[5:6]={1000001,2}', NULL FROM generate_series(401, 420) n;
CREATE INDEX ON arrays USING gin (words);
CREATE INDEX ON arrays USING gin (shown);

CREATE TABLE documents (id int PRIMARY KEY, doc jsonb, paths jsonb, raw json, shown jsonb);
INSERT INTO documents SELECT n, jsonb_build_object('name', 'canary ' || n, 'n', n + 1000000, 'deep', jsonb_build_object('list', jsonb_build_array('canary', 1.50, false, NULL))), jsonb_build_object('secret', 'canary ' || n, 'open', n, 'items', jsonb_build_array(jsonb_build_object('name', 'canary'), jsonb_build_object('name', 'canary ' || n))), json_build_object('name', 'canary ' || n), jsonb_build_object('shown', n) FROM generate_series(1, 400) n;
INSERT INTO documents SELECT n, to_jsonb(array_fill('canary'::text, array[300])), '"open"', '"canary"', 'null' FROM generate_series(401, 420) n;
INSERT INTO documents SELECT 421, (SELECT jsonb_object_agg('key ' || i, 'canary ' || md5(i::text)) FROM generate_series(1, 400) i), '{}', '[]', '{}';
CREATE INDEX ON documents USING gin (doc);
CREATE INDEX ON documents USING gin (paths jsonb_path_ops);
CREATE INDEX ON documents USING gin (shown);
CREATE INDEX ON documents ((doc ->> 'name'));

CREATE TABLE bookings (id int PRIMARY KEY, room int, during tsrange, price numrange, days daterange, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO bookings SELECT n, n % 10, tsrange(timestamp '2020-01-01' + n * interval '1 day', timestamp '2020-01-01' + n * interval '1 day' + interval '2 hours'), numrange(1000000 + n, 2000000), daterange(date '1977-07-07' + n, NULL) FROM generate_series(1, 300) n;
CREATE INDEX ON bookings USING gist (price);
CREATE INDEX ON bookings USING spgist (days);

-- Keys of text and of numbers, checked, referred to by several columns, with indexes of every kind.
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email citext UNIQUE CHECK (email ~ '@'), contact address, name varchar(60) NOT NULL, code char(12), feeling mood, balance numeric(14, 2) CHECK (balance >= 0), born date, seen timestamptz, ip inet, token uuid UNIQUE, lower_name text GENERATED ALWAYS AS (lower(name)) STORED, words tsvector, note text);
INSERT INTO customers (email, contact, name, code, feeling, balance, born, seen, ip, token, words, note) SELECT 'Canary.' || n || '@Example.org', 'canary' || n || '@example.net', 'Canary ' || n, 'canary ' || n, 'sad', 1000000 + n, date '1977-07-07' + n, timestamptz '2020-01-01 00:00+00' + n * interval '1 minute', ('10.1.' || n % 256 || '.7')::inet, md5(n::text)::uuid, to_tsvector('simple', 'canary ' || n), repeat('note ', n % 90) FROM generate_series(1, 1500) n;
CREATE INDEX ON customers (lower(name));
CREATE INDEX ON customers (born) INCLUDE (name);
CREATE INDEX ON customers (id) WHERE name > 'Canary 5';
CREATE INDEX ON customers USING hash (code);
CREATE INDEX ON customers USING gin (name gin_trgm_ops);
CREATE INDEX ON customers USING gist (name gist_trgm_ops);
CREATE INDEX ON customers USING gin (words);
CREATE INDEX ON customers USING brin (seen);
CREATE INDEX ON customers USING spgist (ip);
CREATE INDEX ON customers (feeling, balance DESC);
CREATE TABLE orders (id serial PRIMARY KEY, customer bigint REFERENCES customers, email citext REFERENCES customers (email) DEFERRABLE INITIALLY DEFERRED, amount numeric, UNIQUE (id, customer));
INSERT INTO orders (customer, email, amount) SELECT c.id, c.email, n FROM generate_series(1, 3000) n JOIN customers c ON c.id = n % 1500 + 1;
CREATE TABLE lines (order_id int, customer bigint, line int, what text, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id, customer) REFERENCES orders (id, customer));
INSERT INTO lines SELECT o.id, o.customer, l, 'canary ' || l FROM orders o, generate_series(1, 2) l;
CREATE MATERIALIZED VIEW totals AS SELECT c.email, sum(o.amount) AS total FROM customers c JOIN orders o ON o.customer = c.id GROUP BY 1;
CREATE UNIQUE INDEX ON totals (email);

-- Partitions of partitions, one with its columns in another order; children.
CREATE TABLE parts (region text, id int, name text, email text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE parts_north PARTITION OF parts FOR VALUES IN ('north') PARTITION BY HASH (id);
CREATE TABLE parts_north_0 PARTITION OF parts_north FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_north_1 PARTITION OF parts_north FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parts_south (gone int, email text, name text, id int NOT NULL, region text NOT NULL);
INSERT INTO parts_south SELECT 1, 'canary' || n || '@south', 'canary ' || n, n, 'south' FROM generate_series(1, 100) n;
ALTER TABLE parts_south DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_south FOR VALUES IN ('south');
CREATE TABLE parts_rest PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT (ARRAY['north', 'west'])[n % 2 + 1], n, 'canary ' || n, 'canary' || n || '@part' FROM generate_series(1, 600) n;
CREATE INDEX ON parts (name);
CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE TABLE child (more text) INHERITS (base);
INSERT INTO base SELECT n, 'canary ' || n FROM generate_series(1, 50) n;
INSERT INTO child SELECT n, 'canary ' || n, 'more' FROM generate_series(51, 100) n;

CREATE UNLOGGED TABLE fast (id int PRIMARY KEY, name text);
INSERT INTO fast SELECT n, 'canary ' || n FROM generate_series(1, 200) n;
CREATE TABLE nothing (a int, b text);
ALTER TABLE nothing DROP COLUMN a, DROP COLUMN b;
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE empty (id int PRIMARY KEY, name text);
ANALYZE;

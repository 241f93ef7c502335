// @neondatabase/serverless, as it comes: over HTTP and through a WebSocket, in clear and over TLS.
import { neon, neonConfig, Pool, Client } from '@neondatabase/serverless';
import ws from 'ws';
import { activity, check, equal, fails, password, port, running, url } from './tap.mjs';

neonConfig.webSocketConstructor = ws;

for (const way of ['http', 'https']) {
  neonConfig.fetchEndpoint = () => `${way}://localhost:${port}/sql`;
  const sql = neon(url(false));
  await check(`${way}: query`, async () => {
    const n = 41;
    equal(await sql`select ${n}::int + 1 as n, null as nothing, ${'te\n"xt'} as t`, [{ n: 42, nothing: null, t: 'te\n"xt' }]);
    equal(await sql.query('select $1::int[] as a', [[1, 2]]), [{ a: [1, 2] }]);
  });
  await check(`${way}: array mode and full results`, async () => {
    equal(await sql.query('select 1 as a, 2 as a', [], { arrayMode: true }), [[1, 2]]);
    const full = await sql.query('select 7 as n', [], { fullResults: true });
    equal([full.command, full.rowCount, full.fields[0].name, full.fields[0].dataTypeID], ['SELECT', 1, 'n', 23]);
  });
  await check(`${way}: types`, async () => {
    const [row] = await sql`select true as b, 12345678901234567890.5::numeric as exact, '{"a": [1]}'::jsonb as j,
        '2026-01-02T03:04:05Z'::timestamptz as t, '\\x00ff'::bytea as bytes`;
    equal([row.b, row.exact, row.j, row.t.toISOString(), [...row.bytes]],
      [true, '12345678901234567890.5', { a: [1] }, '2026-01-02T03:04:05.000Z', [0, 255]]);
  });
  await check(`${way}: error`, async () => {
    const error = await fails(sql`select 1/0`, '22012');
    equal([error.name, error.severity, error.message], ['NeonDbError', 'ERROR', 'division by zero']);
    await fails(neon(url(false).replace(encodeURIComponent(password), 'wrong'))`select 1`, '28P01');
  });
  await check(`${way}: transaction`, async () => {
    const table = `serverless_${way}`;
    await sql.query(`create table ${table} (n int primary key)`);
    const [, counted] = await sql.transaction([sql.query(`insert into ${table} values (1)`), sql.query(`select n from ${table}`)]);
    equal(counted, [{ n: 1 }]);
    await fails(sql.transaction([sql.query(`insert into ${table} values (2)`), sql.query(`insert into ${table} values (1)`)]), '23505');
    equal(await sql.query(`select count(*)::int as n from ${table}`), [{ n: 1 }]);
    const [[said]] = await sql.transaction(
      [sql`select current_setting('transaction_isolation') as i, current_setting('transaction_read_only') as r`],
      { isolationLevel: 'RepeatableRead', readOnly: true });
    equal(said, { i: 'repeatable read', r: 'on' });
  });
  await check(`${way}: large result`, async () => {
    const rows = await sql`select g, repeat('x', 50) as t from generate_series(1, 100000) g`;
    equal([rows.length, rows.at(-1).g], [100_000, 100_000]);
  });
  await check(`${way}: abort`, async () => {
    const marker = `sleeping ${way}`;
    const abort = new AbortController();
    const sleeping = sql.query(`select pg_sleep(600) /* ${marker} */`, [], { fetchOptions: { signal: abort.signal } })
      .then(() => { throw new Error('it was not aborted'); }, () => {});
    const active = async (what) => (await sql.query(activity(what)))[0].n;
    await running(active, marker);
    abort.abort();
    await sleeping;
    for (let i = 0; Number(await active(marker)) > 0; i++) {
      if (i === 600) throw new Error('it was not cancelled');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await check(`${way}: many at once`, async () => {
    const all = await Promise.all(Array.from({ length: 40 }, (_, i) => sql`select ${i}::int as n`));
    equal(all.map(([row]) => row.n), Array.from({ length: 40 }, (_, i) => i));
  });
}

const sockets = { 'ws': false, 'wss': true, 'ws pooled': false, 'wss pooled': true };
for (const [way, secure] of Object.entries(sockets)) {
  neonConfig.wsProxy = `localhost:${port}/v2`;
  neonConfig.useSecureWebSocket = secure;
  const pooled = way.endsWith('pooled');
  await check(`${way}: query and prepared`, async () => {
    const client = new Client(url(pooled));
    await client.connect();
    equal((await client.query('select $1::int + 1 as n', [41])).rows, [{ n: 42 }]);
    for (let i = 0; i < 3; i++) {
      equal((await client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: [i] })).rows, [{ n: 2 * i }]);
    }
    await client.end();
  });
  await check(`${way}: pool, transaction and error`, async () => {
    const pool = new Pool({ connectionString: url(pooled), max: 3 });
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => pool.query('select $1::int as n', [i])));
    equal(all.map((each) => each.rows[0].n), Array.from({ length: 20 }, (_, i) => i));
    const client = await pool.connect();
    await client.query('begin');
    await fails(client.query('select 1/0'), '22012');
    await client.query('rollback');
    client.release();
    await pool.end();
  });
  await check(`${way}: large result`, async () => {
    const pool = new Pool({ connectionString: url(pooled) });
    const { rows } = await pool.query("select g, repeat('x', 100) as t from generate_series(1, 100000) g");
    equal([rows.length, rows.at(-1).g], [100_000, 100_000]);
    await pool.end();
  });
  await check(`${way}: wrong password`, async () => {
    const client = new Client(url(pooled).replace(encodeURIComponent(password), 'wrong'));
    client.on('error', () => {});
    await fails(client.connect().then(() => client.query('select 1')), '28P01');
  });
}

// node-postgres: plain, TLS, direct TLS, pooled.
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import pg from 'pg';
import copy from 'pg-copy-streams';
import { activity, check, database, equal, fails, host, options, password, port, running, user } from './tap.mjs';

const ways = {
  plain: { ssl: false },
  tls: { ssl: true },
  'direct tls': { ssl: true, sslnegotiation: 'direct' },
  'plain pooled': { ssl: false, pooled: true },
  'tls pooled': { ssl: true, pooled: true },
};

async function connected({ pooled, ...more }, body) {
  const client = new pg.Client({ host, port, user, password, database, options: options(pooled), ...more });
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

for (const [way, how] of Object.entries(ways)) {
  const table = `pg_${way.replaceAll(' ', '_')}`;
  await check(`${way}: query`, () => connected(how, async (client) => {
    equal((await client.query('select 1 + 1 as two')).rows, [{ two: 2 }]);
  }));
  await check(`${way}: prepared`, () => connected(how, async (client) => {
    for (let i = 0; i < 3; i++) {
      const result = await client.query({ name: 'twice', text: 'select $1::int * 2 as n', values: [i] });
      equal(result.rows, [{ n: 2 * i }]);
    }
  }));
  await check(`${way}: error`, () => connected(how, async (client) => {
    await fails(client.query('select 1/0'), '22012');
    equal((await client.query('select 1 as n')).rows, [{ n: 1 }]);
  }));
  await check(`${way}: copy`, () => connected(how, async (client) => {
    await client.query(`create table ${table} (n int, t text)`);
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i}\trow ${i}\n`);
    await pipeline(Readable.from(lines), client.query(copy.from(`copy ${table} from stdin`)));
    let bytes = 0;
    for await (const chunk of client.query(copy.to(`copy ${table} to stdout`))) bytes += chunk.length;
    equal(bytes, lines.join('').length);
  }));
  await check(`${way}: large result`, () => connected(how, async (client) => {
    const { rows } = await client.query("select g, repeat('x', 100) as t from generate_series(1, 100000) g");
    equal([rows.length, rows.at(-1).g], [100_000, 100_000]);
  }));
  await check(`${way}: cancel`, () => connected(how, (client) => connected(how, async (observer) => {
    const marker = `sleeping ${way}`;
    const sleeping = fails(client.query(`select pg_sleep(600) /* ${marker} */`), '57014');
    await running(async (what) => (await observer.query(activity(what))).rows[0].n, marker);
    const { pooled, ...more } = how;
    const canceller = new pg.Client({ host, port, ...more, ssl: false, sslnegotiation: undefined });
    canceller.cancel(client, client._getActiveQuery());
    await sleeping;
    equal((await client.query('select 2 as n')).rows, [{ n: 2 }]);
  })));
}

await check('wrong password', () => fails(
  new pg.Client({ host, port, user, password: 'wrong', database, options: options(false) }).connect(), '28P01'));

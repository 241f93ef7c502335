// postgres (porsager): plain, TLS, pooled.
import postgres from 'postgres';
import { activity, check, database, equal, fails, host, options, password, port, running, user } from './tap.mjs';

const ways = {
  plain: { ssl: false },
  tls: { ssl: 'require' },
  'plain pooled': { ssl: false, pooled: true },
  'tls pooled': { ssl: 'require', pooled: true },
};

async function connected({ pooled, ...more }, body) {
  const sql = postgres({
    host, port, user, password, database, max: 2, onnotice: () => {}, connection: { options: options(pooled) }, ...more,
  });
  try {
    return await body(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

for (const [way, how] of Object.entries(ways)) {
  const table = `porsager_${way.replaceAll(' ', '_')}`;
  await check(`${way}: query`, () => connected(how, async (sql) => {
    equal((await sql`select 1 + 1 as two`)[0], { two: 2 });
  }));
  await check(`${way}: prepared`, () => connected(how, async (sql) => {
    for (let i = 0; i < 3; i++) equal((await sql`select ${i}::int * 2 as n`)[0], { n: 2 * i });
  }));
  await check(`${way}: transaction`, () => connected(how, async (sql) => {
    await sql.unsafe(`create table ${table} (n int)`);
    await fails(sql.begin(async (tx) => {
      await tx.unsafe(`insert into ${table} values (1)`);
      await tx`select 1/0`;
    }), '22012');
    equal((await sql.unsafe(`select count(*)::int as n from ${table}`))[0], { n: 0 });
  }));
  await check(`${way}: copy`, () => connected(how, async (sql) => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join('');
    const into = await sql.unsafe(`copy ${table} from stdin`).writable();
    await new Promise((resolve, reject) => into.on('finish', resolve).on('error', reject).end(lines));
    let bytes = 0;
    for await (const chunk of await sql.unsafe(`copy ${table} to stdout`).readable()) bytes += chunk.length;
    equal(bytes, lines.length);
  }));
  await check(`${way}: large result`, () => connected(how, async (sql) => {
    const rows = await sql`select g, repeat('x', 100) as t from generate_series(1, 100000) g`;
    equal([rows.length, rows.at(-1).g], [100_000, 100_000]);
  }));
  await check(`${way}: cancel`, () => connected(how, async (sql) => {
    const marker = `sleeping porsager ${way}`;
    const query = sql.unsafe(`select pg_sleep(600) /* ${marker} */`);
    const sleeping = fails(query.execute(), '57014');
    await running(async (what) => (await sql.unsafe(activity(what)))[0].n, marker);
    query.cancel();
    await sleeping;
  }));
}

// Drizzle ORM: its migrator and its query builder, over node-postgres, pooled, and over HTTP.
import { neon, neonConfig } from '@neondatabase/serverless';
import { eq, sql } from 'drizzle-orm';
import { drizzle as overHttp } from 'drizzle-orm/neon-http';
import { migrate as migrateOverHttp } from 'drizzle-orm/neon-http/migrator';
import { drizzle as overPg } from 'drizzle-orm/node-postgres';
import { migrate as migrateOverPg } from 'drizzle-orm/node-postgres/migrator';
import { integer, pgSchema, serial, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { check, database, equal, host, options, password, port, url, user } from './tap.mjs';

const schema = pgSchema('drizzle_app');
const authors = schema.table('authors', { id: serial('id').primaryKey(), name: text('name').notNull() });
const books = schema.table('books', {
  id: serial('id').primaryKey(),
  title: text('title').notNull(),
  author: integer('author').notNull().references(() => authors.id),
});

async function works(db) {
  const [author] = await db.insert(authors).values({ name: 'Lem' }).returning();
  await db.insert(books).values([{ title: 'Solaris', author: author.id }, { title: 'Eden', author: author.id }]);
  await db.update(books).set({ title: 'Fiasco' }).where(eq(books.title, 'Eden'));
  const found = await db
    .select({ title: books.title, name: authors.name })
    .from(books)
    .innerJoin(authors, eq(books.author, authors.id))
    .where(eq(authors.id, author.id))
    .orderBy(books.title);
  equal(found, [{ title: 'Fiasco', name: 'Lem' }, { title: 'Solaris', name: 'Lem' }]);
}

const again = async (db) => db.execute(sql`drop schema drizzle_app cascade`).then(() => db.execute(sql`drop schema drizzle cascade`));

for (const pooled of [false, true]) {
  await check(`node-postgres${pooled ? ' pooled' : ''}: migration, insert, join, transaction`, async () => {
    const pool = new pg.Pool({ host, port, user, password, database, options: options(pooled), max: 2, ssl: true });
    const db = overPg(pool);
    await migrateOverPg(db, { migrationsFolder: './migrations' });
    await migrateOverPg(db, { migrationsFolder: './migrations' });
    await works(db);
    await db.transaction(async (tx) => {
      await tx.delete(books);
      tx.rollback();
    }).catch(() => {});
    equal((await db.select().from(books)).length, 2);
    await again(db);
    await pool.end();
  });
}

await check('neon-http: migration, insert, join, batch', async () => {
  neonConfig.fetchEndpoint = () => `https://localhost:${port}/sql`;
  const db = overHttp(neon(url(false)));
  await migrateOverHttp(db, { migrationsFolder: './migrations' });
  await works(db);
  const [all, one] = await db.batch([db.select().from(books), db.select().from(authors)]);
  equal([all.length, one.length], [2, 1]);
  await again(db);
});

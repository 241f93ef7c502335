// The console in a real browser against a real server with real Postgres: npm test. Needs chromium; CHROMIUM names another one.
// SHOTS=DIR keeps a picture of each screen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium as browserType } from 'playwright-core';
import { generate } from '../generate.mjs';
import { chromium, startServer } from './server.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const skip = chromium ? false : 'there is no chromium here (Debian: apt-get install chromium)';
const PATIENCE_MS = 60_000;

let server;
let browser;
let project;

before(async () => {
  if (skip) {
    return;
  }
  server = await startServer();
  project = (await server.call('GET', '/projects')).projects[0].id;
  browser = await browserType.launch({
    executablePath: chromium,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}, { timeout: 300_000 });

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A page that nobody is signed in at. What the browser complains of fails the test. */
async function page(colorScheme = 'light', viewport = { width: 1440, height: 860 }) {
  const context = await browser.newContext({ viewport, colorScheme, permissions: ['clipboard-read', 'clipboard-write'] });
  const made = await context.newPage();
  made.setDefaultTimeout(PATIENCE_MS);
  made.complaints = [];
  made.on('pageerror', (error) => made.complaints.push(String(error)));
  made.on('console', (message) => {
    if (message.type() === 'error' && !/status of (401|40\d|412|423)/.test(message.text())) {
      made.complaints.push(message.text());
    }
  });
  made.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) {
      made.complaints.push(`a request to ${request.url()}`);
    }
  });
  return made;
}

/** A page that is signed in by a one-time link. */
async function signedIn(path = '', ...more) {
  const made = await page(...more);
  const link = await server.call('POST', '/console/links');
  await made.goto(server.url + link.path);
  await made.getByRole('heading', { name: 'Projects' }).waitFor();
  assert.equal(new URL(made.url()).hash, '', 'the secret does not stay in the address');
  if (path) {
    await made.goto(`${server.url}/console/projects/${project}/${path}`);
  }
  return made;
}

async function tree(...more) {
  const made = await signedIn('branches', ...more);
  await row(made, 'main').waitFor();
  return made;
}

async function seen(made, name) {
  if (process.env.SHOTS) {
    await made.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
  }
  // By the debugging protocol, which the content security policy does not bind.
  await made.evaluate(axeSource);
  const found = await made.evaluate(async () => (await globalThis.axe.run(document)).violations);
  const serious = found
    .filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
  assert.deepEqual(serious, [], `accessibility of ${name}`);
}

async function done(made) {
  assert.deepEqual(made.complaints, []);
  await made.context().close();
}

const row = (made, name) => made.locator('[role=row]').filter({ has: made.locator(`.branch-name[title="${name}"]`) });
const dialog = (made) => made.getByRole('dialog');
const quiet = (made) => made.waitForFunction(() => document.getAnimations().every((each) => each.playState !== 'running' || each.effect?.getTiming().iterations === Infinity));

async function branch(name, more = {}) {
  return (await server.call('POST', `/projects/${project}/branches`, { branch: { name, ...more } })).branch;
}

test('a wrong key is refused, a right one signs in, and signing out ends it', { skip }, async () => {
  const made = await page();
  await made.goto(`${server.url}/console/`);
  const key = made.getByLabel('API key', { exact: true });
  await key.fill('coppice_wrong');
  await made.getByRole('button', { name: 'Sign in' }).click();
  await made.getByText('this API key is not valid here').waitFor();
  await seen(made, 'sign-in');
  await key.fill(server.key);
  await key.press('Enter');
  await made.getByRole('heading', { name: 'Projects' }).waitFor();
  await made.locator('.project-card').first().waitFor();
  await seen(made, 'projects');
  assert.equal(await made.evaluate(() => document.cookie), '', 'no script sees the cookie');
  await made.getByRole('button', { name: 'Sign out' }).click();
  await key.waitFor();
  assert.equal((await made.context().cookies()).length, 0);
  await done(made);
});

test('a link signs in once', { skip }, async () => {
  const link = await server.call('POST', '/console/links');
  const first = await page();
  await first.goto(server.url + link.path);
  await first.getByRole('heading', { name: 'Projects' }).waitFor();
  await done(first);
  const second = await page();
  await second.goto(server.url + link.path);
  await second.getByText('this sign-in link was used or is too old').waitFor();
  await done(second);
});

test('by the keyboard alone: a branch is made, connected to, filtered, deleted and brought back', { skip }, async () => {
  const made = await tree();
  await made.getByRole('treegrid').focus();
  await made.keyboard.press('c');
  await dialog(made).getByLabel('Name').waitFor();
  await quiet(made);
  await seen(made, 'create');
  await made.keyboard.type('keys-alone');
  await made.keyboard.press('Enter');
  await dialog(made).getByText('Connect to').waitFor();
  await dialog(made).getByLabel('Role', { exact: true }).and(made.locator('input')).waitFor();
  await made.waitForFunction(() => [...document.querySelectorAll('[role=dialog] button')].some((each) => each.textContent === 'Copy' && !each.disabled));
  await quiet(made);
  await seen(made, 'connect');
  await dialog(made).getByRole('button', { name: 'Copy' }).press('Enter');
  await made.getByText('Copied, with the password.').waitFor();
  assert.match(await made.evaluate(() => navigator.clipboard.readText()), /^postgresql:\/\/coppice_owner:[A-Za-z0-9]+@/);
  assert.doesNotMatch(await dialog(made).innerText(), /postgresql:/, 'copied without being shown');
  await made.keyboard.press('Escape');
  await dialog(made).waitFor({ state: 'hidden' });

  await made.getByRole('treegrid').focus();
  await made.keyboard.press('/');
  await made.keyboard.type('keys-*');
  await row(made, 'keys-alone').waitFor();
  await made.getByRole('treegrid').focus();
  await made.keyboard.press('j');
  await made.keyboard.press('Delete');
  await dialog(made).getByText('What goes').waitFor();
  await quiet(made);
  await seen(made, 'delete');
  assert.equal(await dialog(made).getByRole('button', { name: 'Delete' }).isDisabled(), true);
  await made.keyboard.type('keys-alone');
  await made.keyboard.press('Enter');
  await made.getByText('Branch keys-alone is deleted.').waitFor();
  await row(made, 'keys-alone').waitFor({ state: 'detached' });
  await made.getByRole('button', { name: 'Undo' }).press('Enter');
  await row(made, 'keys-alone').waitFor();
  await done(made);
});

test('what one browser does another sees', { skip }, async () => {
  const [one, other] = await Promise.all([tree(), tree('dark')]);
  await one.getByRole('button', { name: 'New branch' }).click();
  await dialog(one).getByLabel('Name').fill('seen-by-all');
  await dialog(one).getByRole('button', { name: 'Create branch' }).click();
  await row(other, 'seen-by-all').waitFor();
  await quiet(other);
  await seen(other, 'tree-dark');
  await done(one);
  await done(other);
});

test('branches of the past, without rows and anonymized are made from the dialog', { skip }, async () => {
  const made = await tree();
  const create = async (name, choose) => {
    await made.getByRole('button', { name: 'New branch' }).click();
    await dialog(made).getByLabel('Name').fill(name);
    await choose();
    await dialog(made).getByRole('button', { name: 'Create branch' }).click();
    await dialog(made).getByText('Connect to').waitFor();
    await made.keyboard.press('Escape');
    await dialog(made).waitFor({ state: 'hidden' });
    await row(made, name).waitFor();
  };
  await create('of-the-past', async () => {
    await dialog(made).getByText('Data of a past moment').click();
    const slider = dialog(made).getByRole('slider');
    await slider.focus();
    await slider.press('End');
  });
  await create('tables', () => dialog(made).getByText('Tables only').click());
  await row(made, 'tables').getByText('schema only').waitFor();
  await create('masked', () => dialog(made).getByText('Anonymized data').click());
  await row(made, 'masked').getByText('anonymized').waitFor();
  await create('preview/pr-7', async () => {});
  await row(made, 'preview/pr-7').getByText(/expires in/).waitFor();
  await quiet(made);
  await seen(made, 'tree');
  await done(made);
});

test('a branch goes back to its parent, after a look, and what it was is kept', { skip }, async () => {
  await branch('to-reset');
  const made = await tree();
  await row(made, 'to-reset').click();
  await made.getByRole('treegrid').focus();
  await made.keyboard.press('r');
  await dialog(made).getByLabel('the present data of main').click();
  await dialog(made).getByRole('button', { name: 'Compare' }).click();
  await dialog(made).getByText('No difference in the schema').waitFor();
  await quiet(made);
  await seen(made, 'restore');
  await dialog(made).getByLabel(/Type to-reset/).fill('to-reset');
  await dialog(made).getByRole('button', { name: 'Restore', exact: true }).click();
  await made.getByText('Branch to-reset is restored.').waitFor();
  await row(made, 'to-reset-before').waitFor();
  await done(made);
});

test('names are text, whatever stands in them', { skip }, async () => {
  const name = '<img src=x onerror=alert(1)>';
  await branch(name);
  const made = await tree();
  let alerted = false;
  made.on('dialog', () => (alerted = true));
  await made.getByText(name, { exact: true }).waitFor();
  assert.equal(await made.locator('img').count(), 0);
  assert.equal(alerted, false);
  await done(made);
});

test('a key for anonymized branches is offered nothing else', { skip }, async () => {
  const key = (await server.call('POST', '/api_keys', { key_name: 'previews', project_id: project, scope: 'anonymized' })).key;
  const made = await page();
  await made.goto(`${server.url}/console/projects/${project}/branches`);
  await made.getByLabel('API key', { exact: true }).fill(key);
  await made.keyboard.press('Enter');
  await row(made, 'main').waitFor();
  assert.equal(await row(made, 'main').getByRole('button', { name: /Connect/ }).count(), 0);
  assert.equal(await made.getByRole('link', { name: 'Schema diff' }).count(), 0);
  await made.getByRole('button', { name: 'New branch' }).click();
  await dialog(made).getByText('Anonymized data').waitFor();
  assert.equal(await dialog(made).getByText('Data as of now').count(), 0);
  await dialog(made).getByLabel('Name').fill('by-a-previewer');
  await dialog(made).getByRole('button', { name: 'Create branch' }).click();
  await dialog(made).getByText('Connect to').waitFor();
  await done(made);
});

test('operations, the schema diff, the palette and a phone', { skip }, async () => {
  const made = await signedIn('operations');
  await made.getByRole('cell', { name: 'create branch' }).first().waitFor();
  await seen(made, 'operations');
  await made.getByRole('link', { name: 'Schema diff' }).click();
  await made.getByText('The two schemas are the same.').waitFor();
  await seen(made, 'schema-diff');
  await made.keyboard.press('Control+k');
  await dialog(made).getByRole('combobox').fill('seen by');
  await dialog(made).getByRole('combobox').fill('seen-by');
  await made.keyboard.press('Enter');
  await made.locator('[role=row][data-current]', { hasText: 'seen-by-all' }).waitFor();
  await done(made);
  const phone = await tree('light', { width: 390, height: 780 });
  await quiet(phone);
  await seen(phone, 'phone');
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'nothing beyond the edge');
  await done(phone);
});

test('the generated client is that of the API', { skip }, async () => {
  const kept = readFileSync(new URL('../src/api/schema.d.ts', import.meta.url), 'utf8');
  assert.ok(kept === (await generate(server.url)), 'src/api/schema.d.ts is not what the API says: npm run generate');
});

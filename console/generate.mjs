// Writes src/api/schema.d.ts from the description that a running server gives of its API: COPPICE_API_URL, or the standard address.
import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const HEAD = '// Made by `npm run generate` from the API of a running server. Do not edit.\n\n';

/** The client's types as the server at `url` would have them. */
export async function generate(url) {
  const answer = await fetch(new URL('/api/v2/openapi.json', url));
  if (!answer.ok) {
    throw new Error(`${url} answered ${answer.status}`);
  }
  return HEAD + astToString(await openapiTS(await answer.json()));
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const url = process.env.COPPICE_API_URL ?? 'http://127.0.0.1:5480';
  await writeFile(new URL('src/api/schema.d.ts', import.meta.url), await generate(url));
}

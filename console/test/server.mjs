// A server for the tests: that of COPPICE_API_URL with COPPICE_API_KEY, or one of their own that `../coppice up` starts.
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const READY = 'Coppice is ready';
const launcher = fileURLToPath(new URL('../../coppice', import.meta.url));

/** Where a browser is; undefined = there is none, and the tests that need one are skipped. */
export const chromium = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

export async function startServer() {
  if (process.env.COPPICE_API_URL && process.env.COPPICE_API_KEY) {
    return server(process.env.COPPICE_API_URL, process.env.COPPICE_API_KEY, async () => {});
  }
  // Short, since sockets are made below it.
  const data = await mkdtemp('/tmp/cc');
  await chmod(data, 0o711);
  const process_ = spawn(launcher, ['up', '--data', `${data}/d`], {
    env: { ...process.env, COPPICE_PROXY_LISTEN: '127.0.0.1:0', COPPICE_API_LISTEN: '127.0.0.1:0', COPPICE_API_OPERATIONS_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  await new Promise((resolve, reject) => {
    process_.stdout.on('data', (text) => {
      said += text;
      if (said.includes(READY)) {
        resolve();
      }
    });
    process_.on('exit', () => reject(new Error(`the server did not start:\n${said}`)));
  });
  const { apiUrl, apiKey } = JSON.parse(await readFile(`${data}/d/cli.json`, 'utf8'));
  return server(new URL(apiUrl).origin, apiKey, async () => {
    const gone = new Promise((resolve) => process_.on('exit', resolve));
    process_.kill('SIGTERM');
    await gone;
    await rm(data, { recursive: true, force: true });
  });
}

function server(url, key, stop) {
  const call = async (method, path, body, headers = {}) => {
    const answer = await fetch(`${url}/api/v2${path}`, {
      method,
      headers: { Authorization: `Bearer ${key}`, ...(body && { 'Content-Type': 'application/json' }), ...headers },
      body: body && JSON.stringify(body),
    });
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    }
    return answer.json();
  };
  return { url, key, call, stop };
}

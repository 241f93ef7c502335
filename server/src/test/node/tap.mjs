// Runs named checks one after the other and prints a line for each, as TAP does: "ok - name", "not ok - name # reason".
const target = JSON.parse(process.env.COPPICE_TARGET);

export const { host, port, endpoint, user, password, database } = target;

/** The endpoint, pooled or not, as the startup packet's options name it. */
export const options = (pooled) => `endpoint=${endpoint}${pooled ? '-pooler' : ''}`;

/** The endpoint as a host name, for those who route by it. */
export const endpointHost = (pooled) => `${endpoint}${pooled ? '-pooler' : ''}.localhost`;

export const url = (pooled) =>
  `postgresql://${user}:${encodeURIComponent(password)}@${endpointHost(pooled)}:${port}/${database}`;

export function equal(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

export async function fails(promise, code) {
  const error = await promise.then(() => null, (reason) => reason);
  if (error === null) throw new Error(`expected the error ${code}, got none`);
  if (error.code !== code) throw new Error(`expected the error ${code}, got ${error.code}: ${error.message}`);
  return error;
}

export async function check(name, body) {
  try {
    await body();
    console.log(`ok - ${name}`);
  } catch (error) {
    const reasons = [];
    for (let each = error; each; each = each.cause ?? each.sourceError) reasons.push(`${each.code ?? ''} ${each.message ?? each}`);
    console.log(`not ok - ${name} # ${reasons.join(' / ').replaceAll('\n', ' ')} ${error?.stack?.split('\n').at(-1) ?? ''}`);
  }
}

/** Waits until a query runs, as a third party sees it. */
export async function running(ask, marker) {
  for (let i = 0; i < 600; i++) {
    if (Number(await ask(marker)) > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${marker} never ran`);
}

export const activity = (marker) =>
  `select count(*) as n from pg_stat_activity where state = 'active' and query like '%${marker}%' and pid <> pg_backend_pid()`;

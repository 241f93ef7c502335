import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Branch = Schemas['Branch'];
export type Endpoint = Schemas['Endpoint'];
export type Project = Schemas['Project'];
export type Operation = Schemas['Operation'];

/** What the server refused or could not do, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The header is one that no other site's page can send without being asked first; the server wants it from browsers. */
export const api = createClient<paths>({ baseUrl: '/api/v2', headers: { 'X-Coppice': '1' }, credentials: 'same-origin' });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body. Throws an {@link ApiError} for everything else, a server that does not answer included. */
export async function done<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch {
    throw new ApiError(0, 'UNREACHABLE', 'The server does not answer. Is it running, and is this machine online?');
  }
  if (answer.response.ok && answer.data !== undefined) {
    return answer.data;
  }
  const failure = (answer.error ?? {}) as { code?: string; message?: string };
  throw new ApiError(
    answer.response.status,
    failure.code ?? 'FAILED',
    failure.message ?? `The server answered with status ${answer.response.status}.`,
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const UNDER_WAY = new Set(['scheduling', 'running', 'cancelling']);
const FAILED = new Set(['failed', 'error', 'cancelled']);
const POLL_MS = 300;

export function isUnderWay(operation: Operation): boolean {
  return UNDER_WAY.has(operation.status);
}

export function hasFailed(operation: Operation): boolean {
  return FAILED.has(operation.status);
}

/** Waits until operations have ended. Throws the first failure; `onProgress` is told what is being done. */
export async function finished(
  project: string,
  operations: readonly Operation[],
  onProgress?: (stage: string, percent: number | undefined) => void,
): Promise<void> {
  for (let operation of operations) {
    while (isUnderWay(operation)) {
      if (operation.progress) {
        onProgress?.(operation.progress.stage, operation.progress.percent);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const path = { project, name: operation.id };
      operation = (await done(api.GET('/projects/{project}/operations/{name}', { params: { path } }))).operation;
    }
    if (hasFailed(operation)) {
      throw new ApiError(500, 'OPERATION_FAILED', operation.error ?? `${operation.action} ${operation.status}`);
    }
  }
}

import { QueryClient, useQuery } from '@tanstack/react-query';
import { ApiError, api, done } from './client';

/** Up to so many branches a project is asked for its state every second; larger ones less often. */
const SMALL = 300;
const LIVE_MS = 1000;
const LARGE_MS = 5000;
const SLOW_MS = 15_000;
const ALL = '10000';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 500,
      refetchOnWindowFocus: true,
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status === 503),
    },
  },
});

export const useSession = () =>
  useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      try {
        return (await done(api.GET('/console/session'))).session;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) {
          return null;
        }
        throw error;
      }
    },
    refetchInterval: 60_000,
  });

export const useProjects = (deleted = false) =>
  useQuery({
    queryKey: ['projects', deleted],
    queryFn: async () => {
      const query = deleted ? { recoverable: 'true', limit: ALL } : { limit: ALL };
      return (await done(api.GET('/projects', { params: { query } }))).projects;
    },
    refetchInterval: SLOW_MS,
  });

export const useProject = (project: string) =>
  useQuery({
    queryKey: ['project', project],
    queryFn: async () => (await done(api.GET('/projects/{project}', { params: { path: { project } } }))).project,
    refetchInterval: SLOW_MS,
  });

export const useBranches = (project: string) =>
  useQuery({
    queryKey: ['branches', project],
    queryFn: async () =>
      done(api.GET('/projects/{project}/branches', { params: { path: { project }, query: { limit: ALL } } })),
    refetchInterval: (query) => ((query.state.data?.branches.length ?? 0) > SMALL ? LARGE_MS : LIVE_MS),
  });

export const useDeletedBranches = (project: string, enabled: boolean) =>
  useQuery({
    queryKey: ['branches', project, 'deleted'],
    enabled,
    queryFn: async () => {
      const query = { limit: ALL, include_deleted: 'true' };
      const found = await done(api.GET('/projects/{project}/branches', { params: { path: { project }, query } }));
      return found.branches.filter((branch) => branch.recovery);
    },
  });

/** A key for anonymized branches may not list the endpoints of all; it goes without. */
export const useEndpoints = (project: string, enabled: boolean) =>
  useQuery({
    queryKey: ['endpoints', project],
    enabled,
    queryFn: async () =>
      (await done(api.GET('/projects/{project}/endpoints', { params: { path: { project } } }))).endpoints,
    refetchInterval: (query) => ((query.state.data?.length ?? 0) > SMALL ? LARGE_MS : LIVE_MS),
  });

export const useStorage = (project: string, enabled: boolean) =>
  useQuery({
    queryKey: ['storage', project],
    enabled,
    queryFn: async () =>
      (await done(api.GET('/storage/projects/{project}/stats', { params: { path: { project } } }))).projects[0]
        ?.branches ?? [],
    refetchInterval: SLOW_MS,
  });

export const useRuleSets = (project: string) =>
  useQuery({
    queryKey: ['rule-sets', project],
    queryFn: async () =>
      (await done(api.GET('/projects/{project}/masking_rule_sets', { params: { path: { project } } })))
        .masking_rule_sets,
  });

export const useDatabases = (project: string, branch: string, enabled = true) =>
  useQuery({
    queryKey: ['databases', project, branch],
    enabled,
    queryFn: async () =>
      (await done(api.GET('/projects/{project}/branches/{branch}/databases', { params: { path: { project, branch } } })))
        .databases,
  });

export const useRoles = (project: string, branch: string, enabled = true) =>
  useQuery({
    queryKey: ['roles', project, branch],
    enabled,
    queryFn: async () =>
      (await done(api.GET('/projects/{project}/branches/{branch}/roles', { params: { path: { project, branch } } })))
        .roles,
  });

export const useSnapshots = (project: string, enabled: boolean) =>
  useQuery({
    queryKey: ['snapshots', project],
    enabled,
    queryFn: async () =>
      (await done(api.GET('/projects/{project}/snapshots', { params: { path: { project } } }))).snapshots,
  });

export const useOperations = (project: string, limit: number) =>
  useQuery({
    queryKey: ['operations', project, limit],
    queryFn: async () => {
      const params = { path: { project }, query: { limit: String(limit) } };
      return (await done(api.GET('/projects/{project}/operations', { params }))).operations;
    },
    refetchInterval: LIVE_MS,
  });

/** After a change: everything of the project is asked for again. */
export function changed(project: string): Promise<void> {
  return queryClient.invalidateQueries({ predicate: (query) => query.queryKey.includes(project) });
}

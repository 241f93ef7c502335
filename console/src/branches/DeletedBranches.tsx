import { Button, Group, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { api, done, messageOf, type Branch } from '../api/client';
import { changed, useDeletedBranches } from '../api/queries';
import { usePermissions } from '../session/SessionContext';
import { ErrorNote } from '../ui/ErrorNote';
import { relative } from '../ui/format';
import { notify } from '../ui/Notices';
import { useNow } from '../ui/useNow';

export function DeletedBranches({ project }: { project: string }) {
  const permissions = usePermissions();
  const deleted = useDeletedBranches(project, true);
  const now = useNow();
  const recover = useMutation({
    mutationFn: (branch: Branch) =>
      done(api.POST('/projects/{project}/branches/{branch}/recover', { params: { path: { project, branch: branch.id } } })),
    onSuccess: async ({ branch }) => {
      await changed(project);
      notify('done', `Branch ${branch.name} is back.`);
    },
    onError: (error) => notify('failed', messageOf(error)),
  });
  return (
    <section className="deleted">
      <Title order={2} size="h5">Deleted, and still there for a while</Title>
      <ErrorNote error={deleted.error} />
      {deleted.data?.length === 0 && <Text size="sm" c="dimmed">No branch is waiting to be gone for good.</Text>}
      {deleted.data?.map((branch) => (
        <Group key={branch.id} className="deleted-row">
          <Text fw={600}>{branch.name}</Text>
          <Text size="sm" c="dimmed">
            deleted {relative(branch.recovery?.deleted_at, now)}
            {branch.recovery?.deletion_method === 'ttl' && ' because it expired'}, gone {relative(branch.recovery?.recoverable_until, now)}
          </Text>
          {permissions.wholeProject && (
            <Button size="compact-sm" variant="light" disabled={recover.isPending} onClick={() => recover.mutate(branch)}>Recover {branch.name}</Button>
          )}
        </Group>
      ))}
    </section>
  );
}

import { Menu } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { api, done, finished, messageOf, type Branch, type Endpoint } from '../api/client';
import { changed } from '../api/queries';
import { usePermissions } from '../session/SessionContext';
import { Icon } from '../ui/icons';
import { notify } from '../ui/Notices';
import type { OpenDialog } from './dialogs';
import { isDeletable } from './tree';

interface Props {
  branch: Branch;
  endpoint: Endpoint | undefined;
  onDialog: (dialog: OpenDialog) => void;
  onDiff: (branch: Branch) => void;
}

/** What can be done with a branch, as far as the session's key may. */
export function BranchMenu({ branch, endpoint, onDialog, onDiff }: Props) {
  const permissions = usePermissions();
  const project = branch.project_id;
  const path = { project, branch: branch.id };
  const act = useMutation({
    mutationFn: async ({ run }: { run: () => Promise<unknown>; said: string }) => run(),
    onSuccess: async (_, { said }) => {
      await changed(project);
      notify('done', said);
    },
    onError: (error) => notify('failed', messageOf(error)),
  });
  const use = permissions.use(branch);
  const whole = permissions.wholeProject;
  const compute = (verb: 'start' | 'suspend' | 'restart', said: string) => {
    if (endpoint) {
      const params = { path: { project, endpoint: endpoint.id } };
      const run = async () => {
        const answer = await done(
          verb === 'start'
            ? api.POST('/projects/{project}/endpoints/{endpoint}/start', { params })
            : verb === 'suspend'
              ? api.POST('/projects/{project}/endpoints/{endpoint}/suspend', { params })
              : api.POST('/projects/{project}/endpoints/{endpoint}/restart', { params }),
        );
        await finished(project, answer.operations);
      };
      act.mutate({ run, said });
    }
  };
  return (
    <Menu.Dropdown>
      {(whole || use) && (
        <Menu.Item leftSection={<Icon name="branch" />} onClick={() => onDialog({ kind: 'create', parent: branch })}>New branch from it…</Menu.Item>
      )}
      {use && (
        <Menu.Item leftSection={<Icon name="history" />} onClick={() => onDialog({ kind: 'restore', branch })}>Restore or reset…</Menu.Item>
      )}
      {whole && branch.parent_id && (
        <Menu.Item leftSection={<Icon name="diff" />} onClick={() => onDiff(branch)}>Schema diff with its parent</Menu.Item>
      )}
      {use && endpoint && (
        <>
          <Menu.Divider />
          {endpoint.current_state === 'idle' ? (
            <Menu.Item leftSection={<Icon name="play" />} onClick={() => compute('start', `${branch.name} is awake.`)}>Wake its compute</Menu.Item>
          ) : (
            <Menu.Item leftSection={<Icon name="pause" />} onClick={() => compute('suspend', `${branch.name} sleeps.`)}>Suspend its compute</Menu.Item>
          )}
        </>
      )}
      {whole && (
        <>
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="pencil" />} onClick={() => onDialog({ kind: 'change', branch })}>Name and expiry…</Menu.Item>
          <Menu.Item
            leftSection={<Icon name="lock" />}
            onClick={() => {
              const change = { branch: { protected: !branch.protected } };
              act.mutate({
                run: () => done(api.PATCH('/projects/{project}/branches/{branch}', { params: { path }, body: change })),
                said: branch.protected ? `${branch.name} is no longer protected.` : `${branch.name} is protected.`,
              });
            }}
          >
            {branch.protected ? 'Do not protect it any more' : 'Protect it'}
          </Menu.Item>
          {!branch.default && (
            <Menu.Item
              leftSection={<Icon name="star" />}
              onClick={() =>
                act.mutate({
                  run: () => done(api.POST('/projects/{project}/branches/{branch}/set_as_default', { params: { path } })),
                  said: `${branch.name} is the default branch.`,
                })
              }
            >
              Make it the default branch
            </Menu.Item>
          )}
        </>
      )}
      {use && isDeletable(branch) && (
        <>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<Icon name="trash" />} onClick={() => onDialog({ kind: 'delete', branches: [branch] })}>Delete…</Menu.Item>
        </>
      )}
    </Menu.Dropdown>
  );
}

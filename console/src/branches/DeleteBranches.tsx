import { Alert, Button, Checkbox, Group, List, Modal, ScrollArea, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, done, finished, messageOf, type Branch } from '../api/client';
import { changed, useSnapshots } from '../api/queries';
import { usePermissions } from '../session/SessionContext';
import { ErrorNote } from '../ui/ErrorNote';
import { bytes } from '../ui/format';
import { notify } from '../ui/Notices';
import { TypeName } from '../ui/TypeName';
import { descendants, isDeletable, type Node } from './tree';

interface Props {
  project: string;
  branches: readonly Branch[];
  roots: readonly Node[];
  onClose: () => void;
  onGone: (ids: string[]) => void;
}

/** Says what goes before it goes: the branches, those that hang on them, what can be brought back. */
export function DeleteBranches({ project, branches, roots, onClose, onGone }: Props) {
  const permissions = usePermissions();
  const [typed, setTyped] = useState('');
  const [withChildren, setWithChildren] = useState(false);
  const [count, setCount] = useState(0);
  const snapshots = useSnapshots(project, permissions.wholeProject);
  const plan = useMemo(() => planOf(branches, roots), [branches, roots]);
  const blocked = plan.below.filter((branch) => !isDeletable(branch) || !permissions.use(branch));
  const going = withChildren ? plan.all : plan.all.filter((branch) => !plan.below.includes(branch));
  const kept = snapshots.data?.filter((snapshot) => going.some((branch) => branch.id === snapshot.source_branch_id)).length ?? 0;
  const single = branches.length === 1 && !withChildren ? branches[0] : undefined;
  const word = single ? single.name : `delete ${going.length}`;

  const remove = useMutation({
    mutationFn: async () => {
      const gone: Branch[] = [];
      try {
        for (const branch of going) {
          const path = { project, branch: branch.id };
          const answer = await done(api.DELETE('/projects/{project}/branches/{branch}', { params: { path } }));
          await finished(project, answer.operations);
          gone.push(branch);
          setCount(gone.length);
        }
      } finally {
        onGone(gone.map((branch) => branch.id));
        await changed(project);
      }
      return gone;
    },
    onSuccess: (gone) => {
      onClose();
      notify('done', gone.length === 1 ? `Branch ${gone[0]?.name} is deleted.` : `${gone.length} branches are deleted.`, permissions.wholeProject ? { label: 'Undo', run: () => void undo(project, gone) } : undefined);
    },
  });

  return (
    <Modal opened onClose={onClose} title={branches.length === 1 ? <>Delete <b>{branches[0]?.name}</b></> : `Delete ${branches.length} branches`} size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          remove.mutate();
        }}
      >
        <Stack gap="md">
          {plan.below.length > 0 && (
            <Alert color="orange" variant="light" title={`${plan.below.length} ${plan.below.length === 1 ? 'branch hangs' : 'branches hang'} on ${branches.length === 1 ? 'it' : 'them'}`}>
              {blocked.length > 0 ? (
                <Text size="sm">
                  {names(blocked)} cannot be deleted: default and protected branches stay. Delete or move what hangs above first.
                </Text>
              ) : (
                <Checkbox label={`Delete ${names(plan.below)} as well`} checked={withChildren} onChange={(event) => setWithChildren(event.currentTarget.checked)} />
              )}
            </Alert>
          )}
          <div>
            <Text size="sm" fw={600}>What goes</Text>
            <ScrollArea.Autosize mah={180}>
              <List size="sm">
                {going.map((branch) => (
                  <List.Item key={branch.id}>
                    <b>{branch.name}</b> <Text span c="dimmed" size="sm">{bytes(branch.logical_size)}</Text>
                  </List.Item>
                ))}
              </List>
            </ScrollArea.Autosize>
          </div>
          <Text size="sm" c="dimmed">
            Open connections are cut. What is deleted keeps its space until it is gone for good; until then it can be recovered, under
            the bin above the tree.{kept > 0 && ` ${kept} ${kept === 1 ? 'snapshot' : 'snapshots'} of ${going.length === 1 ? 'it' : 'them'} stay.`}
          </Text>
          <TypeName name={word} value={typed} onChange={setTyped} focus />
          <ErrorNote error={remove.error} title={count > 0 ? `${count} deleted, then this` : 'Not deleted'} />
          <Group justify="flex-end">
            {remove.isPending && going.length > 1 && <Text size="sm" role="status">{count} of {going.length}</Text>}
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" color="red" loading={remove.isPending} disabled={typed !== word || (plan.below.length > 0 && !withChildren)}>
              Delete
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

const NAMES_SHOWN = 5;

function names(branches: readonly Branch[]): string {
  const shown = branches.slice(0, NAMES_SHOWN).map((branch) => branch.name).join(', ');
  return branches.length > NAMES_SHOWN ? `${shown} and ${branches.length - NAMES_SHOWN} more` : shown;
}

/** Children first, as the server wants it. */
function planOf(branches: readonly Branch[], roots: readonly Node[]): { all: Branch[]; below: Branch[] } {
  const asked = new Set(branches.map((branch) => branch.id));
  const order = [...roots].flatMap((root) => [root, ...descendants(root)]);
  const wanted = new Set(order.filter((node) => asked.has(node.branch.id)).flatMap((node) => [node, ...descendants(node)]));
  const all = order.filter((node) => wanted.has(node)).map((node) => node.branch).reverse();
  return { all, below: all.filter((branch) => !asked.has(branch.id)) };
}

async function undo(project: string, gone: readonly Branch[]): Promise<void> {
  try {
    // Parents first.
    for (const branch of [...gone].reverse()) {
      const path = { project, branch: branch.id };
      await done(api.POST('/projects/{project}/branches/{branch}/recover', { params: { path } }));
    }
    notify('done', gone.length === 1 ? `Branch ${gone[0]?.name} is back.` : `${gone.length} branches are back.`);
  } catch (error) {
    notify('failed', messageOf(error));
  } finally {
    await changed(project);
  }
}

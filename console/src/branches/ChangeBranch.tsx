import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, done, type Branch } from '../api/client';
import { changed } from '../api/queries';
import { ErrorNote } from '../ui/ErrorNote';
import { moment } from '../ui/format';
import { notify } from '../ui/Notices';

const KEEP = 'keep';
const NEVER = 'never';

export function ChangeBranch({ project, branch, onClose }: { project: string; branch: Branch; onClose: () => void }) {
  const [name, setName] = useState(branch.name);
  const [expiry, setExpiry] = useState(KEEP);
  const change = useMutation({
    mutationFn: () => {
      const expires =
        expiry === KEEP ? {} : { expires_at: expiry === NEVER ? null : new Date(Date.now() + Number(expiry) * 1000).toISOString() };
      const body = { branch: { ...(name !== branch.name && { name: name.trim() }), ...expires } };
      return done(api.PATCH('/projects/{project}/branches/{branch}', { params: { path: { project, branch: branch.id } }, body }));
    },
    onSuccess: async () => {
      await changed(project);
      notify('done', `Branch ${name} is changed.`);
      onClose();
    },
  });
  return (
    <Modal opened onClose={onClose} title={<>Change <b>{branch.name}</b></>}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Stack>
          <TextInput data-autofocus label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} spellCheck={false} />
          {!branch.default && !branch.protected && (
            <Select
              label="Expires"
              allowDeselect={false}
              value={expiry}
              onChange={(value) => setExpiry(value ?? KEEP)}
              data={[
                { value: KEEP, label: branch.expires_at ? `As it is: ${moment(branch.expires_at)}` : 'As it is: never' },
                ...(branch.expires_at ? [{ value: NEVER, label: 'Never' }] : []),
                { value: '3600', label: 'In 1 hour' },
                { value: '86400', label: 'In 1 day' },
                { value: '604800', label: 'In 7 days' },
                { value: '2592000', label: 'In 30 days' },
              ]}
            />
          )}
          <ErrorNote error={change.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={change.isPending} disabled={!name.trim() || (name === branch.name && expiry === KEEP)}>Save</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

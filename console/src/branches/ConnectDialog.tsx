import { Alert, Button, Group, Modal, Select, SegmentedControl, Stack, Switch, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, done, finished, type Branch } from '../api/client';
import { changed, useDatabases, useRoles } from '../api/queries';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/icons';
import { notify } from '../ui/Notices';
import { FORMATS, formatted } from './connectionFormats';

interface Props {
  project: string;
  branch: Branch;
  onClose: () => void;
}

/** How to connect. The password is asked for only when it is copied or shown, and each time the server's audit log says so. */
export function ConnectDialog({ project, branch, onClose }: Props) {
  const databases = useDatabases(project, branch.id);
  const roles = useRoles(project, branch.id);
  const [chosenDatabase, setDatabase] = useState<string | null>(null);
  const [chosenRole, setRole] = useState<string | null>(null);
  const [pooled, setPooled] = useState(false);
  const [format, setFormat] = useState('uri');
  const [shown, setShown] = useState<string | null>(null);
  const database = databases.data?.find((each) => each.name === chosenDatabase) ?? databases.data?.[0];
  const role = chosenRole ?? database?.owner_name;

  const fetchString = async () => {
    const query = { branch_id: branch.id, database_name: database?.name ?? '', role_name: role ?? '', ...(pooled && { pooled: 'true' }) };
    return (await done(api.GET('/projects/{project}/connection_uri', { params: { path: { project }, query } }))).uri;
  };
  const copy = useMutation({
    mutationFn: async () => {
      const text = formatted(shown ?? (await fetchString()), format);
      // Browsers have a clipboard for pages only where nobody can have changed them on the way.
      if (!navigator.clipboard) {
        setShown(shown ?? (await fetchString()));
        throw new Error('This page came without TLS, and browsers keep the clipboard from such pages. Copy it by hand.');
      }
      await navigator.clipboard.writeText(text);
    },
    onSuccess: () => notify('done', 'Copied, with the password.'),
  });
  const reveal = useMutation({ mutationFn: fetchString, onSuccess: setShown });
  const wake = useMutation({
    mutationFn: async () => {
      const begun = performance.now();
      const path = { project, branch: branch.id };
      const found = (await done(api.GET('/projects/{project}/branches/{branch}/endpoints', { params: { path } }))).endpoints[0];
      if (!found) {
        throw new Error('This branch has no endpoint; give it one first.');
      }
      const started = await done(
        api.POST('/projects/{project}/endpoints/{endpoint}/start', { params: { path: { project, endpoint: found.id } } }),
      );
      await finished(project, started.operations);
      await changed(project);
      return { ms: Math.round(performance.now() - begun), wasAwake: found.current_state === 'active' };
    },
  });
  const forget = <T,>(set: (value: T) => void) => (value: T) => {
    setShown(null);
    set(value);
  };
  const ready = Boolean(database && role);

  return (
    <Modal opened onClose={onClose} title={<>Connect to <b>{branch.name}</b></>} size="xl">
      <Stack gap="md">
        <ErrorNote error={databases.error ?? roles.error} title="The branch's databases and roles could not be read" />
        <div className="connect-pickers">
          <Select label="Database" allowDeselect={false} value={database?.name ?? null} onChange={forget(setDatabase)} data={databases.data?.map((each) => each.name) ?? []} />
          <Select label="Role" allowDeselect={false} value={role ?? null} onChange={forget(setRole)} data={roles.data?.map((each) => each.name) ?? []} />
          <Switch label="Pooled" description="For many short-lived clients" checked={pooled} onChange={(event) => forget(setPooled)(event.currentTarget.checked)} />
        </div>
        <SegmentedControl aria-label="Form" value={format} onChange={setFormat} data={Object.entries(FORMATS).map(([value, { label }]) => ({ value, label }))} className="formats" />
        <div className="secret" data-shown={shown !== null || undefined}>
          <pre tabIndex={0} aria-label="Connection string">
            {shown === null ? '•'.repeat(46) : formatted(shown, format)}
          </pre>
          <Group gap="xs">
            <Button leftSection={<Icon name="copy" />} disabled={!ready} loading={copy.isPending} onClick={() => copy.mutate()} data-autofocus>Copy</Button>
            {shown === null ? (
              <Button variant="default" leftSection={<Icon name="eye" />} disabled={!ready} loading={reveal.isPending} onClick={() => reveal.mutate()}>Show</Button>
            ) : (
              <Button variant="default" leftSection={<Icon name="eye" />} onClick={() => setShown(null)}>Hide</Button>
            )}
            <Button variant="subtle" leftSection={<Icon name="play" />} loading={wake.isPending} onClick={() => wake.mutate()}>Wake it now</Button>
            {wake.data && (
              <Text size="sm" role="status" c="dimmed">
                {wake.data.wasAwake ? 'It was awake' : 'Awake'}; the server answered after <b>{wake.data.ms} ms</b>
              </Text>
            )}
          </Group>
        </div>
        <ErrorNote error={copy.error ?? reveal.error ?? wake.error} />
        {branch.kind === 'anonymized' && (
          <Alert variant="light" color="grape" title="Masked data" icon={<Icon name="mask" />}>Whoever connects here sees masked values only; no original is in this branch.</Alert>
        )}
        <Text size="xs" c="dimmed">A sleeping compute wakes when a client connects. Copying and showing are in the server&apos;s audit log.</Text>
      </Stack>
    </Modal>
  );
}

import { Button, Group, Modal, Radio, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, done, finished, type Branch } from '../api/client';
import { changed, useBranches, useDatabases, useProject } from '../api/queries';
import { SchemaPreview, type Side } from '../schema/SchemaPreview';
import { usePermissions } from '../session/SessionContext';
import { ErrorNote } from '../ui/ErrorNote';
import { notify } from '../ui/Notices';
import { TypeName } from '../ui/TypeName';
import { fieldsOf, horizon, isWhole, PastPoint, type Point } from './PastPoint';

type Source = 'self' | 'parent';
const PREVIEW_AFTER_MS = 600;

/** Takes a branch to a moment of its own past, or to its parent's present data, after a look at what would change. */
export function RestoreBranch({ project, branch, onClose }: { project: string; branch: Branch; onClose: () => void }) {
  const permissions = usePermissions();
  const branches = useBranches(project).data?.branches ?? [];
  const parent = branches.find((each) => each.id === branch.parent_id);
  const details = useProject(project);
  const databases = useDatabases(project, branch.id, permissions.wholeProject);
  const [now] = useState(Date.now);
  const oldest = horizon(branch, details.data?.history_retention_seconds ?? 86_400, now);
  const [source, setSource] = useState<Source>('self');
  const [point, setPoint] = useState<Point>({ kind: 'time', at: Math.max(oldest, now - 10 * 60_000) });
  const [preserve, setPreserve] = useState(true);
  const [preservedName, setPreservedName] = useState(`${branch.name}-before`);
  const [database, setDatabase] = useState<string | null>(null);
  const [previewed, setPreviewed] = useState(false);
  const [typed, setTyped] = useState('');
  const [stage, setStage] = useState('');
  const chosen = database ?? databases.data?.[0]?.name;
  const keeps = source === 'self' || preserve;

  const target: Side | null =
    source === 'parent' ? (parent ? { branch: parent.id } : null) : isWhole(point) ? { branch: branch.id, ...fieldsOf(point) } : null;
  const [settled] = useDebouncedValue(JSON.stringify(target), PREVIEW_AFTER_MS);

  const restore = useMutation({
    mutationFn: async () => {
      const past = source === 'self' ? fieldsOf(point) : {};
      const body = {
        source_branch_id: source === 'self' ? branch.id : (parent?.id ?? ''),
        source_lsn: past.lsn,
        source_timestamp: past.timestamp,
        preserve_under_name: keeps ? preservedName.trim() : undefined,
      };
      const answer = await done(
        api.POST('/projects/{project}/branches/{branch}/restore', { params: { path: { project, branch: branch.id } }, body }),
      );
      await finished(project, answer.operations, (text, percent) => setStage(percent === undefined ? text : `${text}, ${percent} %`));
    },
    onSuccess: async () => {
      await changed(project);
      notify('done', `Branch ${branch.name} is restored.${keeps ? ` What it was is ${preservedName}.` : ''}`);
      onClose();
    },
  });

  return (
    <Modal opened onClose={onClose} title={<>Restore <b>{branch.name}</b></>} size="xl">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          restore.mutate();
        }}
      >
        <Stack gap="md">
          {parent && (
            <Radio.Group label="To" value={source} onChange={(value) => setSource(value as Source)}>
              <Group gap="lg" mt={6}>
                <Radio value="self" label="a moment of its own past" />
                <Radio value="parent" label={`the present data of ${parent.name}`} />
              </Group>
            </Radio.Group>
          )}
          {source === 'self' && <PastPoint branch={branch} oldest={oldest} now={now} value={point} onChange={setPoint} />}
          {permissions.wholeProject && target && (
            <div className="preview">
              <Group justify="space-between">
                <Text size="sm" fw={600}>Look first: what the schema would become</Text>
                <Group gap="xs">
                  {(databases.data?.length ?? 0) > 1 && (
                    <Select aria-label="Database" size="xs" w={160} allowDeselect={false} value={chosen ?? null} onChange={setDatabase} data={databases.data?.map((each) => each.name) ?? []} />
                  )}
                  {!previewed && <Button size="compact-sm" variant="light" disabled={!chosen} onClick={() => setPreviewed(true)}>Compare</Button>}
                </Group>
              </Group>
              {previewed && (
                <SchemaPreview
                  project={project}
                  database={chosen}
                  base={{ branch: branch.id }}
                  side={JSON.parse(settled) as Side | null}
                  same="No difference in the schema; rows may differ."
                />
              )}
            </div>
          )}
          {source === 'parent' && <Switch label="Keep what it is now as a branch" checked={preserve} onChange={(event) => setPreserve(event.currentTarget.checked)} />}
          {keeps && (
            <TextInput label="What it is now becomes the branch" value={preservedName} onChange={(event) => setPreservedName(event.currentTarget.value)} spellCheck={false} error={preservedName.trim() ? undefined : 'It needs a name'} />
          )}
          <Text size="sm" c="dimmed">
            Open connections are cut; address and passwords stay, and the next connection finds the restored data.
            {!keeps && ' What was written since is no longer to be seen here.'}
          </Text>
          <TypeName name={branch.name} value={typed} onChange={setTyped} />
          <ErrorNote error={restore.error} title="Not restored" />
          <Group justify="flex-end">
            {restore.isPending && stage && <Text size="sm" c="dimmed" role="status">{stage}</Text>}
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" color="orange" loading={restore.isPending} disabled={typed !== branch.name || !target || (keeps && !preservedName.trim())}>Restore</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

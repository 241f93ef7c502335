import { ActionIcon, Badge, Button, Group, Loader, Text, TextInput, Title, Tooltip } from '@mantine/core';
import { Suspense, lazy, useMemo, useRef, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import type { Endpoint } from '../api/client';
import { useBranches, useEndpoints, useProject, useSnapshots, useStorage } from '../api/queries';
import { usePermissions } from '../session/SessionContext';
import { ErrorNote } from '../ui/ErrorNote';
import { Icon } from '../ui/icons';
import type { OpenDialog } from './dialogs';
import { BranchTree } from './BranchTree';
import { DeletedBranches } from './DeletedBranches';
import { forest, isDeletable, rowsOf } from './tree';

const BranchDialogs = lazy(() => import('./BranchDialogs'));

/** The home of a project: its branches as a tree over time. */
export function BranchTreePage({ project }: { project: string }) {
  const permissions = usePermissions();
  const branches = useBranches(project);
  const endpoints = useEndpoints(project, permissions.wholeProject);
  const storage = useStorage(project, permissions.storage);
  const snapshots = useSnapshots(project, permissions.wholeProject);
  const details = useProject(project);
  const [filter, setFilter] = useState('');
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const [deletedShown, setDeletedShown] = useState(false);
  const [search] = useSearchParams();
  const [, navigate] = useLocation();
  const filterInput = useRef<HTMLInputElement>(null);

  const roots = useMemo(() => {
    const byBranch = new Map<string, Endpoint>();
    endpoints.data?.forEach((endpoint) => byBranch.set(endpoint.branch_id, endpoint));
    const notes = new Map(Object.entries(branches.data?.annotations ?? {}).map(([id, note]) => [id, note.value]));
    return forest(branches.data?.branches ?? [], byBranch, notes);
  }, [branches.data, endpoints.data]);
  const rows = useMemo(() => rowsOf(roots, collapsed, filter), [roots, collapsed, filter]);
  const sizes = useMemo(() => new Map(storage.data?.map((each) => [each.branch_id, each])), [storage.data]);

  const all = branches.data?.branches ?? [];
  const chosen = all.filter((branch) => selected.has(branch.id));
  const matching = rows.filter((row) => row.matches && isDeletable(row.node.branch) && permissions.use(row.node.branch));
  const awake = endpoints.data?.filter((endpoint) => endpoint.current_state !== 'idle').length;
  const home = all.find((branch) => branch.default) ?? all[0];

  return (
    <div className="page page-tree">
      <div className="page-head">
        <div>
          <Title order={1} size="h2">Branches</Title>
          <Text size="sm" c="dimmed" component="p" className="counts-line">
            {all.length.toLocaleString('en')} {all.length === 1 ? 'branch' : 'branches'}
            {awake !== undefined && <>, {awake} awake</>}
            {details.data && <>, history of {historyText(details.data.history_retention_seconds)}</>}
          </Text>
        </div>
        <Group gap="xs">
          <TextInput
            ref={filterInput}
            aria-label="Filter branches"
            placeholder="Filter, like preview/*"
            leftSection={<Icon name="search" />}
            rightSection={filter ? <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Clear the filter" onClick={() => setFilter('')}>×</ActionIcon> : <kbd className="hint-key">/</kbd>}
            value={filter}
            onChange={(event) => setFilter(event.currentTarget.value)}
            w={220}
          />
          <Tooltip label="Deleted branches that can be recovered">
            <ActionIcon variant={deletedShown ? 'filled' : 'default'} size={36} aria-label="Deleted branches" aria-pressed={deletedShown} onClick={() => setDeletedShown(!deletedShown)}>
              <Icon name="trash" />
            </ActionIcon>
          </Tooltip>
          {home && (
            <Button leftSection={<Icon name="plus" />} onClick={() => setDialog({ kind: 'create', parent: home })}>New branch</Button>
          )}
        </Group>
      </div>
      <ErrorNote error={branches.error} title="The branches could not be read" />
      {selected.size > 0 && (
        <div className="bulk" role="status">
          <Badge size="lg" variant="light">{chosen.length} selected</Badge>
          {matching.length > chosen.length && (
            <Button size="compact-sm" variant="subtle" onClick={() => setSelected(new Set(matching.map((row) => row.node.branch.id)))}>
              Select all {matching.length} {filter ? 'found' : 'that can be deleted'}
            </Button>
          )}
          <Button size="compact-sm" color="red" variant="light" leftSection={<Icon name="trash" size={14} />} disabled={chosen.length === 0} onClick={() => setDialog({ kind: 'delete', branches: chosen })}>Delete…</Button>
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setSelected(new Set())}>Clear</Button>
        </div>
      )}
      {branches.isPending ? (
        <Loader aria-label="Loading" />
      ) : (
        <BranchTree
          rows={rows}
          initial={search.get('at') ?? undefined}
          retentionSeconds={details.data?.history_retention_seconds ?? 0}
          snapshots={snapshots.data ?? []}
          sizes={sizes}
          selected={selected}
          onSelect={setSelected}
          onToggle={(id, expanded) => setCollapsed((before) => toggled(before, id, !expanded))}
          onFilter={() => filterInput.current?.focus()}
          onDialog={setDialog}
          onDiff={(branch) => navigate(`/projects/${project}/schema?branch=${branch.id}`)}
          marked={chosen}
        />
      )}
      {filter && rows.length === 0 && <Text c="dimmed" p="md">No branch is called like that.</Text>}
      {deletedShown && <DeletedBranches project={project} />}
      {dialog && (
        <Suspense fallback={null}>
          <BranchDialogs
            project={project}
            open={dialog}
            roots={roots}
            onOpen={setDialog}
            onClose={() => setDialog(null)}
            onGone={(ids) => setSelected((before) => new Set([...before].filter((id) => !ids.includes(id))))}
          />
        </Suspense>
      )}
    </div>
  );
}

function historyText(seconds: number): string {
  const days = seconds / 86_400;
  return days >= 1 ? `${Math.round(days)} ${Math.round(days) === 1 ? 'day' : 'days'}` : `${Math.round(seconds / 3600)} h`;
}

function toggled(before: ReadonlySet<string>, id: string, add: boolean): Set<string> {
  const after = new Set(before);
  if (add) {
    after.add(id);
  } else {
    after.delete(id);
  }
  return after;
}

import { Loader, SegmentedControl, Select, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import { useSearchParams } from 'wouter';
import { api, done, type Branch } from '../api/client';
import { useBranches, useDatabases } from '../api/queries';
import { ErrorNote } from '../ui/ErrorNote';
import { UnifiedDiff, useDifference, type Side } from './SchemaPreview';

const MergeDiff = lazy(() => import('./MergeDiff'));

/** The schemas of two branches, each as of now or of a past moment, beside each other. */
export default function SchemaDiffPage({ project }: { project: string }) {
  const branches = useBranches(project).data?.branches;
  const [search] = useSearchParams();
  if (!branches) {
    return <div className="page"><Loader aria-label="Loading" /></div>;
  }
  return <Comparison project={project} branches={branches} asked={search.get('branch')} />;
}

interface Chosen {
  branch: string;
  moment: string;
}

function Comparison({ project, branches, asked }: { project: string; branches: Branch[]; asked: string | null }) {
  const right0 = branches.find((branch) => branch.id === asked) ?? branches.find((branch) => branch.parent_id) ?? branches[0];
  const [left, setLeft] = useState<Chosen>({ branch: right0?.parent_id ?? branches[0]?.id ?? '', moment: '' });
  const [right, setRight] = useState<Chosen>({ branch: right0?.id ?? '', moment: '' });
  const databases = useDatabases(project, right.branch, right.branch !== '');
  const [chosenDatabase, setDatabase] = useState<string | null>(null);
  const database = chosenDatabase ?? databases.data?.[0]?.name;
  const [view, setView] = useState('beside');
  const base = sideOf(left);
  const side = sideOf(right);
  const difference = useDifference(project, database, base, side);
  return (
    <div className="page">
      <div className="page-head">
        <Title order={1} size="h2">Schema diff</Title>
        <SegmentedControl value={view} onChange={setView} aria-label="View" data={[{ value: 'beside', label: 'Side by side' }, { value: 'changes', label: 'Changes only' }]} />
      </div>
      <div className="diff-pickers">
        <PointPicker label="From" branches={branches} value={left} onChange={setLeft} />
        <PointPicker label="To" branches={branches} value={right} onChange={setRight} />
        <Select label="Database" allowDeselect={false} value={database ?? null} onChange={setDatabase} data={databases.data?.map((each) => each.name) ?? []} />
      </div>
      <ErrorNote error={databases.error ?? difference.error} title="The schemas could not be compared" />
      {difference.isFetching && <div className="preview-wait"><Loader size="sm" aria-label="Comparing" /><Text size="sm" c="dimmed">Comparing; sleeping computes wake for it.</Text></div>}
      {difference.data?.trim() === '' && <div className="empty"><Text>The two schemas are the same.</Text></div>}
      {difference.data?.trim() && (view === 'changes' ? (
        <UnifiedDiff text={difference.data} />
      ) : (
        <Suspense fallback={<Loader aria-label="Loading" />}>
          <Beside project={project} database={database ?? ''} base={base} side={side} />
        </Suspense>
      ))}
    </div>
  );
}

/** Empty = now; an LSN, or a time as the browser's zone writes it. */
function sideOf({ branch, moment }: Chosen): Side | null {
  if (!branch) {
    return null;
  }
  if (!moment) {
    return { branch };
  }
  const at = Date.parse(moment);
  return Number.isNaN(at) ? null : { branch, timestamp: new Date(at).toISOString() };
}

function PointPicker({ label, branches, value, onChange }: { label: string; branches: Branch[]; value: Chosen; onChange: (chosen: Chosen) => void }) {
  return (
    <fieldset className="point-picker">
      <legend>{label} <span className="dim">(without a moment: now)</span></legend>
      <Select aria-label={`${label}: branch`} searchable allowDeselect={false} limit={50} value={value.branch} onChange={(branch) => branch && onChange({ branch, moment: '' })} data={branches.map((branch) => ({ value: branch.id, label: branch.name }))} />
      <TextInput type="datetime-local" step={1} aria-label={`${label}: moment; empty for now`} value={value.moment} onChange={(event) => onChange({ ...value, moment: event.currentTarget.value })} />
    </fieldset>
  );
}

function useSchema(project: string, database: string, side: Side | null) {
  return useQuery({
    queryKey: ['schema', project, database, side],
    enabled: side !== null,
    staleTime: 60_000,
    retry: false,
    queryFn: async () => {
      const query = { db_name: database, ...(side?.lsn && { lsn: side.lsn }), ...(side?.timestamp && { timestamp: side.timestamp }) };
      const path = { project, branch: side?.branch ?? '' };
      return (await done(api.GET('/projects/{project}/branches/{branch}/schema', { params: { path, query } }))).sql;
    },
  });
}

function Beside({ project, database, base, side }: { project: string; database: string; base: Side | null; side: Side | null }) {
  const before = useSchema(project, database, base);
  const after = useSchema(project, database, side);
  const error = before.error ?? after.error;
  if (error) {
    return <ErrorNote error={error} />;
  }
  if (before.data === undefined || after.data === undefined) {
    return <Loader aria-label="Loading" />;
  }
  return <MergeDiff before={before.data} after={after.data} />;
}

import { Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, done } from '../api/client';
import { ErrorNote } from '../ui/ErrorNote';

export interface Side {
  branch: string;
  lsn?: string;
  timestamp?: string;
}

/** What differs in the schema between two points, as a unified diff from `base` to `side`. */
export function useDifference(project: string, database: string | undefined, base: Side | null, side: Side | null) {
  return useQuery({
    queryKey: ['difference', project, database, base, side],
    enabled: Boolean(database && base && side),
    retry: false,
    staleTime: 60_000,
    queryFn: async () => {
      const query = {
        db_name: database ?? '',
        base_branch_id: base?.branch,
        ...(base?.lsn && { base_lsn: base.lsn }),
        ...(base?.timestamp && { base_timestamp: base.timestamp }),
        ...(side?.lsn && { lsn: side.lsn }),
        ...(side?.timestamp && { timestamp: side.timestamp }),
      };
      const path = { project, branch: side?.branch ?? '' };
      return (await done(api.GET('/projects/{project}/branches/{branch}/compare_schema', { params: { path, query } }))).diff;
    },
  });
}

export function UnifiedDiff({ text }: { text: string }) {
  return (
    <pre className="unified" tabIndex={0} aria-label="Difference">
      {text.split('\n').map((line, index) => (
        <span key={index} data-sign={line.startsWith('+++') || line.startsWith('---') || line.startsWith('@@') ? '@' : line[0]}>
          {line}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

interface Props {
  project: string;
  database: string | undefined;
  base: Side | null;
  side: Side | null;
  same: string;
}

/** Look before you leap: the difference, small. */
export function SchemaPreview({ project, database, base, side, same }: Props) {
  const difference = useDifference(project, database, base, side);
  if (difference.isLoading) {
    return <div className="preview-wait"><Loader size="xs" aria-label="Comparing" /> <Text size="sm" c="dimmed">Comparing the schemas…</Text></div>;
  }
  if (difference.error) {
    return <ErrorNote error={difference.error} title="The schemas could not be compared" />;
  }
  if (difference.data === undefined) {
    return null;
  }
  return difference.data.trim() === '' ? <Text size="sm" c="dimmed">{same}</Text> : <UnifiedDiff text={difference.data} />;
}

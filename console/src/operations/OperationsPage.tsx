import { Button, Loader, Progress, Table, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import { hasFailed, isUnderWay, type Operation } from '../api/client';
import { useBranches, useOperations } from '../api/queries';
import { ErrorNote } from '../ui/ErrorNote';
import { moment, relative, span } from '../ui/format';
import { Icon } from '../ui/icons';
import { useNow } from '../ui/useNow';

const PAGE = 50;
const MOST = 1000;

/** What the server did and does, newest first, live. */
export default function OperationsPage({ project }: { project: string }) {
  const [limit, setLimit] = useState(PAGE);
  const [filter, setFilter] = useState('');
  const operations = useOperations(project, limit);
  const branches = useBranches(project);
  const now = useNow(2000);
  const names = new Map(branches.data?.branches.map((branch) => [branch.id, branch.name]));
  const text = filter.trim().toLowerCase();
  const shown = operations.data?.filter((operation) =>
    [operation.action, operation.status, names.get(operation.branch_id ?? '') ?? '', operation.error ?? ''].join(' ').toLowerCase().includes(text),
  );
  return (
    <div className="page">
      <div className="page-head">
        <Title order={1} size="h2">Operations</Title>
        <TextInput aria-label="Filter operations" placeholder="Filter" leftSection={<Icon name="search" />} value={filter} onChange={(event) => setFilter(event.currentTarget.value)} />
      </div>
      <ErrorNote error={operations.error} title="The operations could not be read" />
      {operations.isPending && <Loader aria-label="Loading" />}
      {shown && (
        <Table.ScrollContainer minWidth={560}>
          <Table verticalSpacing="xs" highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>What</Table.Th>
                <Table.Th>Branch</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th>Took</Table.Th>
                <Table.Th>When</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {shown.map((operation) => (
                <Table.Tr key={operation.id}>
                  <Table.Td>{operation.action.replaceAll('_', ' ')}</Table.Td>
                  <Table.Td>{operation.branch_id ? (names.get(operation.branch_id) ?? <Text span c="dimmed" className="mono" size="xs">{operation.branch_id}</Text>) : ''}</Table.Td>
                  <Table.Td><State operation={operation} /></Table.Td>
                  <Table.Td className="num">{isUnderWay(operation) ? span(now - Date.parse(operation.created_at)) : `${operation.total_duration_ms.toLocaleString('en')} ms`}</Table.Td>
                  <Table.Td title={moment(operation.created_at)}>{relative(operation.created_at, now)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {shown?.length === 0 && <Text c="dimmed">Nothing was found.</Text>}
      {(operations.data?.length ?? 0) >= limit && limit < MOST && (
        <Button variant="default" mt="md" onClick={() => setLimit(Math.min(MOST, limit * 2))}>Show older ones</Button>
      )}
    </div>
  );
}

function State({ operation }: { operation: Operation }) {
  if (isUnderWay(operation)) {
    return (
      <div className="op-running">
        <span>{operation.progress?.stage ?? operation.status}</span>
        {operation.progress?.percent !== undefined && <Progress value={operation.progress.percent} size="xs" aria-label="Progress" />}
      </div>
    );
  }
  return (
    <>
      <i className="dot" data-state={hasFailed(operation) ? 'failed' : 'done'} />
      {operation.status}
      {operation.error && <Text size="xs" className="op-error">{operation.error}</Text>}
    </>
  );
}

import { Button, Group, Modal, Radio, Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, done, finished, type Branch } from '../api/client';
import { changed, useBranches, useProject, useRuleSets } from '../api/queries';
import { usePermissions } from '../session/SessionContext';
import { ErrorNote } from '../ui/ErrorNote';
import { notify } from '../ui/Notices';
import { fieldsOf, horizon, isWhole, PastPoint, type Point } from './PastPoint';

type Contents = 'now' | 'past' | 'schema-only' | 'anonymized';

const EXPIRIES = [
  { value: '', label: 'Never' },
  { value: '3600', label: 'After 1 hour' },
  { value: '86400', label: 'After 1 day' },
  { value: '604800', label: 'After 7 days' },
  { value: '2592000', label: 'After 30 days' },
];
const A_DAY = '86400';
/** Names that machines give: what nobody deletes by hand should go by itself. */
const TEMPORARY = /^(preview|ci|pr|test|tmp|temp)([-/_.]|$)/i;
const EVERYTHING = '';

interface Props {
  project: string;
  parent: Branch;
  onClose: () => void;
  onMade: (branch: Branch) => void;
}

export function CreateBranch({ project, parent: first, onClose, onMade }: Props) {
  const permissions = usePermissions();
  const branches = useBranches(project).data?.branches ?? [first];
  const details = useProject(project);
  const ruleSets = useRuleSets(project);
  const [now] = useState(Date.now);
  const [name, setName] = useState('');
  const [parentId, setParentId] = useState(first.id);
  const parent = branches.find((branch) => branch.id === parentId) ?? first;
  const ordinary = permissions.use(parent);
  const [wanted, setContents] = useState<Contents>(ordinary ? 'now' : 'anonymized');
  const contents = ordinary ? wanted : 'anonymized';
  const [point, setPoint] = useState<Point>({ kind: 'time', at: now - 10 * 60_000 });
  const [ruleSet, setRuleSet] = useState<string>(EVERYTHING);
  const [background, setBackground] = useState(false);
  const [chosenExpiry, setExpiry] = useState<string | null>(null);
  const expiry = chosenExpiry ?? (TEMPORARY.test(name) ? A_DAY : '');
  const [stage, setStage] = useState('');
  const oldest = horizon(parent, details.data?.history_retention_seconds ?? 86_400, now);

  const create = useMutation({
    mutationFn: async () => {
      const past = contents === 'past' ? fieldsOf(point) : {};
      const body = {
        branch: {
          name: name.trim() || undefined,
          parent_id: parent.id,
          parent_lsn: past.lsn,
          parent_timestamp: past.timestamp,
          init_source: contents === 'schema-only' ? 'schema-only' : undefined,
          expires_at: expiry ? new Date(Date.now() + Number(expiry) * 1000).toISOString() : undefined,
        },
      };
      const path = { project };
      const made =
        contents === 'anonymized'
          ? await done(
              api.POST('/projects/{project}/branch_anonymized', {
                params: { path },
                body: {
                  branch_create: body,
                  masking_rule_set: ruleSet || undefined,
                  masking_policy: ruleSet ? undefined : permissions.ordinaryBranches ? 'mask' : undefined,
                  masking_indexes: background ? 'background' : 'first',
                },
              }),
            )
          : await done(api.POST('/projects/{project}/branches', { params: { path }, body }));
      await finished(project, made.operations, (text, percent) => setStage(percent === undefined ? text : `${text}, ${percent} %`));
      return made.branch;
    },
    onSuccess: async (branch) => {
      await changed(project);
      notify('done', `Branch ${branch.name} is ready.`);
      onMade(branch);
    },
  });

  return (
    <Modal opened onClose={onClose} title="New branch" size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Stack gap="md">
          <TextInput data-autofocus label="Name" description="Left empty, it gets one." placeholder="dev-alice" value={name} onChange={(event) => setName(event.currentTarget.value)} spellCheck={false} autoComplete="off" />
          <Select
            label="From"
            searchable
            allowDeselect={false}
            value={parentId}
            onChange={(id) => id && setParentId(id)}
            data={branches.map((branch) => ({ value: branch.id, label: branch.name }))}
            limit={50}
            nothingFoundMessage="No branch is called like that"
          />
          <Radio.Group label="With" value={contents} onChange={(value) => setContents(value as Contents)}>
            <div className="choices">
              {ordinary && <Choice value="now" title="Data as of now" text="Everything the parent has at this moment." />}
              {ordinary && <Choice value="past" title="Data of a past moment" text="As it was before a mistake, say." />}
              {ordinary && permissions.ordinaryBranches && <Choice value="schema-only" title="Tables only" text="The schema, and not a single row." />}
              <Choice value="anonymized" title="Anonymized data" text="Masked on its way; no original reaches it." />
            </div>
          </Radio.Group>
          {contents === 'past' && <PastPoint branch={parent} oldest={oldest} now={now} value={point} onChange={setPoint} />}
          {contents === 'anonymized' && (
            <Stack gap="xs">
              <Select
                label="Masked by"
                allowDeselect={false}
                value={ruleSet}
                onChange={(value) => setRuleSet(value ?? EVERYTHING)}
                data={[
                  { value: EVERYTHING, label: 'Everything is masked' },
                  ...(ruleSets.data ?? []).map((set) => ({ value: set.name, label: `Rule set ${set.name} (${set.masking_rules.length} rules, others: ${set.masking_policy})` })),
                ]}
              />
              <Switch label="Usable at once, while indexes on masked columns are still built" checked={background} onChange={(event) => setBackground(event.currentTarget.checked)} />
            </Stack>
          )}
          <Select
            label="Expires"
            description={chosenExpiry === null && expiry ? 'On by itself for names like this one.' : undefined}
            allowDeselect={false}
            value={expiry}
            onChange={(value) => setExpiry(value ?? '')}
            data={EXPIRIES}
          />
          <ErrorNote error={create.error} title="The branch was not made" />
          <Group justify="flex-end">
            {create.isPending && stage && <Text size="sm" c="dimmed" role="status">{stage}</Text>}
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={create.isPending} disabled={contents === 'past' && !isWhole(point)}>Create branch</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Choice({ value, title, text }: { value: Contents; title: string; text: string }) {
  return (
    <Radio.Card value={value} className="choice" radius="md">
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Radio.Indicator />
        <div>
          <Text size="sm" fw={600}>{title}</Text>
          <Text size="xs" c="dimmed">{text}</Text>
        </div>
      </Group>
    </Radio.Card>
  );
}

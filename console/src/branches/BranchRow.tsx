import { ActionIcon, Badge, Button, Checkbox, Menu, Tooltip } from '@mantine/core';
import { memo } from 'react';
import type { Branch, Schemas } from '../api/client';
import { usePermissions } from '../session/SessionContext';
import { bytes, moment, relative } from '../ui/format';
import { Icon } from '../ui/icons';
import type { OpenDialog } from './dialogs';
import { BranchMenu } from './BranchMenu';
import { branchedAt, isDeletable, type Row } from './tree';

interface Props {
  row: Row;
  index: number;
  top: number;
  now: number;
  parentName: string | undefined;
  size: Schemas['StorageBranchStats'] | undefined;
  current: boolean;
  selected: boolean;
  onCurrent: () => void;
  onSelect: () => void;
  onToggle: (id: string, expanded: boolean) => void;
  onDialog: (dialog: OpenDialog) => void;
  onDiff: (branch: Branch) => void;
}

const STATES: Record<string, string> = { active: 'awake', init: 'waking', idle: 'asleep' };

export const BranchRow = memo(function BranchRow(props: Props) {
  const { row, now, current } = props;
  const { branch, endpoint, notes, children } = row.node;
  const permissions = usePermissions();
  const use = permissions.use(branch);
  // A key that may not list endpoints of all is not told that there is none.
  const connects = use && (endpoint !== undefined || !permissions.wholeProject);
  const state = branch.start_error ? 'failed' : (endpoint?.current_state ?? 'idle');
  const tab = current ? 0 : -1;
  return (
    <div
      id={`row-${branch.id}`}
      className="tree-row"
      role="row"
      aria-rowindex={props.index + 2}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={children.length > 0 ? row.expanded : undefined}
      aria-selected={props.selected}
      data-current={current || undefined}
      data-dim={!row.matches || undefined}
      style={{ transform: `translateY(${props.top}px)` }}
      onMouseDown={props.onCurrent}
      onDoubleClick={() => connects && props.onDialog({ kind: 'connect', branch })}
    >
      <span role="gridcell" className="col-select">
        {use && isDeletable(branch) && (
          <Checkbox size="xs" tabIndex={tab} checked={props.selected} onChange={props.onSelect} aria-label={`Select ${branch.name}`} />
        )}
      </span>
      <span role="gridcell" className="col-name" style={{ paddingLeft: (row.level - 1) * 20 }}>
        {children.length > 0 ? (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            tabIndex={-1}
            className="twist"
            data-open={row.expanded || undefined}
            aria-label={row.expanded ? `Close ${branch.name}` : `Open ${branch.name}`}
            onClick={() => props.onToggle(branch.id, !row.expanded)}
          >
            <Icon name="chevron" size={14} />
          </ActionIcon>
        ) : (
          <i className="twist-space" />
        )}
        <span className="branch-name" title={branch.name}>{branch.name}</span>
        <Badges branch={branch} now={now} hidden={row.expanded ? 0 : children.length} />
      </span>
      <span role="gridcell" className="col-time">
        <span className="sr">
          {props.parentName ? `from ${props.parentName}, ` : ''}{relative(branchedAt(branch), now)}
        </span>
        <Tooltip label={<TimeLabel branch={branch} parentName={props.parentName} now={now} />}>
          <span className="time-hover" />
        </Tooltip>
      </span>
      <span role="gridcell" className="col-state">
        {endpoint && (
          <>
            <i className="dot" data-state={state} />
            {branch.start_error ? <Tooltip label={branch.start_error} multiline maw={360}><span>cannot start</span></Tooltip> : (STATES[state] ?? state)}
          </>
        )}
        {!endpoint && permissions.wholeProject && <span className="dim">none</span>}
      </span>
      <span role="gridcell" className="col-size">
        <SizeCell branch={branch} size={props.size} />
      </span>
      <span role="gridcell" className="col-made">
        <MadeBy branch={branch} notes={notes} now={now} tab={tab} />
      </span>
      <span role="gridcell" className="col-active">{endpoint ? relative(endpoint.last_active, now) : ''}</span>
      <span role="gridcell" className="col-actions">
        {connects && (
          <Button
            size="compact-sm"
            variant="light"
            tabIndex={tab}
            leftSection={<Icon name="plug" size={14} />}
            onClick={() => props.onDialog({ kind: 'connect', branch })}
            aria-label={`Connect to ${branch.name}`}
          >
            Connect
          </Button>
        )}
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" tabIndex={tab} aria-label={`More for ${branch.name}`}>
              <Icon name="more" />
            </ActionIcon>
          </Menu.Target>
          <BranchMenu branch={branch} endpoint={endpoint} onDialog={props.onDialog} onDiff={props.onDiff} />
        </Menu>
      </span>
    </div>
  );
});

function Badges({ branch, now, hidden }: { branch: Branch; now: number; hidden: number }) {
  return (
    <span className="badges">
      {branch.default && <Badge size="sm" variant="filled">default</Badge>}
      {branch.protected && <Badge size="sm" color="orange" variant="light" leftSection={<Icon name="lock" size={10} />}>protected</Badge>}
      {branch.kind === 'anonymized' && <Badge size="sm" color="grape" variant="light" leftSection={<Icon name="mask" size={11} />}>anonymized</Badge>}
      {branch.kind === 'schema_only' && <Badge size="sm" color="cyan" variant="light">schema only</Badge>}
      {branch.restored_from && <Badge size="sm" color="gray" variant="outline">restored</Badge>}
      {branch.expires_at && <Badge size="sm" color="gray" variant="light" title={moment(branch.expires_at)}>expires {relative(branch.expires_at, now)}</Badge>}
      {branch.current_state !== 'ready' && <Badge size="sm" color="yellow" variant="light">{branch.current_state.replaceAll('_', ' ')}</Badge>}
      {hidden > 0 && <Badge size="sm" color="gray" variant="outline">+{hidden}</Badge>}
    </span>
  );
}

function TimeLabel({ branch, parentName, now }: { branch: Branch; parentName: string | undefined; now: number }) {
  return (
    <>
      {parentName ? `left ${parentName} ` : 'made '}{relative(branchedAt(branch), now)}
      <br />
      {moment(branchedAt(branch))}
      {branch.parent_lsn && <><br />at {branch.parent_lsn}</>}
    </>
  );
}

function SizeCell({ branch, size }: { branch: Branch; size: Schemas['StorageBranchStats'] | undefined }) {
  const logical = size?.logical_size ?? branch.logical_size;
  const text = bytes(logical);
  if (!size) {
    return <span>{text}</span>;
  }
  return (
    <Tooltip label={<>{bytes(size.own_bytes)} of its own on disk<br />{bytes(size.shared_bytes)} shared with others</>}>
      <span className="size">
        {text}
        <small>{bytes(size.own_bytes)} own</small>
      </span>
    </Tooltip>
  );
}

/** Clients note where a branch comes from, as Neon's actions do; only a web address becomes a link. */
function MadeBy({ branch, notes, now, tab }: { branch: Branch; notes: Record<string, string>; now: number; tab: number }) {
  const number = notes['github-pr-number'];
  const url = notes['github-pr-url'] ?? notes['pull-request-url'];
  const made = relative(branch.created_at, now);
  if (url && /^https?:\/\//.test(url)) {
    return <span><a href={url} target="_blank" rel="noreferrer" tabIndex={tab}>{number ? `#${number}` : 'pull request'}</a> <small>{made}</small></span>;
  }
  const who = number ? `pull request #${number}` : (notes['git-branch'] ?? notes['github-commit-author'] ?? made);
  return <span title={moment(branch.created_at)}>{who}{who !== made && <small> {made}</small>}</span>;
}

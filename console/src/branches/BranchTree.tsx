import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import type { Branch, Schemas } from '../api/client';
import { usePermissions } from '../session/SessionContext';
import { useNow } from '../ui/useNow';
import type { OpenDialog } from './dialogs';
import { BranchRow } from './BranchRow';
import { Timeline } from './Timeline';
import { TimeAxis } from './timeAxis';
import { branchedAt, isDeletable, ROW_HEIGHT, type Row } from './tree';

interface Props {
  rows: readonly Row[];
  /** The branch that is current at first. */
  initial: string | undefined;
  retentionSeconds: number;
  snapshots: readonly Schemas['SnapshotSnapshotView'][];
  sizes: ReadonlyMap<string, Schemas['StorageBranchStats']>;
  selected: ReadonlySet<string>;
  marked: readonly Branch[];
  onSelect: (ids: ReadonlySet<string>) => void;
  onToggle: (id: string, expanded: boolean) => void;
  onFilter: () => void;
  onDialog: (dialog: OpenDialog) => void;
  onDiff: (branch: Branch) => void;
}

/** A treegrid (WAI-ARIA), of which only the rows in sight exist. One row is current; the keyboard moves and uses it. */
export function BranchTree(props: Props) {
  const { rows, selected } = props;
  const permissions = usePermissions();
  const now = useNow(5000);
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState<string | undefined>(props.initial ?? rows[0]?.node.branch.id);
  const { ref: axisCell, width: axisWidth } = useElementSize<HTMLDivElement>();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    getItemKey: (index) => rows[index]?.node.branch.id ?? index,
  });
  const at = Math.max(0, rows.findIndex((row) => row.node.branch.id === current));
  const axis = useMemo(() => {
    const oldest = rows.reduce((least, row) => Math.min(least, branchedAt(row.node.branch)), now);
    return new TimeAxis(oldest, now);
  }, [rows, now]);

  useEffect(() => {
    if (props.initial) {
      setCurrent(props.initial);
      const index = rows.findIndex((row) => row.node.branch.id === props.initial);
      if (index >= 0) {
        virtual.scrollToIndex(index, { align: 'center' });
        scroller.current?.focus();
      }
    }
    // Only when somebody jumps to a branch, not whenever the rows change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [props.initial]);

  const move = (index: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row) {
      setCurrent(row.node.branch.id);
      virtual.scrollToIndex(rows.indexOf(row), { align: 'auto' });
    }
  };
  const select = (id: string) => {
    const after = new Set(selected);
    if (!after.delete(id)) {
      after.add(id);
    }
    props.onSelect(after);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const row = rows[at];
    if (!row) {
      return;
    }
    const branch = row.node.branch;
    const use = permissions.use(branch);
    const actions: Record<string, (() => void) | false> = {
      ArrowDown: () => move(at + 1),
      j: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      k: () => move(at - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      PageDown: () => move(at + 10),
      PageUp: () => move(at - 10),
      ArrowRight: () => (row.expanded || row.node.children.length === 0 ? row.expanded && move(at + 1) : props.onToggle(branch.id, true)),
      ArrowLeft: () => (row.expanded ? props.onToggle(branch.id, false) : row.parentIndex >= 0 && move(row.parentIndex)),
      Enter: use && (row.node.endpoint !== undefined || !permissions.wholeProject) && (() => props.onDialog({ kind: 'connect', branch })),
      c: () => props.onDialog({ kind: 'create', parent: branch }),
      r: use && (() => props.onDialog({ kind: 'restore', branch })),
      d: permissions.wholeProject && (() => props.onDiff(branch)),
      x: isDeletable(branch) && use && (() => select(branch.id)),
      ' ': isDeletable(branch) && use && (() => select(branch.id)),
      Delete: () => {
        const branches = props.marked.length > 0 ? [...props.marked] : [branch];
        if (branches.every((each) => isDeletable(each) && permissions.use(each))) {
          props.onDialog({ kind: 'delete', branches });
        }
      },
      '/': props.onFilter,
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  };

  const items = virtual.getVirtualItems();
  return (
    <div className="tree-frame">
      <div
        ref={scroller}
        className="tree"
        role="treegrid"
        aria-label="Branches"
        aria-rowcount={rows.length + 1}
        aria-multiselectable="true"
        aria-activedescendant={rows[at] ? `row-${rows[at].node.branch.id}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <div className="tree-row tree-head" role="row" aria-rowindex={1}>
          <span role="columnheader" className="col-select"><span className="sr">Selected</span></span>
          <span role="columnheader" className="col-name">Branch</span>
          <span role="columnheader" className="col-time">
            <span className="sr">Made</span>
            <div className="axis" ref={axisCell} aria-hidden="true">
              {axis.marks(axisWidth).map((mark) => (
                <i key={mark.label} style={{ left: `${mark.place * 100}%` }}>{mark.label}</i>
              ))}
              <i className="axis-now" style={{ left: '100%' }}>now</i>
            </div>
          </span>
          <span role="columnheader" className="col-state">Compute</span>
          <span role="columnheader" className="col-size">Size</span>
          <span role="columnheader" className="col-made">Made by</span>
          <span role="columnheader" className="col-active">Last active</span>
          <span role="columnheader" className="col-actions"><span className="sr">Actions</span></span>
        </div>
        <div className="tree-body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          <Timeline
            rows={rows}
            from={items[0]?.index ?? 0}
            to={items.at(-1)?.index ?? -1}
            axis={axis}
            width={axisWidth}
            retentionMs={props.retentionSeconds * 1000}
            snapshots={props.snapshots}
          />
          {items.map((item) => {
            const row = rows[item.index];
            return row && (
              <BranchRow
                key={item.key}
                row={row}
                index={item.index}
                top={item.start}
                now={now}
                parentName={row.parentIndex >= 0 ? rows[row.parentIndex]?.node.branch.name : undefined}
                size={props.sizes.get(row.node.branch.id)}
                current={item.index === at}
                selected={selected.has(row.node.branch.id)}
                onCurrent={() => setCurrent(row.node.branch.id)}
                onSelect={() => select(row.node.branch.id)}
                onToggle={props.onToggle}
                onDialog={props.onDialog}
                onDiff={props.onDiff}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

import type { Schemas } from '../api/client';
import type { TimeAxis } from './timeAxis';
import { branchedAt, ROW_HEIGHT, type Row } from './tree';

interface Props {
  rows: readonly Row[];
  /** The rows in sight. */
  from: number;
  to: number;
  axis: TimeAxis;
  /** In pixels. */
  width: number;
  retentionMs: number;
  snapshots: readonly Schemas['SnapshotSnapshotView'][];
}

/** Rows below those in sight whose lines may come from one in sight or above. */
const BELOW = 60;
const MIDDLE = ROW_HEIGHT / 2;
const BEND = 8;

/** Each branch as a line from where it left its parent to now: thick where its past can still be read and restored. */
export function Timeline({ rows, from, to, axis, width, retentionMs, snapshots }: Props) {
  if (width === 0 || to < from) {
    return null;
  }
  const x = (time: number) => Math.round(axis.at(time) * width * 10) / 10;
  const y = (index: number) => index * ROW_HEIGHT + MIDDLE;
  const top = from * ROW_HEIGHT;
  const height = (to - from + 1) * ROW_HEIGHT;
  const marks = new Map<string, Schemas['SnapshotSnapshotView'][]>();
  for (const snapshot of snapshots) {
    marks.set(snapshot.source_branch_id, [...(marks.get(snapshot.source_branch_id) ?? []), snapshot]);
  }
  const links = [];
  for (let index = from; index <= Math.min(rows.length - 1, to + BELOW); index++) {
    const row = rows[index];
    if (row && row.parentIndex >= 0 && row.parentIndex <= to) {
      const at = x(branchedAt(row.node.branch));
      const end = Math.min(width, at + BEND);
      links.push(
        <path
          key={row.node.branch.id}
          className="line-link"
          data-kind={row.node.branch.kind}
          d={`M${at} ${Math.max(y(row.parentIndex), top)}V${y(index) - BEND}Q${at} ${y(index)} ${end} ${y(index)}`}
        />,
      );
    }
  }
  return (
    <div className="timeline" aria-hidden="true" style={{ top, height }}>
      <svg width={width} height={height} viewBox={`0 ${top} ${width} ${height}`}>
        {links}
        {rows.slice(from, to + 1).map((row, offset) => {
          const branch = row.node.branch;
          const at = y(from + offset);
          const begun = x(branchedAt(branch)) + (row.parentIndex >= 0 ? BEND : 0);
          const kept = Math.max(begun, x(Math.max(branchedAt(branch), axis.now - retentionMs)));
          const state = row.node.endpoint?.current_state ?? 'idle';
          return (
            <g key={branch.id} className="line" data-kind={branch.kind} data-state={state} data-dim={!row.matches || undefined}>
              <line className="line-old" x1={Math.min(begun, width)} x2={Math.min(kept, width)} y1={at} y2={at} />
              <line className="line-kept" x1={Math.min(kept, width - 1)} x2={width} y1={at} y2={at} />
              {row.parentIndex < 0 && <circle className="line-root" cx={begun} cy={at} r={3.5} />}
              {marks.get(branch.id)?.map((snapshot) => {
                const place = x(Date.parse(snapshot.timestamp ?? snapshot.created_at));
                return <path key={snapshot.id} className="line-snapshot" d={`M${place} ${at - 5}l5 5l-5 5l-5 -5z`} />;
              })}
              <circle className="line-head" cx={width} cy={at} r={4} />
            </g>
          );
        })}
      </svg>
    </div>
  );
}

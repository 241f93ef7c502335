import { SegmentedControl, Slider, Stack, Text, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import type { Branch } from '../api/client';
import { localInput, moment, relative } from '../ui/format';
import { TimeAxis } from './timeAxis';

/** A moment of a branch's past: a time, or a position in its WAL as it was typed. */
export type Point = { kind: 'time'; at: number } | { kind: 'lsn'; lsn: string };

/** The query or body fields of the API for a point. */
export function fieldsOf(point: Point): { lsn?: string; timestamp?: string } {
  return point.kind === 'lsn' ? { lsn: point.lsn } : { timestamp: new Date(point.at).toISOString() };
}

export function isWhole(point: Point): boolean {
  return point.kind === 'lsn' ? /^[0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8}$/.test(point.lsn) : Number.isFinite(point.at);
}

const STEPS = 1000;

/** The first moment that may still be read. */
export function horizon(branch: Branch, retentionSeconds: number, now: number): number {
  return Math.max(Date.parse(branch.created_at), now - retentionSeconds * 1000);
}

interface Props {
  branch: Branch;
  /** The first moment that may be chosen. */
  oldest: number;
  now: number;
  value: Point;
  onChange: (point: Point) => void;
}

export function PastPoint({ branch, oldest, now, value, onChange }: Props) {
  const axis = useMemo(() => new TimeAxis(oldest, now), [oldest, now]);
  const at = value.kind === 'time' ? value.at : now;
  return (
    <Stack gap="xs" className="past-point">
      <SegmentedControl
        size="xs"
        value={value.kind}
        aria-label="How to name the moment"
        onChange={(kind) => onChange(kind === 'lsn' ? { kind: 'lsn', lsn: '' } : { kind: 'time', at: now - (now - oldest) / 2 })}
        data={[{ value: 'time', label: 'Time' }, { value: 'lsn', label: 'WAL position (LSN)' }]}
      />
      {value.kind === 'time' ? (
        <>
          <Slider
            min={0}
            max={STEPS}
            value={Math.round(axis.at(at) * STEPS)}
            onChange={(place) => onChange({ kind: 'time', at: Math.min(now, Math.max(oldest, Math.round(axis.time(place / STEPS)))) })}
            label={null}
            thumbLabel={`Moment in the past of ${branch.name}`}
            thumbProps={{ 'aria-valuetext': `${moment(at)}, ${relative(at, now)}` }}
            marks={axis.marks(420).map((mark) => ({ value: mark.place * STEPS, label: mark.label }))}
            mb="md"
          />
          <div className="past-fields">
            <TextInput
              type="datetime-local"
              step={1}
              label="Moment"
              value={Number.isFinite(at) ? localInput(at) : ''}
              min={localInput(oldest)}
              max={localInput(now)}
              onChange={(event) => onChange({ kind: 'time', at: Date.parse(event.currentTarget.value) })}
            />
            <Text size="sm" c="dimmed">{Number.isFinite(at) ? relative(at, now) : ''}</Text>
          </div>
        </>
      ) : (
        <TextInput
          label="LSN"
          placeholder="0/16B3748"
          className="mono-input"
          value={value.lsn}
          onChange={(event) => onChange({ kind: 'lsn', lsn: event.currentTarget.value.trim() })}
          error={value.lsn && !isWhole(value) ? 'An LSN is two hexadecimal numbers with a slash, like 0/16B3748' : undefined}
        />
      )}
    </Stack>
  );
}

import { Button, CloseButton, Paper, Text } from '@mantine/core';
import { useSyncExternalStore } from 'react';

export interface Notice {
  id: number;
  kind: 'done' | 'failed';
  text: string;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 7000;
const MOST = 4;
let notices: readonly Notice[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(changed: readonly Notice[]): void {
  notices = changed;
  listeners.forEach((listener) => listener());
}

function dismiss(id: number): void {
  set(notices.filter((notice) => notice.id !== id));
}

/** Says something at the edge of the window. Failures stay until they are dismissed. */
export function notify(kind: Notice['kind'], text: string, action?: Notice['action']): void {
  const notice = { id: next++, kind, text, action };
  set([...notices, notice].slice(-MOST));
  if (kind === 'done') {
    setTimeout(() => dismiss(notice.id), SHOWN_MS);
  }
}

export function Notices() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notices,
  );
  return (
    <section className="notices" aria-label="Notices" aria-live="polite">
      {shown.map((notice) => (
        <Paper key={notice.id} className="notice" data-kind={notice.kind} shadow="md" role={notice.kind === 'failed' ? 'alert' : undefined}>
          <Text size="sm" className="notice-text">{notice.text}</Text>
          {notice.action && (
            <Button size="compact-sm" variant="light" onClick={() => { notice.action?.run(); dismiss(notice.id); }}>
              {notice.action.label}
            </Button>
          )}
          <CloseButton size="sm" aria-label="Dismiss" onClick={() => dismiss(notice.id)} />
        </Paper>
      ))}
    </section>
  );
}

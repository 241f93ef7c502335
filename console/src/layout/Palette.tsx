import { Modal, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import type { Schemas } from '../api/client';
import { useProjects } from '../api/queries';
import { Icon, type IconName } from '../ui/icons';
import { useProjectId, useScreens } from './screens';

interface Entry {
  key: string;
  label: string;
  detail: string;
  icon: IconName;
  href: string;
}

const SHOWN = 12;

/** Ctrl+K: screens, branches and projects by a few letters of their names. */
export default function Palette({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} withCloseButton={false} title="Find anything" yOffset="12vh" centered={false} padding="xs">
      {opened && <Finder onClose={onClose} />}
    </Modal>
  );
}

function Finder({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [, navigate] = useLocation();
  const entries = useEntries();
  const found = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return entries.filter((entry) => words.every((word) => entry.label.toLowerCase().includes(word))).slice(0, SHOWN);
  }, [entries, text]);
  const go = (entry: Entry | undefined) => {
    if (entry) {
      onClose();
      navigate(entry.href);
    }
  };
  return (
    <>
      <TextInput
        data-autofocus
        size="md"
        aria-label="Find a branch, a project or a screen"
        placeholder="A branch, a project, a screen…"
        leftSection={<Icon name="search" />}
        value={text}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[at] ? `palette-${at}` : undefined}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            setAt((at + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % Math.max(1, found.length));
          } else if (event.key === 'Enter') {
            event.preventDefault();
            go(found[at]);
          }
        }}
      />
      <div role="listbox" id="palette-list" aria-label="Found" className="palette-list">
        {found.map((entry, index) => (
          <div
            key={entry.key}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            className="palette-entry"
            onMouseMove={() => setAt(index)}
            onClick={() => go(entry)}
          >
            <Icon name={entry.icon} />
            <span className="palette-label">{entry.label}</span>
            <Text size="xs" c="dimmed">{entry.detail}</Text>
          </div>
        ))}
        {found.length === 0 && <Text size="sm" c="dimmed" p="sm">Nothing is called that.</Text>}
      </div>
    </>
  );
}

function useEntries(): Entry[] {
  const project = useProjectId();
  const screens = useScreens();
  const projects = useProjects();
  // What the tree has already; the palette asks for nothing of its own.
  const branches = useQueryClient().getQueryData<Schemas['Branches']>(['branches', project])?.branches;
  return useMemo(() => {
    const entries: Entry[] = [];
    if (project) {
      for (const screen of screens) {
        entries.push({ key: screen.path, label: screen.label, detail: 'screen', icon: screen.icon, href: `/projects/${project}/${screen.path}` });
      }
      for (const branch of branches ?? []) {
        entries.push({ key: branch.id, label: branch.name, detail: 'branch', icon: 'branch', href: `/projects/${project}/branches?at=${branch.id}` });
      }
    }
    for (const each of projects.data ?? []) {
      entries.push({ key: each.id, label: each.name, detail: 'project', icon: 'gear', href: `/projects/${each.id}/branches` });
    }
    return entries;
  }, [project, screens, branches, projects.data]);
}

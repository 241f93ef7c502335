import { ActionIcon, Burger, Kbd, Menu, NavLink, Text, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { Suspense, lazy, useEffect, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { api, done, messageOf } from '../api/client';
import { queryClient, useProjects } from '../api/queries';
import type { Session } from '../session/permissions';
import { Icon, Logo } from '../ui/icons';
import { notify } from '../ui/Notices';
import { isTyping, useProjectId, useScreens } from './screens';

const Palette = lazy(() => import('./Palette'));
const Shortcuts = lazy(() => import('./Shortcuts'));

export function Shell({ session, children }: { session: Session; children: ReactNode }) {
  const [open, menu] = useDisclosure(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const [location] = useLocation();
  useEffect(() => menu.close(), [location]); // eslint-disable-line
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setPalette(true);
      } else if (event.key === '?' && !isTyping(event.target) && !document.querySelector('[role=dialog]')) {
        setHelp(true);
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="shell">
      <a className="skip" href="#main">Skip to the content</a>
      <header className="shell-top">
        <Burger opened={open} onClick={menu.toggle} size="sm" aria-label={open ? 'Close the menu' : 'Open the menu'} />
        <Logo size={24} />
        <Text fw={650}>Coppice</Text>
      </header>
      <nav className="shell-side" data-open={open || undefined} aria-label="Main">
        <Sidebar session={session} onPalette={() => setPalette(true)} onHelp={() => setHelp(true)} />
      </nav>
      <main className="shell-main" id="main" tabIndex={-1}>{children}</main>
      <Suspense fallback={null}>
        {palette && <Palette opened onClose={() => setPalette(false)} />}
        {help && <Shortcuts opened onClose={() => setHelp(false)} />}
      </Suspense>
    </div>
  );
}

function Sidebar({ session, onPalette, onHelp }: { session: Session; onPalette: () => void; onHelp: () => void }) {
  const project = useProjectId();
  const [location] = useLocation();
  const screens = useScreens();
  return (
    <>
      <Link href="/" className="brand">
        <Logo />
        <span>Coppice</span>
      </Link>
      <UnstyledButton className="palette-button" onClick={onPalette}>
        <Icon name="search" />
        <span>Find anything</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </UnstyledButton>
      {project && (
        <>
          <ProjectPicker project={project} />
          {screens.map((screen) => {
            const active = location.startsWith(`/projects/${project}/${screen.path}`);
            return (
              <NavLink
                key={screen.path}
                component={Link}
                href={`/projects/${project}/${screen.path}`}
                label={screen.label}
                leftSection={<Icon name={screen.icon} />}
                active={active}
                aria-current={active ? 'page' : undefined}
              />
            );
          })}
        </>
      )}
      <div className="side-foot">
        <div className="who">
          <Icon name="key" />
          <div>
            <Text size="sm" truncate>{session.key_name}</Text>
            <Text size="xs" c="dimmed">{scopeText(session)}</Text>
          </div>
        </div>
        <div className="side-buttons">
          <SchemeButton />
          <Tooltip label="Keyboard shortcuts (?)">
            <ActionIcon variant="subtle" color="gray" aria-label="Keyboard shortcuts" onClick={onHelp}>?</ActionIcon>
          </Tooltip>
          <SignOutButton />
        </div>
      </div>
    </>
  );
}

function scopeText(session: Session): string {
  if (session.scope === 'anonymized') {
    return 'anonymized branches only';
  }
  return session.project_id ? 'one project' : 'everything';
}

function ProjectPicker({ project }: { project: string }) {
  const projects = useProjects();
  const current = projects.data?.find((each) => each.id === project);
  return (
    <Menu width="target" position="bottom-start">
      <Menu.Target>
        <UnstyledButton className="project-picker">
          <span>
            <Text size="xs" c="dimmed">Project</Text>
            <Text size="sm" fw={600} truncate>{current?.name ?? project}</Text>
          </span>
          <Icon name="chevron" className="down" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {projects.data?.slice(0, 20).map((each) => (
          <Menu.Item key={each.id} component={Link} href={`/projects/${each.id}/branches`}>{each.name}</Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} href="/">All projects</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function SchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <Tooltip label={`Switch to ${other}`}>
      <ActionIcon variant="subtle" color="gray" aria-label={`Switch to ${other}`} onClick={() => setColorScheme(other)}>
        <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
      </ActionIcon>
    </Tooltip>
  );
}

function SignOutButton() {
  const signOut = useMutation({
    mutationFn: () => done(api.DELETE('/console/session')),
    onSuccess: () => {
      // Nothing of what this session saw may stay in the page for the next one.
      queryClient.clear();
      window.location.assign('/console/');
    },
    onError: (error) => notify('failed', `Not signed out: ${messageOf(error)}`),
  });
  return (
    <Tooltip label="Sign out">
      <ActionIcon variant="subtle" color="gray" aria-label="Sign out" loading={signOut.isPending} onClick={() => signOut.mutate()}>
        <Icon name="out" />
      </ActionIcon>
    </Tooltip>
  );
}

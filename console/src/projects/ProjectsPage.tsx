import { Button, Card, Group, Loader, Modal, Text, TextInput, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { api, done, finished, messageOf, type Project } from '../api/client';
import { queryClient, useBranches, useEndpoints, useProjects } from '../api/queries';
import { usePermissions } from '../session/SessionContext';
import { ErrorNote } from '../ui/ErrorNote';
import { bytes, relative, span } from '../ui/format';
import { Icon } from '../ui/icons';
import { notify } from '../ui/Notices';
import { useNow } from '../ui/useNow';

/** Above this many, cards do not ask for their branches one by one. */
const DETAILED = 24;

export function ProjectsPage() {
  const projects = useProjects();
  const permissions = usePermissions();
  const [creating, dialog] = useDisclosure(false);
  return (
    <div className="page">
      <div className="page-head">
        <Title order={1} size="h2">Projects</Title>
        {permissions.createProjects && (
          <Button leftSection={<Icon name="plus" />} onClick={dialog.open}>New project</Button>
        )}
      </div>
      <ErrorNote error={projects.error} title="The projects could not be read" />
      {projects.isPending && <Loader aria-label="Loading" />}
      {projects.data?.length === 0 && (
        <div className="empty">
          <Logo />
          <Text>There is no project yet.</Text>
        </div>
      )}
      <ul className="cards" aria-label="Projects">
        {projects.data?.map((project) => (
          <li key={project.id}>
            <ProjectCard project={project} detailed={projects.data.length <= DETAILED} />
          </li>
        ))}
      </ul>
      {permissions.deleteProjects && <DeletedProjects />}
      <CreateProject opened={creating} onClose={dialog.close} />
    </div>
  );
}

function Logo() {
  return <Icon name="branch" size={36} />;
}

function ProjectCard({ project, detailed }: { project: Project; detailed: boolean }) {
  const now = useNow(30_000);
  return (
    <Card component={Link} href={`/projects/${project.id}/branches`} withBorder className="project-card">
      <Group justify="space-between" wrap="nowrap">
        <Text fw={650} truncate>{project.name}</Text>
        <Text size="xs" c="dimmed">Postgres {project.pg_version}</Text>
      </Group>
      <Text size="xs" c="dimmed" className="mono">{project.id}</Text>
      {detailed && <Counts project={project.id} />}
      <Text size="sm" c="dimmed">
        {span(project.active_time_seconds * 1000)} awake and {bytes(project.written_data_bytes)} written this month,
        made {relative(project.created_at, now)}
      </Text>
    </Card>
  );
}

function Counts({ project }: { project: string }) {
  const permissions = usePermissions();
  const branches = useBranches(project);
  const endpoints = useEndpoints(project, permissions.wholeProject);
  const awake = endpoints.data?.filter((endpoint) => endpoint.current_state !== 'idle').length;
  const count = branches.data?.branches.length;
  return (
    <Group gap="lg" className="counts">
      <span><b>{count ?? '–'}</b> {count === 1 ? 'branch' : 'branches'}</span>
      {permissions.wholeProject && (
        <span><i className="dot" data-state={awake ? 'active' : 'idle'} /><b>{awake ?? '–'}</b> awake</span>
      )}
    </Group>
  );
}

function CreateProject({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState('');
  const [, navigate] = useLocation();
  const create = useMutation({
    mutationFn: async () => {
      const made = await done(api.POST('/projects', { body: { project: { name } } }));
      await finished(made.project.id, made.operations);
      return made.project;
    },
    onSuccess: async (project) => {
      await queryClient.invalidateQueries({ queryKey: ['projects'] });
      setName('');
      onClose();
      navigate(`/projects/${project.id}/branches`);
    },
  });
  return (
    <Modal opened={opened} onClose={onClose} title="New project">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <TextInput data-autofocus label="Name" description="It gets a branch main with a database of its own." value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <ErrorNote error={create.error} />
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={create.isPending} disabled={!name.trim()}>Create</Button>
        </Group>
      </form>
    </Modal>
  );
}

function DeletedProjects() {
  const deleted = useProjects(true);
  const now = useNow(30_000);
  const recover = useMutation({
    mutationFn: (project: Project) => done(api.POST('/projects/{project}/recover', { params: { path: { project: project.id } } })),
    onSuccess: async ({ project }) => {
      await queryClient.invalidateQueries({ queryKey: ['projects'] });
      notify('done', `Project ${project.name} is back.`);
    },
    onError: (error) => notify('failed', messageOf(error)),
  });
  const all = deleted.data?.filter((project) => project.deleted_at) ?? [];
  if (all.length === 0) {
    return null;
  }
  return (
    <section>
      <Title order={2} size="h4" mt="xl" mb="sm">Deleted, and still there for a while</Title>
      {all.map((project) => (
        <Group key={project.id} className="deleted-row">
          <Text fw={600}>{project.name}</Text>
          <Text size="sm" c="dimmed">deleted {relative(project.deleted_at, now)}, gone {relative(project.recoverable_until, now)}</Text>
          <Button size="compact-sm" variant="light" loading={recover.isPending} onClick={() => recover.mutate(project)}>Recover</Button>
        </Group>
      ))}
    </section>
  );
}

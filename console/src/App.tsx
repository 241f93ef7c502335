import { Center, Loader } from '@mantine/core';
import { Suspense, lazy } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { useSession } from './api/queries';
import { BranchTreePage } from './branches/BranchTreePage';
import { Shell } from './layout/Shell';
import { ProjectsPage } from './projects/ProjectsPage';
import { SignIn } from './session/SignIn';
import { SessionContext } from './session/SessionContext';
import { ErrorNote } from './ui/ErrorNote';

const SchemaDiffPage = lazy(() => import('./schema/SchemaDiffPage'));
const OperationsPage = lazy(() => import('./operations/OperationsPage'));

export function App() {
  const session = useSession();
  if (session.isPending) {
    return <Waiting />;
  }
  if (session.error && !session.data) {
    return (
      <main className="sign-in">
        <ErrorNote error={session.error} title="The console cannot reach its server" />
      </main>
    );
  }
  if (!session.data) {
    return <SignIn />;
  }
  return (
    <SessionContext session={session.data}>
      <Shell session={session.data}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/"><ProjectsPage /></Route>
            <Route path="/projects/:project">{({ project }) => <Redirect to={`/projects/${project}/branches`} replace />}</Route>
            <Route path="/projects/:project/branches">{({ project }) => <BranchTreePage key={project} project={project} />}</Route>
            <Route path="/projects/:project/schema">{({ project }) => <SchemaDiffPage key={project} project={project} />}</Route>
            <Route path="/projects/:project/operations">{({ project }) => <OperationsPage key={project} project={project} />}</Route>
            <Route><Redirect to="/" replace /></Route>
          </Switch>
        </Suspense>
      </Shell>
    </SessionContext>
  );
}

function Waiting() {
  return <Center className="waiting"><Loader aria-label="Loading" /></Center>;
}

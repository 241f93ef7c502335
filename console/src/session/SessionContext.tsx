import { createContext, useContext, useMemo, type ReactNode } from 'react';
import { Permissions, type Session } from './permissions';

const Context = createContext<Permissions | null>(null);

export function SessionContext({ session, children }: { session: Session; children: ReactNode }) {
  const permissions = useMemo(() => new Permissions(session), [session]);
  return <Context.Provider value={permissions}>{children}</Context.Provider>;
}

export function usePermissions(): Permissions {
  const permissions = useContext(Context);
  if (!permissions) {
    throw new Error('nobody is signed in here');
  }
  return permissions;
}

import { useLocation } from 'wouter';
import { usePermissions } from '../session/SessionContext';
import type { IconName } from '../ui/icons';

interface Screen {
  path: string;
  label: string;
  icon: IconName;
}

/** The screens of a project that the session's key opens. */
export function useScreens(): Screen[] {
  const permissions = usePermissions();
  const screens: Screen[] = [{ path: 'branches', label: 'Branches', icon: 'branch' }];
  if (permissions.wholeProject) {
    screens.push({ path: 'schema', label: 'Schema diff', icon: 'diff' });
  }
  screens.push({ path: 'operations', label: 'Operations', icon: 'list' });
  return screens;
}

/** The project in the address, if there is one. */
export function useProjectId(): string | undefined {
  const [location] = useLocation();
  return /^\/projects\/([^/]+)/.exec(location)?.[1];
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

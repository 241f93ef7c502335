import type { Branch, Schemas } from '../api/client';

export type Session = Schemas['SessionView'];

/**
 * What the session's key may do. The server decides; this keeps from the screen what it would refuse.
 */
export class Permissions {
  constructor(private readonly session: Session) {}

  private get full(): boolean {
    return this.session.scope === 'full';
  }

  get createProjects(): boolean {
    return this.full && !this.session.project_id;
  }

  get deleteProjects(): boolean {
    return this.full && !this.session.project_id;
  }

  get manageKeys(): boolean {
    return this.full && !this.session.project_id;
  }

  /** Settings, storage, snapshots, all computes: everything of a project. */
  get wholeProject(): boolean {
    return this.full;
  }

  /** What the server's operators see: sizes on disk, of all projects. */
  get storage(): boolean {
    return this.full;
  }

  /** Whether what a branch holds may be seen: connected to, deleted, branched from. */
  use(branch: Branch): boolean {
    return this.full || branch.kind === 'anonymized';
  }

  get ordinaryBranches(): boolean {
    return this.full;
  }
}

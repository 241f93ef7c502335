import type { Branch } from '../api/client';

/** Which dialog is open, and for what. */
export type OpenDialog =
  | { kind: 'create'; parent: Branch }
  | { kind: 'connect'; branch: Branch }
  | { kind: 'restore'; branch: Branch }
  | { kind: 'change'; branch: Branch }
  | { kind: 'delete'; branches: Branch[] };

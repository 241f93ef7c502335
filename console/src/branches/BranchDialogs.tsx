import { ChangeBranch } from './ChangeBranch';
import { ConnectDialog } from './ConnectDialog';
import { CreateBranch } from './CreateBranch';
import type { OpenDialog } from './dialogs';
import { DeleteBranches } from './DeleteBranches';
import { RestoreBranch } from './RestoreBranch';
import type { Node } from './tree';

interface Props {
  project: string;
  open: OpenDialog;
  roots: readonly Node[];
  onOpen: (dialog: OpenDialog) => void;
  onClose: () => void;
  onGone: (ids: string[]) => void;
}

/** At most one dialog at a time; each is made anew when it opens, so that nothing of the last one is left in it. */
export default function BranchDialogs({ project, open, roots, onOpen, onClose, onGone }: Props) {
  switch (open.kind) {
    case 'create':
      return <CreateBranch project={project} parent={open.parent} onClose={onClose} onMade={(branch) => onOpen({ kind: 'connect', branch })} />;
    case 'connect':
      return <ConnectDialog project={project} branch={open.branch} onClose={onClose} />;
    case 'restore':
      return <RestoreBranch project={project} branch={open.branch} onClose={onClose} />;
    case 'change':
      return <ChangeBranch project={project} branch={open.branch} onClose={onClose} />;
    case 'delete':
      return <DeleteBranches project={project} branches={open.branches} roots={roots} onClose={onClose} onGone={onGone} />;
  }
}

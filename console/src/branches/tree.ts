import type { Branch, Endpoint } from '../api/client';

/** In pixels. */
export const ROW_HEIGHT = 46;

/** A branch with what is known of it from other routes. */
export interface Node {
  branch: Branch;
  endpoint: Endpoint | undefined;
  notes: Record<string, string>;
  children: Node[];
}

/** A line of the tree as it is shown. */
export interface Row {
  node: Node;
  /** From 1, as aria-level counts. */
  level: number;
  position: number;
  siblings: number;
  expanded: boolean;
  /** Whether the filter found it; others are shown for the sake of what hangs below them. */
  matches: boolean;
  /** For each level above: whether a sibling of that ancestor follows, so that its line goes on. */
  rails: boolean[];
  parentIndex: number;
}

/** The branches as trees, the default branch's first, children by the time at which they were made. */
export function forest(
  branches: readonly Branch[],
  endpoints: ReadonlyMap<string, Endpoint>,
  notes: ReadonlyMap<string, Record<string, string>>,
): Node[] {
  const nodes = new Map<string, Node>();
  for (const branch of branches) {
    nodes.set(branch.id, {
      branch,
      endpoint: endpoints.get(branch.id),
      notes: notes.get(branch.id) ?? {},
      children: [],
    });
  }
  const roots: Node[] = [];
  for (const node of nodes.values()) {
    const parent = node.branch.parent_id ? nodes.get(node.branch.parent_id) : undefined;
    (parent ? parent.children : roots).push(node);
  }
  const byAge = (a: Node, b: Node) =>
    Number(b.branch.default) - Number(a.branch.default) ||
    a.branch.created_at.localeCompare(b.branch.created_at) ||
    a.branch.name.localeCompare(b.branch.name);
  for (const node of nodes.values()) {
    node.children.sort(byAge);
  }
  return roots.sort(byAge);
}

/** What is typed into the filter: part of a name, or with `*` a whole one. Words must all be found. */
export function matcher(filter: string): (node: Node) => boolean {
  const words = filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const tests = words.map((word) => {
    if (!word.includes('*')) {
      return (name: string) => name.includes(word);
    }
    const pattern = new RegExp(`^${word.split('*').map(escape).join('.*')}$`);
    return (name: string) => pattern.test(name);
  });
  return (node) => {
    const name = node.branch.name.toLowerCase();
    return tests.every((test) => test(name));
  };
}

function escape(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}

/** The rows to show. With a filter everything that it finds is shown, whatever is collapsed. */
export function rowsOf(roots: readonly Node[], collapsed: ReadonlySet<string>, filter: string): Row[] {
  const rows: Row[] = [];
  const filtering = filter.trim() !== '';
  const test = matcher(filter);
  const shown = new Set<Node>();
  const mark = (node: Node): boolean => {
    let any = test(node);
    for (const child of node.children) {
      any = mark(child) || any;
    }
    if (any) {
      shown.add(node);
    }
    return any;
  };
  if (filtering) {
    roots.forEach(mark);
  }
  const add = (nodes: readonly Node[], level: number, rails: boolean[], parentIndex: number) => {
    const listed = filtering ? nodes.filter((node) => shown.has(node)) : nodes;
    listed.forEach((node, index) => {
      const expanded = node.children.length > 0 && (filtering || !collapsed.has(node.branch.id));
      const at = rows.length;
      rows.push({
        node,
        level,
        position: index + 1,
        siblings: listed.length,
        expanded,
        matches: !filtering || test(node),
        rails: [...rails, index < listed.length - 1],
        parentIndex,
      });
      if (expanded) {
        add(node.children, level + 1, [...rails, index < listed.length - 1], at);
      }
    });
  };
  add(roots, 1, [], -1);
  return rows;
}

/** When a branch left its parent, in ms; for a root when it was made. */
export function branchedAt(branch: Branch): number {
  return Date.parse(branch.parent_timestamp ?? branch.created_at);
}

/** All that hang on a branch, at any depth. */
export function descendants(node: Node): Node[] {
  return node.children.flatMap((child) => [child, ...descendants(child)]);
}

/** Default and protected branches stay. */
export function isDeletable(branch: Branch): boolean {
  return !branch.default && !branch.protected;
}

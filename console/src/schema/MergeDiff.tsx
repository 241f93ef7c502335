import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { defaultHighlightStyle, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useComputedColorScheme } from '@mantine/core';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { nonce } from '../nonce';

const night = HighlightStyle.define([
  { tag: tags.keyword, color: '#7fd1a5' },
  { tag: tags.typeName, color: '#8fb8e8' },
  { tag: tags.string, color: '#e0b470' },
  { tag: tags.number, color: '#d99ad9' },
  { tag: tags.comment, color: '#93a19a' },
]);

/** Two SQL texts beside each other, equal stretches folded. */
export default function MergeDiff({ before, after }: { before: string; after: string }) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  useEffect(() => {
    if (!place.current) {
      return;
    }
    const shared = (label: string): Extension[] => [
      EditorView.cspNonce.of(nonce),
      lineNumbers(),
      EditorView.editable.of(false),
      EditorState.readOnly.of(true),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
      sql({ dialect: PostgreSQL }),
      syntaxHighlighting(scheme === 'dark' ? night : defaultHighlightStyle),
      EditorView.theme({}, { dark: scheme === 'dark' }),
    ];
    const view = new MergeView({
      a: { doc: before, extensions: shared('From') },
      b: { doc: after, extensions: shared('To') },
      parent: place.current,
      collapseUnchanged: { margin: 3, minSize: 8 },
      gutter: true,
    });
    return () => view.destroy();
  }, [before, after, scheme]);
  return <div ref={place} className="merge" />;
}

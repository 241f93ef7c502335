import { Alert } from '@mantine/core';
import { messageOf } from '../api/client';

/** What went wrong, in the server's words, which say what to do. */
export function ErrorNote({ error, title = 'That did not work' }: { error: unknown; title?: string }) {
  if (!error) {
    return null;
  }
  return (
    <Alert color="red" variant="light" title={title} role="alert" className="error-note">
      {messageOf(error)}
    </Alert>
  );
}

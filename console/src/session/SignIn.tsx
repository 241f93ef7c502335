import { Button, Code, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, done } from '../api/client';
import { queryClient } from '../api/queries';
import { ErrorNote } from '../ui/ErrorNote';
import { Logo } from '../ui/icons';

/** A link's secret is in the fragment, which no server and no log gets to see; it is taken out of the address at once. */
function takeLinkSecret(): string | null {
  const found = /^#link=([A-Za-z0-9_]+)$/.exec(window.location.hash);
  if (!found) {
    return null;
  }
  window.history.replaceState(null, '', window.location.pathname);
  return found[1] ?? null;
}

const linkSecret = takeLinkSecret();

export function SignIn() {
  const [key, setKey] = useState('');
  const usedLink = useRef(false);
  const signIn = useMutation({
    mutationFn: async (secret: string) =>
      done(api.POST('/console/sessions', { headers: { Authorization: `Bearer ${secret}` } })),
    onSuccess: async () => {
      setKey('');
      await queryClient.invalidateQueries();
    },
  });
  useEffect(() => {
    if (linkSecret && !usedLink.current) {
      usedLink.current = true;
      signIn.mutate(linkSecret);
    }
  }, [signIn]);
  return (
    <main className="sign-in">
      <Paper className="sign-in-card" shadow="sm" withBorder>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            signIn.mutate(key.trim());
          }}
        >
          <Stack gap="md">
            <div className="sign-in-brand">
              <Logo size={40} />
              <div>
                <Title order={1} size="h3">Coppice</Title>
                <Text size="sm" c="dimmed">Postgres with instant branches</Text>
              </div>
            </div>
            <PasswordInput
              label="API key"
              description="Of any scope: the console offers what the key may do."
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
              autoComplete="current-password"
              autoFocus
              spellCheck={false}
              visibilityToggleButtonProps={{ 'aria-label': 'Show the key' }}
            />
            <ErrorNote error={signIn.error} title="Not signed in" />
            <Button type="submit" loading={signIn.isPending} disabled={!key.trim()} fullWidth>Sign in</Button>
            <Text size="sm" c="dimmed">
              On the server&apos;s machine <Code>./coppice console</Code> opens a link that signs you in.
            </Text>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}

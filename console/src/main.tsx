import '@mantine/core/styles.css';
import './app.css';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { App } from './App';
import { queryClient } from './api/queries';
import { nonce } from './nonce';
import { theme, variables } from './theme';
import { Notices } from './ui/Notices';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queryClient}>
        <Router base="/console">
          <App />
        </Router>
        <Notices />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
